"""`feedtool ingest`: options in, a run over the sources, its report in a table, JSON or annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from feedtool.cli import console, options
from feedtool.errors import UsageError

if TYPE_CHECKING:
    from feedtool.config import Settings
    from feedtool.http import Failure, Request, Response
    from feedtool.ingesting import Choices, IngestReport, RequestedSource, Tally

PATIENCE = 0.2
"""Seconds that feeds which were read wait for servers that have not answered."""
MANY = 2_000
"""Sources of which some are sure to have something new."""
FULL_TEXT = ("trafilatura", "justext", "lxml_html_clean")
COLUMNS = ("new", "updated", "kept", "skipped", "unchanged", "failed", "bytes", "ms")


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@options.site
@click.option("-c", "--category", "categories", multiple=True, metavar="NAME", help="A category, for a file.")
@click.option(
    "--name", default="", metavar="NAME", help="The name of the source, for a file; its feed's title if not given."
)
@click.option("-f", "--force", is_flag=True, help="Visit sources that are not due, and read them again.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N new articles of each source, the newest.")
@click.option("--since", metavar="DATE", help="No new articles that are older.")
@click.option(
    "-j", "--jobs", type=click.IntRange(0), metavar="N", help="Processes that read feeds; one a core by default."
)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@options.manners
def command(
    sources: tuple[str, ...],
    site: str | None,
    categories: tuple[str, ...],
    name: str,
    force: bool,
    limit: int | None,
    since: str | None,
    jobs: int | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Turn feeds into article files, and keep those true.

    Visits the sources of feedtool.toml that are due: all, or those given by name or address. SOURCE may also be a
    feed in a file, or - for one that is piped in. Exits with 0 when all went well, 1 when a source failed (the
    others are done all the same), 2 when the run could not start.

    \b
    Examples:
      feedtool ingest
      feedtool ingest "A friend" --force
      feedtool ingest --limit 20 --dry-run
    """
    import sys

    from feedtool.ingesting import Choices, select_sources

    settings = options.settings_of(site)
    wanted = select_sources(settings, sources, categories=categories, name=name, stdin=sys.stdin.buffer.read)
    progress = console.Progress(wanted=not quiet and not as_json)
    choices = Choices(
        force=force,
        dry_run=dry_run,
        limit=limit,
        since=_moment(since, settings) if since else None,
        progress=lambda source, done, total: progress(f"{console.plain(source)[:40]}:", done, total),
    )
    try:
        report = _run(settings, wanted, jobs, choices)
    except ModuleNotFoundError as error:
        raise missing(error) from None
    finally:
        progress.clear()
    console.show(report.problems, settings.folder)
    failed = bool(report.errors or report.total("failed"))
    if as_json:
        console.print_json({"ok": not failed, **facts(report)})
    elif not quiet:
        _say(report, wanted, f"{settings.articles.path.rstrip('/')}/", dry_run=dry_run, verbose=verbose)
    rows = [(column, f"{count:,}") for column, count in _totals(report).items()]
    console.summarize("ingest", rows, report.problems, settings.folder)
    return 1 if failed else 0


def _run(settings: Settings, wanted: tuple[RequestedSource, ...], jobs: int | None, choices: Choices) -> IngestReport:
    import os
    import time
    from datetime import UTC
    from importlib.util import find_spec

    from feedtool.ingesting import Tools, ingest
    from feedtool.ingesting.engines import feed_reader, limits_of, page_cleaner, page_extractor, prepare, prepare_pages
    from feedtool.workers import sandboxed

    if find_spec("feedparser") is None:
        # Loaded when there is a feed to read, and missed before anything is done.
        raise ModuleNotFoundError(name="feedparser")
    if any(one.source.full_text for one in wanted):
        prepare_pages()

    ends = time.monotonic() + settings.ingest.deadline

    def clock() -> datetime:
        return datetime.now(UTC)

    def fetching(requests: Iterable[Request]) -> Iterator[Response | Failure | None]:
        from feedtool.http import poll  # a run without addresses needs no HTTP

        return poll(requests, limits_of(settings), patience=PATIENCE, now=clock, late=lambda: time.monotonic() > ends)

    tools = Tools(
        fetch=fetching,
        parse=feed_reader(sandboxed(jobs, prepare, early=len(wanted) >= MANY)),
        environment=os.environ,
        extract=page_extractor(sandboxed(jobs, prepare_pages)),
        clean_pages=page_cleaner(sandboxed(1, prepare_pages)),
    )
    return ingest(settings, wanted, tools=tools, clock=clock, choices=choices)


