"""Write the page about a race of ingests: a table of the runs, and the targets of feedtool."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.bench.machine import machine
from tests.bench.measure import Sample

THREADS = 32
"""The number of concurrent requests of every program."""
COLD, AGAIN, FORCED = "cold", "unchanged", "unchanged (forced)"


@dataclass(slots=True)
class Row:
    """The runs of one program in one scenario, with the processor time of the server in each."""

    name: str
    sources: int
    scenario: str
    samples: list[Sample] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    entries: int = 0

    def middle(self, measure: str) -> float:
        """Return the median of a measure of Sample."""
        return float(statistics.median(getattr(sample, measure) for sample in self.samples))


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a Markdown table; ratios are to feedtool in the same scenario."""
    lines = [
        "| program | sources | run | wall s | CPU s | peak MB | server CPU s | entries | wall / feedtool | CPU / feedtool |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        ours = _row(rows, "feedtool", row.sources, row.scenario)
        cells = (
            row.name,
            f"{row.sources:,}",
            row.scenario,
            f"{row.middle('wall'):.2f}",
            f"{row.middle('cpu'):.2f}",
            f"{row.middle('memory') / 1e6:.0f}",
            f"{statistics.median(row.served):.2f}",
            f"{row.entries:,}",
            *(f"{row.middle(measure) / ours.middle(measure):.2f}" if ours else "" for measure in ("wall", "cpu")),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


PAGE = """# The cost of ingesting

`python -m tests.bench.ingest_race --report .github/INGESTING.md` writes this page. feedtool,
[reader](https://github.com/lemon24/reader) and [newsboat](https://newsboat.org/) fetch the same generated feeds of {entries}
entries, {threads} at a time, from a server in its own process on 127.0.0.1, one program after the other in one run. **cold**: every
entry is new; **unchanged**: all feeds are fetched again, and the server answers 304 to a request with its ETag (newsboat
sends none and reads everything again); **unchanged (forced)**: `feedtool ingest --force`, which reads every feed again.

The three do different work: feedtool cleans and sanitizes every body, finds text that repeats in a source, and writes an article
file for each entry, durably (fsync); reader and newsboat store the parsed entries in one SQLite database.

CPU and peak memory include all processes of a program (shared pages counted once).

{machine}

The load average before the runs was {load}, on two cores. Above 2, wall seconds mean little, and CPU seconds are higher than on an
idle machine; compare figures of the same run.

{table}

| target | measured | reached |
| --- | --- | --- |
{targets}
"""


def page(rows: Sequence[Row], entries: int, loads: Sequence[float]) -> str:
    """Return the page of a race."""
    facts = "\n".join(f"- {name}: {value}" for name, value in machine().items())
    load = f"{min(loads):.1f} to {max(loads):.1f}" if loads else "unknown"
    target_rows = "\n".join(
        f"| {target} | {measured} | {'yes' if reached else '**no**'} |" for target, measured, reached in targets(rows)
    )
    return PAGE.format(
        entries=entries, threads=THREADS, machine=facts, load=load, table="\n".join(table(rows)), targets=target_rows
    )


def targets(rows: Sequence[Row]) -> Iterator[tuple[str, str, bool]]:
    """Yield each target of feedtool, the measured value, and True if it is reached."""
    most = max((row.sources for row in rows if row.name == "feedtool"), default=0)
    few = min((row.sources for row in rows if row.name == "feedtool"), default=0)
    for measure, name in (("wall", "time"), ("cpu", "CPU")):
        cold, again = _row(rows, "feedtool", most, COLD), _row(rows, "feedtool", most, AGAIN)
        if cold and again:
            share = again.middle(measure) / cold.middle(measure)
            yield f"unchanged to cold, {name}: at most 0.1", f"{share:.3f}", share <= 0.1
    small, large = _row(rows, "feedtool", few, COLD), _row(rows, "feedtool", most, COLD)
    if small and large and few < most:
        growth = large.middle("memory") / small.middle("memory")
        yield f"peak memory, {most:,} sources to {few:,}: at most 1.25", f"{growth:.2f}", growth <= 1.25
    for row in rows:
        ours = _row(rows, "feedtool", row.sources, row.scenario)
        if row.name != "feedtool" and ours is not None:
            for measure, name in (("wall", "time"), ("cpu", "CPU")):
                ratio = row.middle(measure) / ours.middle(measure)
                yield f"{row.scenario}: {row.name}'s {name} to ours: at least 1", f"{ratio:.2f}", ratio >= 1


def _row(rows: Sequence[Row], name: str, sources: int, scenario: str) -> Row | None:
    matches = (row for row in rows if (row.name, row.sources, row.scenario) == (name, sources, scenario))
    return next(matches, None)
