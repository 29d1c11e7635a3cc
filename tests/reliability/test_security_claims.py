"""Test that every test named in SECURITY.md exists, and that every fault class has a test and every such test a class."""

from __future__ import annotations

import re
from pathlib import Path

from tests.reliability.__main__ import classes
from tests.reliability.results import ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_MARKER = re.compile(r'fault_class\("([\w.]+)"\)')


def test_every_claim_names_an_existing_test() -> None:
    rows = [
        line
        for line in (ROOT / ".github" / "SECURITY.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| promise", "| ---"))
    ]
    assert rows
    for row in rows:
        named = _NAMED.findall(row)
        assert named, row
        for file, name in named:
            assert f"\ndef {name}(" in (ROOT / file).read_text("utf-8"), row


def test_every_fault_class_has_a_test_and_vice_versa() -> None:
    marked = {key for file in _tests() for key in _MARKER.findall(file.read_text("utf-8"))}
    assert marked == set(classes())


def _tests() -> list[Path]:
    return sorted((ROOT / "tests").rglob("test_*.py"))
