"""How tests of fault classes ended in, `artifacts/reliability.json` out: a result for each test, kept until it runs again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "artifacts" / "reliability.json"

FULL = os.environ.get("FEEDTOOL_FULL") == "1"
"""Whether tests of fault classes run in their full form, whose figures RELIABILITY.md shows; it takes an hour, not minutes."""

_seen: dict[str, dict[str, Any]] = {}


def trials(short: int, full: int) -> int:
    """Return how often a test is to try: `short` in everyday runs, `full` under FEEDTOOL_FULL=1."""
    return full if FULL else short


def note(report: pytest.TestReport) -> None:
    """Add one report to the result of its test; the cases of a parametrised test are one test's."""
    told = dict(report.user_properties)
    if "fault_class" not in told or (report.when != "call" and report.passed):
        return
    name = report.nodeid.partition("[")[0]
    result = _seen.setdefault(name, {"class": told["fault_class"], "tried": 0, "failed": 0, "skipped": 0})
    if report.skipped:
        result["skipped"] += 1
        return
    result["tried"] += told.get("tried", 1) if report.passed else 1
    result["failed"] += int(report.failed)


def keep() -> None:
    """Write the results of this run, and of earlier runs those of other tests."""
    if _seen:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps({**read(), **_seen}, indent=1, sort_keys=True) + "\n", "utf-8")


def read() -> dict[str, dict[str, Any]]:
    """Return the results by test; none where nothing was written yet."""
    return json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}
