"""Run `feedtool ingest`, and print its report as a table, JSON or annotations."""

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
"""Seconds to wait for servers that have not answered before continuing with the feeds that were read."""
MANY_SOURCES = 2_000
"""With this many sources, some are certain to have something new."""
FULL_TEXT = ("trafilatura", "justext", "lxml_html_clean")
COLUMNS = ("new", "updated", "kept", "skipped", "unchanged", "failed", "bytes", "ms")


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@options.site
@click.option(
    "-c",
    "--category",
    "categories",
    multiple=True,
    metavar="NAME",
    help="Category for a feed read from a file or standard input; may be repeated.",
)
@click.option(
    "--name",
    default="",
    metavar="NAME",
    help="Name of the source for a feed read from a file; default: the feed's title.",
)
@click.option("-f", "--force", is_flag=True, help="Visit sources that are not due, and read unchanged feeds again.")
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Take only the newest N new articles from each source."
)
@click.option("--since", metavar="DATE", help="Take no new articles older than DATE.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(0),
    metavar="N",
    help="Number of processes that read feeds; default: one per core.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Report what would be written, but write nothing.")
@options.output_options
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
    verbose: int,
) -> int:
    """Turn feeds into article files, and update these files when entries change.

    Visit every source of feedtool.toml that is due, or only those named by SOURCE (a name or an address); a named source
    that is not due needs --force. SOURCE may also be a feed in a file, or - for a feed on standard input. The exit code
    is 0 on success, 1 if a source failed (the other sources are still processed), and 2 if the run could not start.

    \b
    Examples:
      feedtool ingest
      feedtool ingest "A friend" --force
      feedtool ingest --limit 20 --dry-run
    """
    import sys

    from feedtool.ingesting import Choices, select_sources

    settings = options.site_settings(site)
    requested = select_sources(settings, sources, categories=categories, name=name, stdin=sys.stdin.buffer.read)
    progress = console.Progress(enabled=not (quiet or as_json or verbose))
    choices = Choices(
        force=force,
        dry_run=dry_run,
        limit=limit,
        since=_parse_since(since, settings) if since else None,
        progress=lambda source, done, total: progress(f"{console.plain(source)[:40]}:", done, total),
    )
    try:
        report = _run(settings, requested, jobs, choices)
    except ModuleNotFoundError as error:
        raise missing_library(error) from None
    finally:
        progress.clear()
    console.show_problems(report.problems, settings.folder)
    failed = bool(report.errors or report.total("failed"))
    if as_json:
        console.print_json({"ok": not failed, **report_as_json(report)})
    elif not quiet:
        _print_report(report, requested, f"{settings.articles.path.rstrip('/')}/", dry_run=dry_run, verbose=verbose)
    rows = [(column, f"{count:,}") for column, count in _totals(report).items()]
    console.summarize("ingest", rows, report.problems, settings.folder)
    return 1 if failed else 0


def _run(
    settings: Settings, requested: tuple[RequestedSource, ...], jobs: int | None, choices: Choices
) -> IngestReport:
    import os
    import time
    from datetime import UTC
    from importlib.util import find_spec

    from feedtool.ingesting import Tools, ingest
    from feedtool.ingesting.engines import feed_reader, limits_of, page_cleaner, page_extractor, prepare, prepare_pages
    from feedtool.workers import sandboxed

    if find_spec("feedparser") is None:
        # feedparser is imported when there is a feed to read; report that it is missing before doing anything.
        raise ModuleNotFoundError(name="feedparser")
    if any(one.source.full_text for one in requested):
        prepare_pages()

    ends = time.monotonic() + settings.ingest.deadline

    def clock() -> datetime:
        return datetime.now(UTC)

    def fetching(requests: Iterable[Request]) -> Iterator[Response | Failure | None]:
        from feedtool.http import poll  # a run without addresses needs no HTTP

        return poll(requests, limits_of(settings), patience=PATIENCE, now=clock, late=lambda: time.monotonic() > ends)

    tools = Tools(
        fetch=fetching,
        parse=feed_reader(sandboxed(jobs, prepare, early=len(requested) >= MANY_SOURCES)),
        environment=os.environ,
        extract=page_extractor(sandboxed(jobs, prepare_pages)),
        clean_pages=page_cleaner(sandboxed(1, prepare_pages)),
    )
    return ingest(settings, requested, tools=tools, clock=clock, choices=choices)


