from django.apps import AppConfig


class VoiceWorkerConfig(AppConfig):
    name = "voice_worker"
    verbose_name = "Voice"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from conversations import page_sections
        from voice_worker.timeline.section import voice_section

        page_sections.show_section(voice_section)
