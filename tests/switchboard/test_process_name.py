"""What a process is called in the trail and in PostgreSQL's list."""

import getpass

import pytest

from switchboard.process_name import process_name

USER = getpass.getuser()


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["manage.py", "shell"], f"manage.py shell by {USER}"),
        (["./manage.py", "create_tenant", "--name", "secret things"], f"manage.py create_tenant by {USER}"),
        (["manage.py", "--help"], f"manage.py by {USER}"),
        (["/venv/lib/uvicorn/__main__.py", "switchboard.asgi:application"], "web server"),
        (["/venv/lib/celery/__main__.py", "-A", "switchboard"], "worker"),
        (["/venv/bin/celery", "worker"], "worker"),
        ([""], f"python by {USER}"),
        ([], f"python by {USER}"),
    ],
)
def test_a_process_is_called_by_what_it_does(argv, name):
    assert process_name(argv) == name


def test_a_name_fits_where_postgresql_keeps_it():
    assert len(process_name(["manage.py", "ñ" * 100])) == 63
    assert process_name(["manage.py", "ñ" * 100]).isascii()
