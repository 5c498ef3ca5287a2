"""The shape of the tree."""

import re
import tomllib

import pytest

from tests.guards.sources import AROUND, PRODUCT, ROOT, files, name_of

MOST_LINES = 500
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# What shows that a file was written in haste, on one machine, or holds what it must not.
TRACES = {
    "a path of one machine": re.compile(r"(?<![\w.{}<-])/(?:root|home|Users|work)/[A-Za-z0-9.]"),
    "a path beside the project": re.compile(r"\.\./shared\b"),
    "a merge conflict": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
    "a private key": re.compile("-----BEGIN [A-Z ]*PRIVATE" + " KEY-----"),
    "a note to oneself": re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b"),
    "a debugger": re.compile(r"\b(?:breakpoint\(\)|import i?pdb)"),
}
TEXT = (".py", ".md", ".toml", ".yaml", ".yml", ".html", ".js", ".ts", ".css", ".txt", ".sh", ".json", "")


def test_platform_is_no_package():
    assert not (ROOT / "platform" / "__init__.py").exists(), "it would shadow the standard library's platform"


def test_every_package_has_its_layer():
    linter = PYPROJECT["tool"]["importlinter"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - set(AROUND)
    layers = {layer for contract in linter["contracts"] for layer in contract.get("layers", [])}
    assert packages <= set(linter["root_packages"])
    assert packages <= layers


@pytest.mark.parametrize("path", list(files(".py", ".js", ".ts", under=(*PRODUCT, *AROUND))), ids=name_of)
def test_no_module_is_too_long(path):
    lines = len(path.read_text().splitlines())
    assert lines <= MOST_LINES, f"{name_of(path)} has {lines} lines; one that passes 400 wants to be two"


def test_nothing_is_left_in_the_files():
    found = []
    for path in files(*TEXT, under=(*PRODUCT, *AROUND, "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")):
        text = path.read_text(errors="replace")
        for what, pattern in TRACES.items():
            found += [f"{name_of(path)}: {what}: {match[0]!r}" for match in pattern.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "open('/home" + "/someone/x')",
        "/root" + "/.ssh",
        "# TO" + "DO later",
        "<" * 7 + " HEAD",
        "-----BEGIN RSA PRIVATE" + " KEY-----",
    ],
)
def test_the_look_for_traces_finds_them(line):
    assert any(pattern.search(line) for pattern in TRACES.values())
