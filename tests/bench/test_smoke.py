"""Test that the benchmark measures a small site and writes its page and its plot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bench.plot import Line, Panel, svg
from tests.bench.race import SCENARIOS
from tests.bench.tools import as_pelican

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the work and the reports of the benchmark."""
    place = tmp_path_factory.mktemp("bench")
    options = ["--sizes", "200", "--tools", "feedtool", "--runs", "1", "--startup", "1"]
    paths = ["--work", place / "work", "--results", place / "results.json", "--report", place / "out" / "BENCHMARKS.md"]
    command = [sys.executable, "-m", "tests.bench", *options, *map(str, paths)]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return place


def test_benchmark_measures_every_scenario(place: Path) -> None:
    size = json.loads((place / "results.json").read_text("utf-8"))["sizes"]["200"]
    samples = size["tools"]["feedtool"]["samples"]
    assert tuple(samples) == SCENARIOS
    for scenario, rows in samples.items():
        ((wall, cpu, memory, written, files),) = rows
        assert min(wall, cpu, memory / 1_000_000) > 0, scenario
        assert bool(files) is (scenario != "again"), scenario
        if scenario == "touched":
            assert files == 1, "only the index"
        assert written >= 0
    assert size["floor"][0]["files"] == 200


def test_profile_finds_all_steps_of_a_build(place: Path) -> None:
    facts = json.loads((place / "results.json").read_text("utf-8"))["sizes"]["200"]["steps"]
    assert facts["missing"] == []
    assert facts["articles"] == 201, "200 and the added one"
    assert sum(seconds for _, seconds, _ in facts["steps"]) == pytest.approx(facts["seconds"], rel=0.25)


def test_report_page_and_plot_are_written(place: Path) -> None:
    page = (place / "out" / "BENCHMARKS.md").read_text("utf-8")
    assert "## 200 articles" in page
    assert "| cold | feedtool |" in page
    assert str(place) not in page
    root = ET.fromstring((place / "out" / "benchmarks.svg").read_bytes())
    assert "feedtool" in {element.text for element in root.iter() if element.tag.endswith("text")}


def test_linear_growth_has_a_slope_of_one() -> None:
    panel = Panel(title="", x="", y="", lines=[Line(name="", points=[(10, 10), (100, 100)], colour=0)])
    root = ET.fromstring(svg([panel]))
    line = next(element for element in root.iter() if element.tag.endswith("polyline"))
    (left, low), (right, high) = (map(float, point.split(",")) for point in line.get("points", "").split())
    rules = [element for element in root.iter() if element.tag.endswith("line") and element.get("x1") is not None]
    across = {float(rule.get("x1", "")) for rule in rules}
    upward = {float(rule.get("y1", "")) for rule in rules}
    assert (left, right) == (min(across), max(across))
    assert (high, low) == (min(upward - {low}), max(upward - {high}))


def test_pelican_posts_keep_metadata_of_articles() -> None:
    head = (
        "---\ntitle: 'It''s'\ncategories: \n - 金融\n - World\nauthor: World\ndate: 2022-07-25T20:11:30+08:00\n---\n\n"
    )
    own = "Title: It's\nDate: 2022-07-25T20:11:30+08:00\nTags: 金融, World\nAuthors: World\n\n<p>x</p>\n"
    assert as_pelican(f"{head}<p>x</p>\n") == own
