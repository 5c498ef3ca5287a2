from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "voice_worker.directory"
    label = "directory"
    verbose_name = "Rooms and numbers"
    default_auto_field = "django.db.models.BigAutoField"
