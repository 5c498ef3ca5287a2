from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from agents import traffic
        from conversations import queries, runner
        from conversations.domain import turns
        from conversations.events.hub import hub
        from switchboard.kernel import lifespan
        from tenants.domain import leases

        traffic.read_with(queries.traffic)
        leases.on_abandoned(turns.LEASE_KIND, runner.recover)
        lifespan.on_start(runner.start)
        lifespan.on_stop(runner.stop)
        lifespan.on_leaving(lambda: hub().end_followers())
