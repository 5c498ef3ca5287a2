"""Celery tasks with a tenant: the caller's scope travels in a header, and a task that comes without one is refused."""

from __future__ import annotations

import time
import uuid
from typing import Any, Final

from celery import Task
from celery.exceptions import Reject
from django.db import connections

from switchboard.kernel.database import OUTAGES
from switchboard.kernel.request_id import current_request_id, set_request_id
from tenants.actor import Actor, current_actor, use_actor
from tenants.context import Scope, TenantNotSet, current_tenant, scope_of, use_public, use_tenant
from tenants.models import Tenant

HEADER: Final = "switchboard_tenant"
# In whose name the task was sent, for the audit trail: id, name, and the request it came of.
ACTOR_HEADER: Final = "switchboard_actor"
# Seconds until a task that found no database goes back into the queue.
_OUTAGE_PAUSE: Final = 1.0


class TenantTask(Task):  # type: ignore[type-arg]
    """The base of every task: sent from a tenant's scope, run in the same."""

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:  # type: ignore[override]
        headers = {**(options.pop("headers", None) or {}), HEADER: str(current_tenant().tenant_id)}
        actor = current_actor()
        if actor is not None:
            headers[ACTOR_HEADER] = {"id": actor.id, "name": _in_name_of(actor), "request_id": current_request_id()}
        return super().apply_async(args, kwargs, headers=headers, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            with use_tenant(self._tenant()), use_actor(self._actor()):
                return super().__call__(*args, **kwargs)
        finally:
            set_request_id("")
            for connection in connections.all(initialized_only=True):
                connection.close()

    def _header(self, name: str) -> Any:
        return (self.request.headers or {}).get(name) or self.request.get(name)

    def _actor(self) -> Actor | None:
        """Whoever sent the task does no longer act themselves: the system does, for them."""
        told = self._header(ACTOR_HEADER)
        if not isinstance(told, dict):
            return None
        identity, name, request_id = (str(told.get(part, "")) for part in ("id", "name", "request_id"))
        set_request_id(request_id)
        return Actor(kind="system", id=identity, name=name, request_id=request_id)

    def _tenant(self) -> Scope:
        identity = self._header(HEADER)
        if not identity:
            raise Reject(TenantNotSet(f"The task {self.name} came without a tenant."), requeue=False)
        try:
            with use_public():
                tenant = Tenant.objects.filter(id__in=_ids(identity), status=Tenant.Status.READY).first()
        except OUTAGES as error:
            time.sleep(_OUTAGE_PAUSE)
            raise Reject(error, requeue=True) from error
        if tenant is None:
            raise Reject(
                TenantNotSet(f"The task {self.name} names a tenant that isn't there or isn't ready."), requeue=False
            )
        return scope_of(tenant)


def _in_name_of(actor: Actor) -> str:
    return actor.name if actor.kind == "system" else f"task for {actor.name}"


def _ids(identity: object) -> list[uuid.UUID]:
    """The id in a header that anybody who reaches the broker may have written; none where it is no id."""
    try:
        return [uuid.UUID(str(identity))]
    except ValueError:
        return []
