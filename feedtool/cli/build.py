"""Run `feedtool build`, and print its report as text, JSON or annotations."""

from __future__ import annotations

import click

from feedtool.cli import console, options
from feedtool.config import Settings
from feedtool.models import Report


@click.command()
@options.site
@click.option("-o", "--output", metavar="DIR", help="Output folder; default: `public` in the site folder.")
@click.option("--base-url", metavar="URL", help="Address at which the output is served; default: [site] url.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Keep at most the newest N entries in each feed.")
@click.option("--drafts", is_flag=True, help="Also publish drafts.")
@click.option("--future", is_flag=True, help="Also publish articles dated in the future.")
@click.option("--strict", is_flag=True, help="Also exit with 1 if there are warnings.")
@click.option("-j", "--jobs", type=click.IntRange(0), metavar="N", help="Number of processes; default: one per core.")
@click.option("-n", "--dry-run", is_flag=True, help="Report what would be written, but write nothing.")
@options.output_options
def command(
    site: str | None,
    output: str | None,
    base_url: str | None,
    limit: int | None,
    drafts: bool,
    future: bool,
    strict: bool,
    jobs: int | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: int,
) -> int:
    """Turn the articles into feeds: one set for the site and one for every category.

    Only files whose content changes are written. The exit code is 0 on success, 1 if there were errors (articles with
    errors are left out, the rest is published), and 2 if the build could not start.

    \b
    Examples:
      feedtool build
      feedtool build -C feeds --base-url https://example.org/feeds/
    """
    import os

    # -o is relative to the current folder; `output` in the settings is relative to the site folder.
    folder = os.path.abspath(output) if output else None
    settings = options.site_settings(site, {"output": folder, "base_url": base_url, "feeds.limit": limit})
    report = _run(
        settings, drafts=drafts, future=future, dry_run=dry_run, jobs=jobs, show=not (quiet or as_json or verbose)
    )
    console.show_problems(report.problems, settings.folder)
    failed = any(problem.severity == "error" or strict for problem in report.problems)
    if as_json:
        console.print_json({"ok": not failed, **report_as_json(report)})
    elif not quiet:
        _print_report(report, settings, dry_run=dry_run, verbose=verbose)
    console.summarize("build", _rows(report), report.problems, settings.folder)
    return 1 if failed else 0


def _run(settings: Settings, *, drafts: bool, future: bool, dry_run: bool, jobs: int | None, show: bool) -> Report:
    from feedtool.publish import Choices, build, utc_now
    from feedtool.workers import mapper

    progress = console.Progress(enabled=show)
    choices = Choices(drafts=drafts, future=future, dry_run=dry_run, progress=progress)
    try:
        with mapper(jobs) as engine:
            return build(settings, mapper=engine, clock=utc_now, choices=choices)
    finally:
        progress.clear()


def report_as_json(report: Report) -> dict[str, object]:
    """Return a report as an object of the JSON output."""
    return {
        "articles": report.articles,
        "feeds": report.feeds,
        "written": report.written,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "problems": [console.problem_as_json(problem) for problem in report.problems],
        "seconds": round(report.seconds, 3),
    }


def _rows(report: Report) -> list[tuple[str, str]]:
    return [
        ("articles", f"{report.articles:,}"),
        ("feeds", f"{report.feeds:,}"),
        ("files written", f"{report.written:,}"),
        ("files unchanged", f"{report.unchanged:,}"),
        ("files removed", f"{report.removed:,}"),
        ("problems", f"{len(report.problems):,}"),
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _print_report(report: Report, settings: Settings, *, dry_run: bool, verbose: int) -> None:
    would = "would be " if dry_run else ""
    for note in report.notes:
        console.echo(f"note: {console.plain(note)}", err=True)
    for detail in report.details if verbose else ():
        console.echo(f"note: {console.plain(detail)}", err=True)
    if not settings.base_url:
        hint = "set [site] url in feedtool.toml, or use --base-url"
        console.echo(f"note: the site has no address, so links lead to http://localhost/; {hint}", err=True)
    articles, feeds = _count(report.articles, "article"), _count(report.feeds, "feed")
    console.echo(
        f"{articles} in {feeds}: {_count(report.written, 'file')} {would}written, "
        f"{report.unchanged:,} unchanged, {report.removed:,} {would}removed ({report.seconds:.2f} s)"
    )
    warnings = len(report.problems) - report.errors
    if report.problems:
        counts = [(report.errors, "error"), (warnings, "warning")]
        console.echo(", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts if count))
    if verbose:
        import os

        console.echo(f"written to {console.plain(os.path.join(settings.folder, settings.output))}")
