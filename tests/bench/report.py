"""Write the page of tables and the plot from the results, and compare them with the targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from tests.bench.plot import Line, Panel, svg

OURS = "feedtool"
ALONE = "feedtool -j 1"
WORDS = {
    "cold": "cold",
    "again": "nothing changed",
    "touched": "one article touched",
    "edited": "one body edited",
    "added": "one article added",
}
INTRODUCTION = """# Benchmarks

`python -m tests.bench` writes this page. Every size is one run in which the generators take turns; figures are medians, with the
ratio to feedtool in the same run. All generators read the same articles (`tests/bench/corpus.py`, without the quirks that other
generators refuse) and make the same feeds: one for the site and one for each of 40 categories, with the newest 50 articles, full
text, no HTML pages, no archives; RSS, Atom and JSON Feed (Pelican: RSS and Atom). Their settings are in `tests/bench/peers/`.
feedtool sanitizes what it publishes and writes durably (fsync); the others do neither. "Hexo with pages" is the site of `hexo init`
with its theme, a page for every article, lists of articles, and the same feeds: this is how its users run it, and how its target
was set.

- cold: no output and no index, files in the page cache; nothing changed: the same command again; one article touched: rewritten
  unchanged, with new times; one body edited: the body of an article in the feeds, so that their documents change; one article
  added: the same for a new article.
