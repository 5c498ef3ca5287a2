from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "knowledge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from knowledge.domain import documents
        from tenants.domain import leases

        leases.on_abandoned(documents.LEASE_KIND, documents.recover)
