"""Who uses a secret by its name: the apps above say so here, and a secret that is used isn't deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Users = Callable[[str], Iterable[str]]
_users: dict[str, Users] = {}


def used_by(app: str, users: Users) -> None:
    """Register what an app's rows refer to. `users` gets a secret's name, in a tenant's scope, and names its users as
    people know them, such as `tool “Weather”`.
    """
    _users[app] = users


def users_of(name: str) -> list[str]:
    """Who uses the secret with this name."""
    return [user for users in _users.values() for user in users(name)]
