from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "tenants.staff"
    verbose_name = "People"
    label = "staff"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from allauth.mfa import signals

        from tenants.staff.domain import second_factor

        for signal in (signals.authenticator_added, signals.authenticator_removed, signals.authenticator_reset):
            signal.connect(second_factor.on_change, dispatch_uid="staff.second_factor")
