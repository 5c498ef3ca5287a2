"""Voice in the staff's admin."""

from voice_worker.admin import sessions

__all__ = ["sessions"]
