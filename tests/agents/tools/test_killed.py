"""A process that is killed in the middle of a call: whoever takes the turn up again does nothing twice."""

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from agents.models import ToolCallRecord
from knowledge.models import Collection

VICTIM = Path(__file__).with_name("victim.py")


def call(place, turn):
    return subprocess.run(
        [sys.executable, VICTIM, place, "harbour", str(turn)], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(("place", "made_before"), [("before", 0), ("within", 0), ("after", 1)])
def test_an_effect_happens_once_wherever_its_process_is_killed(live_tenants, in_harbour, place, made_before):
    turn = uuid.uuid4()
    assert call(place, turn).returncode == -9
    assert Collection.objects.count() == made_before
    for _ in range(2):
        again = call("nowhere", turn)
        assert again.stdout.split("\n")[-2] == "True {'made': 'A killed effect'} ", again.stderr
        assert Collection.objects.count() == 1
    record = ToolCallRecord.objects.get()
    assert (record.status, record.contact, record.attempts) == ("done", "ada", 1 if made_before else 2)
