from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "knowledge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from knowledge.domain import documents
        from knowledge.models import Collection
        from tenants.domain import leases
        from tenants.staff.domain.members import grants_on

        leases.on_abandoned(documents.LEASE_KIND, documents.recover)
        grants_on(Collection)
