from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from agents import nightly
        from agents.domain import test_runs
        from agents.domain.usage import tools_with_secret
        from agents.engine import models
        from agents.models import Agent
        from switchboard.kernel import lifespan
        from tenants.domain import leases
        from tenants.staff.domain.members import grants_on
        from tenants.vault.references import used_by

        grants_on(Agent)
        used_by("agents", tools_with_secret)
        leases.on_abandoned(test_runs.LEASE_KIND, test_runs.recover)
        lifespan.on_start(models.load)
        lifespan.on_start(nightly.start)
        lifespan.on_stop(nightly.stop)
