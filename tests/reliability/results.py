"""Store the results of fault-class tests in `artifacts/reliability.json`; a result stays until its test runs again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "artifacts" / "reliability.json"

FULL = os.environ.get("FEEDTOOL_FULL") == "1"
"""True if fault-class tests run in full, which takes an hour instead of minutes; RELIABILITY.md shows these figures."""

_results: dict[str, dict[str, Any]] = {}


def trials(short: int, full: int) -> int:
    """Return the number of trials of a test: `short` in everyday runs, `full` under FEEDTOOL_FULL=1."""
    return full if FULL else short


def note(report: pytest.TestReport) -> None:
    """Add one report to the result of its test; all cases of a parametrized test count for one test."""
    properties = dict(report.user_properties)
    if "fault_class" not in properties or (report.when != "call" and report.passed):
        return
    name = report.nodeid.partition("[")[0]
    result = _results.setdefault(name, {"class": properties["fault_class"], "tried": 0, "failed": 0, "skipped": 0})
    if report.skipped:
        result["skipped"] += 1
        return
    result["tried"] += properties.get("tried", 1) if report.passed else 1
    result["failed"] += int(report.failed)


def keep() -> None:
    """Write the results of this run, and those of other tests from earlier runs."""
    if _results:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps({**read(), **_results}, indent=1, sort_keys=True) + "\n", "utf-8")


def read() -> dict[str, dict[str, Any]]:
    """Return the results by test; {} if none were written yet."""
    return json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}