def missing_library(error: ModuleNotFoundError) -> UsageError:
    """Return the error for a library of an optional extra that is not installed."""
    name = (error.name or "a library").partition(".")[0]
    full = name in FULL_TEXT
    what = f"full_text needs {name}" if full else f"this needs {name}"
    extra = "fulltext" if full else "ingest"
    return UsageError(f"{what}, which is not installed", hint=f"pip install 'feedtool[{extra}]'")


def _parse_since(text: str, settings: Settings) -> datetime:
    from feedtool.dates.parse import load_zone, parse_date

    moment = parse_date(text, zone=load_zone(settings.site.timezone))
    if moment is None:
        raise UsageError(f'--since: cannot read "{text}" as a date', hint="for example 2022-12-25")
    return moment


def report_as_json(report: IngestReport) -> dict[str, object]:
    """Return a report as an object of the JSON output."""
    return {
        **_totals(report),
        "sources": [_tally_facts(tally) for tally in report.tallies],
        "problems": [console.problem_as_json(problem) for problem in report.problems],
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


def _print_report(
    report: IngestReport, requested: tuple[RequestedSource, ...], folder: str, *, dry_run: bool, verbose: int
) -> None:
    for note in report.notes:
        console.echo(f"note: {console.plain(note)}", err=True)
    for detail in report.details if verbose else ():
        console.echo(f"note: {console.plain(detail)}", err=True)
    if not requested:
        console.echo("there are no sources yet; add one with: feedtool add URL")
        return
    shown = [one for one in report.tallies if verbose or one.new or one.updated or one.kept or one.failed]
    if shown:
        for line in table(("source", *COLUMNS), [_row(one) for one in (*shown, _sum(report))]):
            console.echo(line)
    if verbose:
        for one in report.tallies:
            for text in one.warnings:
                console.echo(f"warning: {console.plain(one.source)}: {console.plain(text)}", err=True)
    if verbose or dry_run:
        for one in shown:
            for path in one.files:
                console.echo(f"  {'would write' if dry_run else 'wrote'} {console.plain(folder + path)}")
    waiting, failed, late = (report.sources(outcome) for outcome in ("waiting", "failed", "late"))
    if late:
        console.echo(
            f"note: no time was left for {late:,} source{'' if late == 1 else 's'}; the next run visits "
            f"{'it' if late == 1 else 'them'} first; raise [ingest] deadline for longer runs",
            err=True,
        )
    visited = len(report.tallies) - waiting - late - report.sources("muted")
    new = report.total("new")
    would = "would be " if dry_run else ""
    console.echo(
        f"{visited:,} source{'' if visited == 1 else 's'} visited, {failed:,} failed, {waiting:,} not due: "
        f"{new:,} new article{'' if new == 1 else 's'} {would}written, {report.total('updated'):,} {would}updated "
        f"({report.seconds:.2f} s)"
    )
    if not visited and waiting:
        console.echo(_next_visit(report))


def _next_visit(report: IngestReport) -> str:
    from datetime import UTC

    from feedtool.cli.status import time_until

    soonest = min((one.next for one in report.tallies if one.outcome == "waiting" and one.next), default=None)
    when = f"the next visit is due {time_until(datetime.now(UTC), soonest)}; " if soonest else ""
    return f"{when}use feedtool ingest --force to visit now"


def _row(tally: Tally) -> tuple[str, ...]:
    return (console.plain(tally.source), *(f"{getattr(tally, column):,}" for column in COLUMNS))


def _sum(report: IngestReport) -> Tally:
    from feedtool.ingesting import Tally

    total = Tally(source="all")
    for column, count in _totals(report).items():
        setattr(total, column, count)
    return total


def _totals(report: IngestReport) -> dict[str, int]:
    # Sources are visited concurrently, so the sum of their `ms` would exceed the duration of the run.
    return {column: report.total(column) for column in COLUMNS} | {"ms": round(report.seconds * 1000)}


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table: the first column aligned left, the others right; wide characters take two columns."""
    texts = [header, *rows]
    widths = [max(console.columns(text[column]) for text in texts) for column in range(len(header))]
    lines = []
    for line in texts:
        cells = [line[0] + " " * (widths[0] - console.columns(line[0]))]
        cells += [
            " " * (width - console.columns(cell)) + cell for width, cell in zip(widths[1:], line[1:], strict=True)
        ]
        lines.append("  ".join(cells))
    return lines
