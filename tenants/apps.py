from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from switchboard.kernel import lifespan
        from tenants import checks, recovery  # noqa: F401  (checks register themselves)

        lifespan.on_start(recovery.start)
        lifespan.on_stop(recovery.stop)
