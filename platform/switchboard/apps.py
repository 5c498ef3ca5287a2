from django.apps import AppConfig


class SwitchboardConfig(AppConfig):
    """The project itself, for its management commands and static files."""

    name = "switchboard"
