"""Test that a run with many sources, of which every tenth misbehaves, ends in time with complete good sources.

There are hundreds of sources, and thousands with FEEDTOOL_FULL=1. The test prints the costs of a run: `FEEDTOOL_FULL=1
python -m pytest -s tests/load/test_many_sources.py`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.measure import Sample, measured
from tests.load.sources import EACH, is_good, routes, settings, ways
from tests.reliability.results import FULL, trials
from tests.support.server import Server, serve
from tests.support.site import ROOT, environment, make_site

MANY, FEW = trials(200, 5_000), 1_000
"""FEW sources include every kind of misbehaviour: the cost of a single feed is in both figures.

The difference is the cost of the number of sources.
"""
TIMEOUT = 15
DEADLINE = 1800
INGEST = f"timeout = {TIMEOUT}\nconcurrency = 64\ndeadline = {DEADLINE}\n"


def visit(site: Path, server: Server, hour: int) -> tuple[dict, Sample]:
    """Run one ingest in its own process; return its report and its costs."""
    place = site.parent / "log"
    place.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.load.visit", str(site), str(server.port), str(hour)]
    sample = measured(command, cwd=place, env={**environment(), "PYTHONPATH": str(ROOT)}, watched=[])
    report = json.loads((place / "bench.log").read_text("utf-8").splitlines()[-1])
    took = f"{sample.wall:.1f} s, {sample.cpu:.1f} s of CPU, {sample.memory / 1e6:.0f} MB"
    print(f"{len(report['outcomes']):,} sources, hour {hour}: {took}")
    return report, sample


def _folder(place: Path) -> Path:
    (place / "site").mkdir(parents=True)
    return place / "site"


def texts(site: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in (site / "articles").rglob("*.md"))


@pytest.mark.slow
@pytest.mark.fault_class("load.sources")
def test_many_faulty_sources_are_ingested_in_time(tmp_path: Path, tally: Callable[[int], None]) -> None:
    assert len(ways()) > 60
    good = {f"s{number}" for number in range(MANY) if is_good(number)}
    with serve(routes(MANY), lifetime=3600) as server:
        most = 400e6
        if FULL:
            few = make_site(_folder(tmp_path / "few"), {}, settings(FEW, INGEST))
            # For the whole process tree, including bodies in transit.
            most = visit(few, server, 0)[1].memory + (MANY - FEW) * 20e3
        site = make_site(_folder(tmp_path / "many"), {}, settings(MANY, INGEST))
        first, sample = visit(site, server, 0)
        assert first["seconds"] < DEADLINE + TIMEOUT + 60
        assert {name for name, outcome in first["outcomes"].items() if outcome == "ingested"} >= good
        assert {name for name in good if first["new"][name] != EACH} == set()
        assert "late" not in first["outcomes"].values()
        assert all(first["messages"].get(name) for name, outcome in first["outcomes"].items() if outcome == "failed")
        assert sample.memory < most
        articles = texts(site)
        again, _ = visit(site, server, 3)
        assert {again["outcomes"][name] for name in good} == {"unchanged"}
        assert sum(again["new"].values()) == 0
        assert texts(site) == articles
    tally(MANY)


def test_one_source_in_ten_is_faulty() -> None:
    assert len(routes(MANY)) == MANY
    assert sum(not is_good(number) for number in range(MANY)) * 10 == MANY
    assert os.environ.get("FEEDTOOL_FULL") != "1" or len(ways()) < MANY // 10
