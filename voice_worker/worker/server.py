"""The worker as livekit-agents runs it: a process for each room, drained when it is asked to stop."""

from __future__ import annotations

import math
import os
import sys

from django.conf import settings
from livekit.agents import AgentServer, JobExecutorType

from switchboard.config import ROOT
from voice_worker.sessions.recording import remove_orphans
from voice_worker.worker import job
from voice_worker.worker.load import load_of


def build_server() -> AgentServer:
    """A worker for the LiveKit server of the settings. Rooms come to it by name: `LIVEKIT_AGENT_NAME`."""
    _show_the_way()
    remove_orphans()
    server = AgentServer(
        job_executor_type=JobExecutorType.PROCESS,
        multiprocessing_context="forkserver" if sys.platform.startswith("linux") else "spawn",
        preload_modules=["voice_worker.worker.preload"],
        setup_fnc=job.prepare,
        num_idle_processes=settings.VOICE_IDLE_PROCESSES,
        load_fnc=load_of(most_calls=settings.VOICE_MOST_CALLS, is_bounded=settings.VOICE_MOST_LOAD < 1),
        load_threshold=settings.VOICE_MOST_LOAD if settings.VOICE_MOST_LOAD < 1 else math.inf,
        job_memory_warn_mb=settings.VOICE_JOB_MEMORY_MB * 0.8,
        job_memory_limit_mb=settings.VOICE_JOB_MEMORY_MB,
        drain_timeout=settings.VOICE_DRAIN_SECONDS,
        initialize_process_timeout=30.0,
        ws_url=settings.LIVEKIT_URL,
        api_key=settings.LIVEKIT_API_KEY,
        api_secret=settings.LIVEKIT_API_SECRET,
        host="127.0.0.1",
        port=0,  # its own health tells less than ours (health.py)
        prometheus_port=settings.VOICE_PROMETHEUS_PORT or None,
    )
    server.rtc_session(job.run_job, agent_name=settings.LIVEKIT_AGENT_NAME)
    return server


def _show_the_way() -> None:
    """The process that jobs are forked from knows no more of `sys.path` than its environment tells it (CPython 3.11,
    Lib/multiprocessing/forkserver.py), and skips in silence what it then can't import.
    """
    places = [str(ROOT / "platform"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(place for place in places if place)
