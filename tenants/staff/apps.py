from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "tenants.staff"
    verbose_name = "People"
    label = "staff"
    default_auto_field = "django.db.models.BigAutoField"
