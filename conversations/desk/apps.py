from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "conversations.desk"
    label = "desk"
    verbose_name = "Desk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from conversations.desk import tools  # noqa: F401 - they register themselves