- wall and CPU are seconds; CPU includes all processes. Memory is the peak of the process tree, with shared pages counted once.
- written: bytes written to the disk, including an index or a cache; files: the number of created or changed files.
"""


def page(results: dict[str, Any], notes: str) -> str:
    """Return BENCHMARKS.md; `notes` is text that explains the figures."""
    parts = [INTRODUCTION, _bullets(results["machine"]), "![Time and memory against articles](benchmarks.svg)\n"]
    parts.append("## Targets\n\n" + _targets(results) + f"\n{notes}")
    for size in _ordered(results):
        parts.append(_size(size))
    if results.get("startup"):
        parts.append("## Start-up\n\n" + _startup(results["startup"]))
    return "\n".join(parts)


def plots(results: dict[str, Any]) -> bytes:
    """Return the plot: wall seconds and bytes of memory against the number of articles."""
    sizes = [size for size in _ordered(results) if not _is_small(size)] or _ordered(results)
    tools = list(dict.fromkeys(tool for size in sizes for tool in size["tools"]))
    return svg(
        [
            Panel(
                title="Time (dashed: nothing changed)", x="articles", y="seconds", lines=list(_lines(sizes, tools, 0))
            ),
            Panel(title="Peak memory, cold", x="articles", y="MB", lines=list(_lines(sizes, tools, 2))),
        ]
    )


def _lines(sizes: list[Any], tools: list[str], column: int) -> Iterator[Line]:
    for colour, tool in enumerate(tools):
        for scenario in ("cold", "again") if column == 0 else ("cold",):
            values = [(size["articles"], _of(size, tool, scenario, column)) for size in sizes]
            points = [(count, value / (1e6 if column == 2 else 1)) for count, value in values if value]
            if points and not (scenario == "again" and tool not in (OURS, "Hugo")):
                name = tool if scenario == "cold" else ""
                yield Line(name=name, points=points, colour=colour, dashed=scenario == "again")


def _ordered(results: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(results["sizes"].values(), key=lambda size: (_is_small(size), size["articles"]))


def _is_small(size: dict[str, Any]) -> bool:
    return bool(size["bytes"] / size["articles"] < 3_000)


def _of(size: dict[str, Any] | None, tool: str, scenario: str, column: int) -> float | None:
    """Return a median: column 0 wall, 1 CPU, 2 memory, 3 bytes written, 4 files written."""
    rows = (size or {}).get("tools", {}).get(tool, {}).get("samples", {}).get(scenario) or []
    return median(row[column] for row in rows) if rows else None


def _bullets(facts: dict[str, str]) -> str:
    return "".join(f"- {name}: {value}\n" for name, value in facts.items())


def _size(size: dict[str, Any]) -> str:
    count = size["articles"]
    kilobytes = size["bytes"] / count / 1_000
    versions = ", ".join(f"{name} {tool['version']}" for name, tool in size["tools"].items() if name != ALONE)
    text = f"## {count:,} articles of {kilobytes:.1f} kB\n\n{versions}.\n\n"
    rows = []
    for scenario, words in WORDS.items():
        base = _of(size, OURS, scenario, 0)
        for name in size["tools"]:
            wall = _of(size, name, scenario, 0)
            if wall is not None and base is not None:
                rows.append((words, name, *_cells(size, name, scenario), f"{wall / base:.1f}"))
                words = ""
    heads = (
        "build",
        "generator",
        "wall s",
        "(least - most)",
        "CPU s",
        "memory MB",
        "written MB",
        "files",
        "to feedtool",
    )
    text += _table(heads, rows)
    text += "".join(f"\n{name} did not take part: {why}.\n" for name, why in size["absent"].items())
    stat, read, parsed = (median(row[key] for row in size["floor"]) for key in ("stat", "heads", "parsed"))
    text += (
        f"\nThe minimum, in one process: listing and stat of every file {stat:.3f} s, reading every head (4 kB) {read:.3f} s, "
        f"reading and parsing it with py-yaml12 {parsed:.3f} s.\n"
    )
    return text + (_steps(size["steps"]) if size.get("steps") else "")


def _cells(size: dict[str, Any], tool: str, scenario: str) -> tuple[str, ...]:
    rows = size["tools"][tool]["samples"][scenario]
    walls = [row[0] for row in rows]
    wall, cpu, memory, written, files = (median(row[column] for row in rows) for column in range(5))
    spread = f"{min(walls):.2f} - {max(walls):.2f}, {len(walls)} run{'s' if len(walls) > 1 else ''}"
    return (f"{wall:.3f}", spread, f"{cpu:.2f}", f"{memory / 1e6:.0f}", f"{written / 1e6:.1f}", f"{files:.0f}")


def _steps(facts: dict[str, Any]) -> str:
    total = facts["seconds"]
    rows = [
        (
            name,
            f"{calls:,}",
            f"{seconds:.3f}",
            f"{100 * seconds / total:.1f}",
            f"{1e6 * seconds / facts['articles']:.1f}",
        )
        for name, seconds, calls in facts["steps"]
    ]
    lacking = "".join(f"\nMissing step: {name}.\n" for name in facts["missing"])
    head = (
        "\nA cold build in one process, each step without its inner steps (the measurement itself takes some time):\n\n"
    )
    return head + _table(("step", "calls", "s", "%", "us an article"), rows) + lacking


def _startup(startup_walls: dict[str, list[float]]) -> str:
    base = median(startup_walls["a bare click application, --help"])
    rows = [
        (name, f"{1e3 * median(walls):.0f}", f"{1e3 * min(walls):.0f}", f"{median(walls) / base:.2f}")
        for name, walls in startup_walls.items()
    ]
    return _table(("command", "median ms", "least ms", "to bare click"), rows)


def _targets(results: dict[str, Any]) -> str:
    sizes = {size["articles"]: size for size in _ordered(results) if not _is_small(size)}
    rows = []
    for words, target, measured, at_least in _figures(sizes):
        if measured is not None:
            reached = measured >= target if at_least else measured <= target
            sign = "at least" if at_least else "at most"
            rows.append((words, f"{sign} {target:g}", f"{measured:.2f}", "yes" if reached else "**no**"))
    return _table(("ratio", "target", "measured", "reached"), rows)


def _figures(sizes: dict[int, Any]) -> Iterator[tuple[str, float, float | None, bool]]:
    """Yield each target's label, the required ratio, the measured one (None if not measured), and True if more is better."""
    for count, cold, again, memory in ((10_000, 3.5, 20.0, 3.0), (100_000, 10.0, 50.0, 10.0)):
        size = sizes.get(count)
        yield f"{count:,}: Hugo's time to ours, cold", cold, _between(size, "Hugo", "cold", 0), True
        yield f"{count:,}: Hugo's time to ours, nothing changed", again, _between(size, "Hugo", "again", 0), True
        yield f"{count:,}: Hugo's memory to ours, cold", memory, _between(size, "Hugo", "cold", 2), True
        for scenario in ("touched", "edited"):
            more = _ratio(_of(size, OURS, scenario, 0), _of(size, OURS, "again", 0))
            yield f"{count:,}: {WORDS[scenario]} to nothing changed", 1.5, more, False
    for name, target in (("Pelican", 20.0), ("Hexo with pages", 250.0)):
        yield f"10,000: {name}'s time to ours, cold", target, _between(sizes.get(10_000), name, "cold", 0), True
    small, large = sizes.get(10_000), sizes.get(100_000)
    growth = _ratio(_of(large, OURS, "cold", 0), _of(small, OURS, "cold", 0))
    yield "time an article at 100,000 to 10,000, cold", 1.2, growth / 10 if growth else None, False
    if large is not None:
        stat, read, parsed = (median(row[key] for row in large["floor"]) for key in ("stat", "heads", "parsed"))
        yield "100,000: nothing changed to listing and stat", 4.0, _ratio(_of(large, OURS, "again", 0), stat), False
        cold = _of(large, ALONE, "cold", 0)
        yield "100,000: cold in one process to reading and parsing heads", 6.0, _ratio(cold, parsed), False
        yield "100,000: cold in one process to reading heads, their bytes alone", 6.0, _ratio(cold, read), False


def _between(size: dict[str, Any] | None, other: str, scenario: str, column: int) -> float | None:
    return _ratio(_of(size, other, scenario, column), _of(size, OURS, scenario, column))


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one and other else None


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
