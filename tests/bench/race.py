"""A corpus and generators in, the samples of every build of every generator out, made in turns within one run."""

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
"""No output and no index; nothing changed; one article that is in feeds written anew as it was; its body edited; one added."""
Say = Callable[[str], None]


@dataclass(slots=True)
class Entrant:
    """A generator in a race: its site and what its builds cost, by scenario."""

    site: Site
    samples: dict[str, list[Sample]] = field(default_factory=lambda: {name: [] for name in SCENARIOS})
    spent: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to run: `runs` rounds of feedtool, `peer_runs` of the others, each of which has `budget` seconds in all."""

    tools: Sequence[str]
    runs: int
    peer_runs: int
    budget: float


def race(shop: Workshop, articles: Path, plan: Plan, say: Say) -> tuple[dict[str, Entrant], dict[str, str]]:
    """Return the entrants with their samples, and why the others are absent, by name.

    The generators take turns in every round, so that whatever slows the machine slows all of them; each round another
    begins, so that none of them always comes after the same one.
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
                    entrants[tool] = Entrant(shop.site(tool, articles))
                _round(entrants[tool], newest, number, most=None if ours else plan.budget)
                say(f"{tool}, round {number + 1}: " + _words(entrants[tool]))
            except (AbsentError, FailedError) as error:
                absent[tool] = str(error).strip().splitlines()[-1]
                entrants.pop(tool, None)
                say(f"{tool}: {absent[tool]}")
    return entrants, absent


def _round(entrant: Entrant, newest: str, number: int, *, most: float | None) -> None:
    """Build in every scenario, as long as the builds of the entrant took no more than `most` seconds in all."""
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
        # A file system's clock has ticks: whoever trusts mtimes may not see an edit younger than one.
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
    """Return the article that stands first in its feeds, of those whose id is not written down."""
    newest = ("", "")
    for path in articles.rglob("*.md"):
        with open(path, encoding="utf-8") as file:
            head = file.read(2_000)
        found = re.search(r"^date: (\S+)$", head, re.MULTILINE)
        if found and "\nguid:" not in head:
            newest = max(newest, (found[1], str(path.relative_to(articles))))
    return newest[1]


def _words(entrant: Entrant) -> str:
    return ", ".join(f"{name} {found[-1].wall:.2f} s" for name, found in entrant.samples.items() if found)


def floors(articles: Path, runs: int) -> list[dict[str, float]]:
    """Return what listing every file and reading every head costs, `runs` times, in seconds."""
    import json

    command = [sys.executable, str(Path(__file__).with_name("floor.py")), str(articles)]
    done = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(runs)]
    return [json.loads(text) for text in done]


def startups(shop: Workshop, runs: int) -> dict[str, list[float]]:
    """Return the wall seconds of questions that need no site, beside a click application that does nothing."""
    bare = "import click\n@click.command()\n@click.version_option('1')\ndef main():\n    pass\nmain()"
    python = sys.executable
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "a bare click application, --help": [python, "-c", bare, "--help"],
        "feedtool --version": [python, "-m", "feedtool", "--version"],
        "feedtool --help": [python, "-m", "feedtool", "--help"],
        "feedtool build --help": [python, "-m", "feedtool", "build", "--help"],
    }
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            found[name].append(measured(command, cwd=shop.place, env=shop.env, watched=()).wall)
    return found
