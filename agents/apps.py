from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from agents.models import Agent
        from tenants.staff.domain.members import grants_on

        grants_on(Agent)