def missing(error: ModuleNotFoundError) -> UsageError:
    """Return what to say where a library of an extra is not installed."""
    name = (error.name or "a library").partition(".")[0]
    full = name in FULL_TEXT
    what = f"full_text needs {name}" if full else f"this needs {name}"
    extra = "fulltext" if full else "ingest"
    return UsageError(f"{what}, which is not installed", hint=f"pip install 'feedtool[{extra}]'")


def _moment(text: str, settings: Settings) -> datetime:
    from feedtool.dates.parse import load_zone, parse_date

    moment = parse_date(text, zone=load_zone(settings.site.timezone))
    if moment is None:
        raise UsageError(f'--since: cannot read "{text}" as a date', hint="write it such as 2022-12-25")
    return moment


def facts(report: IngestReport) -> dict[str, object]:
    """Return a report as the JSON output has it."""
    return {
        **_totals(report),
        "sources": [_tally_facts(tally) for tally in report.tallies],
        "problems": [console.problem_facts(problem) for problem in report.problems],
        "seconds": round(report.seconds, 3),
    }


def _tally_facts(tally: Tally) -> dict[str, object]:
    from feedtool.dates.parse import iso

    return {
        "source": console.plain(tally.source),
        "outcome": tally.outcome,
        **{column: getattr(tally, column) for column in COLUMNS},
        "message": console.plain(tally.message),
        "next": iso(tally.next) if tally.next else None,
        "files": [console.plain(path) for path in tally.files],
        "warnings": [console.plain(text) for text in tally.warnings],
    }


def _say(
    report: IngestReport, wanted: tuple[RequestedSource, ...], folder: str, *, dry_run: bool, verbose: bool
) -> None:
    for note in report.notes:
        console.say(f"note: {console.plain(note)}", err=True)
    for detail in report.details if verbose else ():
        console.say(f"note: {console.plain(detail)}", err=True)
    if not wanted:
        console.say("there are no sources yet; add one with: feedtool add URL")
        return
    shown = [one for one in report.tallies if verbose or one.new or one.updated or one.kept or one.failed]
    if shown:
        for line in table(("source", *COLUMNS), [_row(one) for one in (*shown, _sum(report))]):
            console.say(line)
    if verbose:
        for one in report.tallies:
            for text in one.warnings:
                console.say(f"warning: {console.plain(one.source)}: {console.plain(text)}", err=True)
    if verbose or dry_run:
        for one in shown:
            for path in one.files:
                console.say(f"  {'would write' if dry_run else 'wrote'} {console.plain(folder + path)}")
    waiting, failed, late = (report.sources(outcome) for outcome in ("waiting", "failed", "late"))
    if late:
        console.say(
            f"note: the run had no time left for {late:,} source{'' if late == 1 else 's'}, the first of the next one; "
            "deadline in [ingest] gives it more",
            err=True,
        )
    visited = len(report.tallies) - waiting - late - report.sources("muted")
    new = report.total("new")
    would = "would be " if dry_run else ""
    console.say(
        f"{visited:,} source{'' if visited == 1 else 's'} visited, {failed:,} failed, {waiting:,} not due: "
        f"{new:,} new article{'' if new == 1 else 's'} {would}written, {report.total('updated'):,} {would}updated "
        f"({report.seconds:.2f} s)"
    )
    if not visited and waiting:
        console.say(_next_visit(report))


def _next_visit(report: IngestReport) -> str:
    from datetime import UTC

    from feedtool.cli.status import ahead

    soonest = min((one.next for one in report.tallies if one.outcome == "waiting" and one.next), default=None)
    when = f"the next visit is due {ahead(datetime.now(UTC), soonest)}; " if soonest else ""
    return f"{when}feedtool ingest --force visits at once"


def _row(tally: Tally) -> tuple[str, ...]:
    return (console.plain(tally.source), *(f"{getattr(tally, column):,}" for column in COLUMNS))


def _sum(report: IngestReport) -> Tally:
    from feedtool.ingesting import Tally

    total = Tally(source="all")
    for column, count in _totals(report).items():
        setattr(total, column, count)
    return total


def _totals(report: IngestReport) -> dict[str, int]:
    # Sources are visited at the same time: the sum of their `ms` would be more than anybody waited.
    return {column: report.total(column) for column in COLUMNS} | {"ms": round(report.seconds * 1000)}


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Return lines of columns, the first to the left, the others to the right; wide characters count twice."""
    lines = [header, *rows]
    widths = [max(console.columns(line[place]) for line in lines) for place in range(len(header))]
    made = []
    for line in lines:
        cells = [line[0] + " " * (widths[0] - console.columns(line[0]))]
        cells += [
            " " * (width - console.columns(cell)) + cell for width, cell in zip(widths[1:], line[1:], strict=True)
        ]
        made.append("  ".join(cells))
    return made
