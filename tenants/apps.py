from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Company"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from switchboard.kernel import idempotency, lifespan
        from tenants import purging, recovery
        from tenants.api.idempotency import caller_name_space

        idempotency.scope_keys_by(caller_name_space)

        lifespan.on_start(recovery.start)
        lifespan.on_stop(recovery.stop)
        lifespan.on_start(purging.start)
        lifespan.on_stop(purging.stop)
