from django.apps import AppConfig


class VoiceWorkerConfig(AppConfig):
    name = "voice_worker"
    verbose_name = "Voice"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from conversations import page_sections, sight
        from switchboard.kernel import lifespan
        from tenants.domain import leases
        from voice_worker.audio_stream import loading
        from voice_worker.domain import places, waiting
        from voice_worker.meetings import watch
        from voice_worker.meetings.section import meeting_section
        from voice_worker.timeline.section import voice_section
        from voice_worker.vision import across
        from voice_worker.worker.recovery import recover

        page_sections.show_section(meeting_section)
        page_sections.show_section(voice_section)
        sight.on_question(across.see_across)
        leases.on_abandoned(places.LEASE_KIND, recover)
        lifespan.on_start(loading.preload)
        leases.on_abandoned(waiting.LEASE_KIND, watch.look)
