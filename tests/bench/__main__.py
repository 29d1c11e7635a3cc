"""Measure feedtool beside the other generators on this machine, and write a page of tables and a plot.

python -m tests.bench --sizes 1k,10k --results results.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import report
from tests.bench.machine import machine
from tests.bench.race import Plan, baselines, race, startups
from tests.bench.tools import MAKERS, Workshop

ROOT = Path(__file__).resolve().parent.parent.parent
UNITS = {"k": 1_000, "m": 1_000_000}


def main(arguments: list[str] | None = None) -> int:
    """Measure the sizes and generators in the options, and write the page."""
    options = _options(arguments)
    results = _earlier(options.results)
    results["machine"] = machine()
    with tempfile.TemporaryDirectory(prefix="feedtool-bench-", ignore_cleanup_errors=True) as temporary:
        place = Path(options.work or temporary).resolve()
        place.mkdir(parents=True, exist_ok=True)
        workshop = Workshop(place)
        for count in options.sizes:
            name = f"{count}{'-small' if options.small else ''}"
            results["sizes"][name] = _measure(workshop, count, options)
            _save(options.results, results)
        if options.startup:
            results["startup"] = startups(workshop, options.startup)
            _save(options.results, results)
    page = Path(options.report)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.with_name("benchmarks.svg").write_bytes(report.plots(results))
    notes = Path(__file__).with_name("notes.md").read_text("utf-8")
    page.write_text(report.page(results, notes), "utf-8")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure feedtool beside its peers.")
    parser.add_argument("--sizes", type=_counts, default=[1_000, 10_000], metavar="1k,10k,100k")
    parser.add_argument("--tools", type=_tools, default=list(MAKERS), metavar="NAME,NAME")
    parser.add_argument("--runs", type=int, default=0, help="rounds of feedtool (5; 3 from 100k on)")
    parser.add_argument("--peer-runs", type=int, default=0, help="rounds of the others (as many, within --budget)")
    parser.add_argument("--budget", type=float, default=300, help="seconds a peer may build in all, a size")
    parser.add_argument("--small", action="store_true", help="bodies of about 1 kB")
    parser.add_argument("--startup", type=int, default=15, help="runs of the start-up figures; 0 for none")
    parser.add_argument("--work", metavar="DIR", help="keep corpora, sites and installed peers here")
    parser.add_argument("--results", metavar="FILE", help="keep figures here; a later call adds its sizes to them")
    parser.add_argument("--report", metavar="FILE", default=str(ROOT / ".github" / "BENCHMARKS.md"))
    return parser.parse_args(arguments)


def _counts(text: str) -> list[int]:
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    return [int(word.rstrip("km")) * UNITS.get(word[-1], 1) for word in words]


def _tools(text: str) -> list[str]:
    by_name = {name.lower(): name for name in MAKERS}
    chosen = [by_name[word.strip().lower()] for word in text.split(",")]
    return [name for name in MAKERS if name in chosen or name == "feedtool"]


def _measure(workshop: Workshop, count: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of one size."""
    folder = workshop.place / f"corpus-{count}{'-small' if options.small else ''}"
    if not (folder / "feedtool.toml").exists():
        _report_progress(f"{folder.name}: generating")
        words = [str(Path(__file__).with_name("corpus.py")), str(folder), str(count), "--clean"]
        subprocess.run([sys.executable, *words, *(["--small"] if options.small else [])], check=True)
    runs = options.runs or (3 if count >= 100_000 else 5)
    plan = Plan(tools=options.tools, runs=runs, peer_runs=options.peer_runs or runs, budget=options.budget)
    baseline = baselines(folder / "articles", max(3, runs))
    entrants, absent = race(workshop, folder / "articles", plan, _report_progress)
    return {
        "articles": count,
        "bytes": sum(path.stat().st_size for path in (folder / "articles").rglob("*.md")),
        "floor": baseline,
        "tools": {name: {"version": one.site.version, "samples": one.samples} for name, one in entrants.items()},
        "absent": absent,
        "steps": _steps(workshop, entrants["feedtool"].site.folder) if "feedtool" in entrants else None,
    }


def _steps(workshop: Workshop, folder: Path) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).with_name("steps.py")), str(folder)]
    done = subprocess.run(command, env=dict(workshop.env), capture_output=True, check=True, cwd=folder)
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def _earlier(path: str | None) -> dict[str, Any]:
    if path and Path(path).exists():
        results: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
        return results
    return {"sizes": {}, "startup": {}}


def _save(path: str | None, results: dict[str, Any]) -> None:
    if path:
        Path(path).write_text(json.dumps(results, indent=1, ensure_ascii=False), "utf-8")


def _report_progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
