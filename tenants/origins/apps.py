from django.apps import AppConfig


class OriginsConfig(AppConfig):
    name = "tenants.origins"
    label = "origins"
    verbose_name = "Allowed origins"
    default_auto_field = "django.db.models.BigAutoField"
