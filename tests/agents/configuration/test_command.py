"""`manage.py config` as it is typed: its output and how it ends, in real processes where that makes a difference."""

import getpass
import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from agents.models import Prompt, PromptVersion, Release
from tenants.audit.models import AuditEvent
from tenants.context import use_tenant
from tests.agents.configuration.documents import HOTEL, apply, everything, exported

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("live_tenants")


def words(*arguments):
    return [sys.executable, "manage.py", "config", *arguments]


def config(*arguments, code=0):
    """What the command writes, called in this process: to start one takes seconds."""
    out, ended = io.StringIO(), 0
    try:
        call_command("config", *arguments, stdout=out)
    except SystemExit as stopped:
        ended = stopped.code
    except CommandError as refused:
        out, ended = io.StringIO(str(refused)), refused.returncode
    assert ended == code, out.getvalue()
    return out.getvalue()


def typed(*arguments, text=None, code=0):
    """What the command writes in a process of its own."""
    ended = subprocess.run(words(*arguments), input=text, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert ended.returncode == code, (ended.stdout, ended.stderr)
    return ended.stdout if code != 2 else ended.stderr


@pytest.fixture
def hotel(tmp_path):
    file = tmp_path / "hotel.yaml"
    file.write_text(HOTEL)
    return str(file)


def test_from_a_file_to_two_tenants_and_back(harbour, agency, hotel, tmp_path):
    told = typed("diff", "--tenant", "harbour", "--file", hotel, code=1)
    assert "+ prompts/greeting: create “Greeting”, publish version 1\n" in told
    assert config("apply", "--tenant", "harbour", "--file", hotel, "--dry-run") == (
        told + "Tried and taken back: nothing was changed.\n"
    )
    assert config("apply", "--tenant", "harbour", "--file", hotel, "--message", "Opening") == told + "Applied.\n"
    assert config("diff", "--tenant", "harbour", "--file", hotel) == ""
    assert config("apply", "--tenant", "harbour", "--file", hotel) == "Nothing to change.\n"
    first = config("export", "--tenant", "harbour")
    assert typed("export", "--tenant", "harbour") == first
    copy = str(tmp_path / "copy.yaml")
    assert config("export", "--tenant", "harbour", "--file", copy) == ""
    assert Path(copy).read_bytes() == first.encode()
    typed("apply", "--tenant", "agency", text=first)
    assert config("export", "--tenant", "agency") == first
    with use_tenant(harbour):
        assert {version.message for version in PromptVersion.objects.all()} == {"Opening"}
        published = AuditEvent.objects.filter(action="prompt.published")
        told = set(published.values_list("actor_kind", "actor_name", "message"))
    assert told == {("operator", f"{getpass.getuser()} (manage.py config)", "Opening")}


def test_what_is_wrong_is_said_with_its_line(hotel):
    assert "no tenant nobody" in config("export", "--tenant", "nobody", code=2)
    assert "No such file" in config("diff", "--tenant", "harbour", "--file", "/nowhere.yaml", code=2)
    wrong = HOTEL.replace("prompt: greeting\n", "prompt: greting\n")
    told = typed("apply", "--tenant", "harbour", "--file", "-", text=wrong, code=2)
    line = wrong[: wrong.index("greting")].count("\n") + 1
    assert f"  -:{line}: agents.marina.release.prompt: There is no prompt greting" in told
    nobody = config("diff", "--tenant", "harbour", "--only", "agents/nobody", "--file", hotel, code=2)
    assert "There is no agents/nobody" in nobody


def test_a_process_that_is_killed_in_the_middle_leaves_nothing_and_holds_nobody_up(harbour, hotel):
    schema = harbour.schema_name
    with use_tenant(harbour):
        before = everything(schema)
        with transaction.atomic():
            # It waits for this when it comes to its first release: by then its prompts and agents are written.
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE agents_release IN SHARE MODE")
            process = subprocess.Popen(words("apply", "--tenant", "harbour", "--file", hotel), cwd=ROOT)
            try:
                _wait_until_it_waits(process)
                os.kill(process.pid, signal.SIGKILL)
            finally:
                process.kill()
                process.wait()
        assert everything(schema) == before
    assert "Applied." in config("apply", "--tenant", "harbour", "--file", hotel)


def _wait_until_it_waits(process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_locks WHERE NOT granted AND relation = 'agents_release'::regclass")
            if cursor.fetchone() is not None:
                return
        time.sleep(0.05)
    raise AssertionError("it never came to the release")


def test_two_at_once_follow_each_other(harbour, hotel):
    processes = [
        subprocess.Popen(
            words("apply", "--tenant", "harbour", "--file", hotel), cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = sorted(process.communicate(timeout=60)[0] for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert told[1] == "Nothing to change.\n" or told[0] == "Nothing to change.\n"
    with use_tenant(harbour):
        assert (Prompt.objects.count(), PromptVersion.objects.count(), Release.objects.count()) == (1, 1, 2)


def test_hundreds_of_prompts_take_seconds(harbour):
    entries = "".join(
        f"  p-{number}:\n    content:\n      template: |-\n        {number} {'of many words ' * 40}\n\n        End.\n"
        for number in range(300)
    )
    with use_tenant(harbour):
        apply(f"switchboard: 1\nprompts:\n{entries}")
        begin = time.process_time()  # of this process alone: others may be busy
        text = exported()
        export_seconds = time.process_time() - begin
        begin = time.process_time()
        assert apply(text).is_met
        apply_seconds = time.process_time() - begin
    assert len(re.findall("template", text)) == 300
    assert export_seconds < 2, export_seconds
    assert apply_seconds < 5, apply_seconds
