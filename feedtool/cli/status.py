"""Run `feedtool status`: print the health of every source, the worst first."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from feedtool.cli import console, options

if TYPE_CHECKING:
    from feedtool.config import SourceSettings
    from feedtool.ingesting.schedule import Health

SORT_ORDER = {"dead": 0, "failing": 1, "stale": 2, "new": 3, "good": 4, "off": 5}


@click.command()
@options.site
@options.output_options
def command(site: str | None, as_json: bool, quiet: bool, verbose: int) -> int:
    """Show the health of every source: last success and error, next visit, and number of new articles per week.

    Dead and failing sources come first, then those without new articles for a month. The exit code is 1 if a source is dead
    or failing.

    \b
    Examples:
      feedtool status
      feedtool status --json
    """
    from feedtool.ingesting.memory import Memory
    from feedtool.ingesting.schedule import condition

    settings = options.site_settings(site)
    memory = Memory(settings.folder)
    now = datetime.now(UTC)
    sources = []
    for source in settings.sources:
        health = memory.health(source.name, source.url if "://" in source.url else "")
        if "://" not in source.url and (error := _unreadable(settings.folder, source.url)):
            health = replace(health, failures=1, error=error)
        sources.append((condition(health, now, enabled=source.enabled), source, health))
    sources.sort(key=lambda one: (SORT_ORDER[one[0]], one[1].name))
    bad = [one for one in sources if one[0] in ("dead", "failing")]
    if as_json:
        console.print_json({"ok": not bad, "sources": [_facts(*one, now) for one in sources]})
    elif not sources:
        console.echo("there are no sources yet; add one with: feedtool add URL")
    else:
        for one in bad if quiet else sources:
            _print_source(*one, now, verbose=verbose)
    return 1 if bad else 0


def _unreadable(folder: str, path: str) -> str:
    """Return the reason why the file of a source cannot be read, or "". Ingest does not record failures of files."""
    full = os.path.join(folder, path)
    if not os.path.exists(full):
        return f"there is no file {path}"
    return "" if os.path.isfile(full) and os.access(full, os.R_OK) else f"{path} is not a readable file"


def _facts(state: str, source: SourceSettings, health: Health, now: datetime) -> dict[str, object]:
    from feedtool.dates.parse import iso
    from feedtool.ingesting.schedule import counts_by_week, without_password

    moments = {"last_success": health.good, "last_failure": health.failed, "next_visit": health.next}
    return {
        "source": console.plain(source.name),
        "url": console.plain(without_password(source.url)),
        "condition": state,
        **{name: iso(moment) if moment else None for name, moment in moments.items()},
        "error": console.plain(health.error),
        "failures": health.failures,
        "moved_to": console.plain(health.moved) if health.moved else None,
        "new_per_week": list(counts_by_week(health, now)),
        "warnings": [console.plain(text) for text in health.warnings],
    }


def _print_source(state: str, source: SourceSettings, health: Health, now: datetime, *, verbose: int) -> None:
    from feedtool.ingesting.schedule import counts_by_week, sparkline, without_password

    counts = counts_by_week(health, now)
    colour = {"dead": "red", "failing": "red", "stale": "yellow", "good": "green"}.get(state)
    label = click.style(f"{state:8}", fg=colour, bold=state in ("dead", "failing"))
    facts = [f"{sum(counts):,} new in {len(counts)} weeks"]
    facts.append(f"last success {_ago(now, health.good)}" if health.good else "no success yet")
    if health.next and not health.muted and state != "off":
        facts.append(f"next visit {time_until(now, health.next)}")
    console.echo(f"{label} {sparkline(counts)}  {console.plain(source.name)}: {', '.join(facts)}")
    if health.error:
        times = f" ({health.failures} times in a row)" if health.failures > 1 else ""
        console.echo(f"         {console.plain(health.error)}{times}")
    for text in health.warnings:
        console.echo(f"         warning: {console.plain(text)}")
    if health.moved and health.sightings >= 3:
        console.echo(
            f"         moved permanently to {console.plain(health.moved)}; put this address into feedtool.toml"
        )
    if verbose:
        console.echo(f"         {console.plain(without_password(source.url))}")


def _ago(now: datetime, moment: datetime) -> str:
    return f"{_span((now - moment).total_seconds())} ago" if moment <= now else "just now"


def time_until(now: datetime, moment: datetime) -> str:
    """Return the time until a moment in words, such as "in 3 hours"."""
    return f"in {_span((moment - now).total_seconds())}" if moment > now else "at the next run"


def _span(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        count = int(seconds // size)
        if count:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "a moment"
