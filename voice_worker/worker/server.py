"""The worker as livekit-agents runs it: a process for each room, drained when it is asked to stop."""

from __future__ import annotations

import logging
import sys

from django.conf import settings
from livekit.agents import AgentServer, JobExecutorType

from voice_worker.worker import job
from voice_worker.worker.load import load_of

logger = logging.getLogger(__name__)


def build_server() -> AgentServer:
    """A worker for the LiveKit server of the settings. Rooms come to it by name: `LIVEKIT_AGENT_NAME`."""
    server = AgentServer(
        job_executor_type=JobExecutorType.PROCESS,
        multiprocessing_context="forkserver" if sys.platform.startswith("linux") else "spawn",
        preload_modules=["voice_worker.worker.preload"],
        setup_fnc=job.prepare,
        num_idle_processes=settings.VOICE_IDLE_PROCESSES,
        load_fnc=load_of(most_calls=settings.VOICE_MOST_CALLS),
        load_threshold=settings.VOICE_MOST_LOAD,
        job_memory_warn_mb=settings.VOICE_JOB_MEMORY_MB * 0.8,
        job_memory_limit_mb=settings.VOICE_JOB_MEMORY_MB,
        drain_timeout=settings.VOICE_DRAIN_SECONDS,
        initialize_process_timeout=30.0,
        ws_url=settings.LIVEKIT_URL,
        api_key=settings.LIVEKIT_API_KEY,
        api_secret=settings.LIVEKIT_API_SECRET,
        host=settings.VOICE_HEALTH_HOST,
        port=settings.VOICE_HEALTH_PORT,
        prometheus_port=settings.VOICE_PROMETHEUS_PORT or None,
    )
    server.rtc_session(job.run_job, agent_name=settings.LIVEKIT_AGENT_NAME)
    return server
