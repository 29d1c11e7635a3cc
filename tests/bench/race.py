"""Build one corpus with several generators in turns, and collect a sample of every build."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measure import FailedError, Sample, measured
from tests.bench.tools import AbsentError, Site, Workshop

SCENARIOS = ("cold", "again", "touched", "edited", "added")
"""No output and no index; nothing changed; one article in feeds rewritten unchanged; its body edited; one article added."""
Progress = Callable[[str], None]


@dataclass(slots=True)
class Entrant:
    """A generator in a race: its site and the costs of its builds by scenario."""

    site: Site
    samples: dict[str, list[Sample]] = field(default_factory=lambda: {name: [] for name in SCENARIOS})
    spent: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The number of runs: `runs` rounds of feedtool, `peer_runs` of each other generator within `budget` seconds."""

    tools: Sequence[str]
    runs: int
    peer_runs: int
    budget: float


def race(
    workshop: Workshop, articles: Path, plan: Plan, progress: Progress
) -> tuple[dict[str, Entrant], dict[str, str]]:
    """Return the entrants with their samples, and the reasons why the others are absent, by name.

    The generators take turns in every round, so that a slow moment of the machine affects all of them; each round
    starts with another generator, so that none always follows the same one.
    """
    entrants: dict[str, Entrant] = {}
    absent: dict[str, str] = {}
    newest = _newest(articles)
    for number in range(plan.runs):
        first = number % len(plan.tools)
        for tool in (*plan.tools[first:], *plan.tools[:first]):
            ours = tool.startswith("feedtool")
            if tool in absent or (number >= plan.peer_runs and not ours):
                continue
            if not ours and tool in entrants and entrants[tool].spent > plan.budget * number / (number + 1):
                continue
            try:
                if tool not in entrants:
                    entrants[tool] = Entrant(workshop.site(tool, articles))
                _round(entrants[tool], newest, number, most=None if ours else plan.budget)
                progress(f"{tool}, round {number + 1}: " + _last_walls(entrants[tool]))
            except (AbsentError, FailedError) as error:
                absent[tool] = str(error).strip().splitlines()[-1]
                entrants.pop(tool, None)
                progress(f"{tool}: {absent[tool]}")
    return entrants, absent


def _round(entrant: Entrant, newest: str, number: int, *, most: float | None) -> None:
    """Build in every scenario until the builds of the entrant have taken `most` seconds in all."""
    site = entrant.site
    path = site.articles / newest
    original = site.folder / "original"
    if number == 0:
        os.link(path, original)
    extra = path.with_name("An article added later.md")
    for scenario in SCENARIOS:
        if scenario == "cold":
            _replace_by_link(original, path)
            extra.unlink(missing_ok=True)
            for output in site.outputs:
                if output.is_dir():
                    shutil.rmtree(output)
                else:
                    output.unlink(missing_ok=True)
        elif scenario == "touched":
            _replace(path, path.read_text("utf-8"))
        elif scenario == "edited":
            text = path.read_text("utf-8")
            _replace(path, text.replace("</div>\n", f"<p>Edited {number}.</p>\n</div>\n"))
        elif scenario == "added":
            _replace(extra, re.sub(r"(?m)^([Tt]itle): .*$", r"\1: An article added later", path.read_text("utf-8")))
        # The clock of a file system has ticks: a program that trusts mtimes may miss an edit within one tick.
        time.sleep(0.05)
        sample = measured(site.command, cwd=site.folder, env=site.env, watched=site.outputs)
        entrant.samples[scenario].append(sample)
        entrant.spent += sample.wall
        if most is not None and entrant.spent > most:
            return


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name("new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)


def _replace_by_link(original: Path, path: Path) -> None:
    path.unlink()
    os.link(original, path)


def _newest(articles: Path) -> str:
    """Return the newest article without an id in its front matter, which is the first in its feeds."""
    newest = ("", "")
    for path in articles.rglob("*.md"):
        with open(path, encoding="utf-8") as file:
            head = file.read(2_000)
        match = re.search(r"^date: (\S+)$", head, re.MULTILINE)
        if match and "\nguid:" not in head:
            newest = max(newest, (match[1], str(path.relative_to(articles))))
    return newest[1]


def _last_walls(entrant: Entrant) -> str:
    return ", ".join(f"{name} {samples[-1].wall:.2f} s" for name, samples in entrant.samples.items() if samples)


def baselines(articles: Path, runs: int) -> list[dict[str, float]]:
    """Return the seconds of listing every file and of reading every head, `runs` times."""
    import json

    command = [sys.executable, str(Path(__file__).with_name("baseline.py")), str(articles)]
    done = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(runs)]
    return [json.loads(text) for text in done]


def startups(workshop: Workshop, runs: int) -> dict[str, list[float]]:
    """Return the wall seconds of commands that need no site, beside a click application that does nothing."""
    bare = "import click\n@click.command()\n@click.version_option('1')\ndef main():\n    pass\nmain()"
    python = sys.executable
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "a bare click application, --help": [python, "-c", bare, "--help"],
        "feedtool --version": [python, "-m", "feedtool", "--version"],
        "feedtool --help": [python, "-m", "feedtool", "--help"],
        "feedtool build --help": [python, "-m", "feedtool", "build", "--help"],
    }
    walls: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            walls[name].append(measured(command, cwd=workshop.place, env=workshop.env, watched=()).wall)
    return walls
