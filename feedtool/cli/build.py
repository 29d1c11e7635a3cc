"""`feedtool build`: options in, a build run, its report in words, JSON or annotations."""

from __future__ import annotations

import click

from feedtool.cli import console, options
from feedtool.config import Settings
from feedtool.models import Report


@click.command()
@options.site
@click.option("-o", "--output", metavar="DIR", help="Where to write; `public` in the site's folder by default.")
@click.option("--base-url", metavar="URL", help="The address the output will be served at; [site] url by default.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Newest entries in each feed.")
@click.option("--drafts", is_flag=True, help="Publish drafts too.")
@click.option("--future", is_flag=True, help="Publish articles dated in the future too.")
@click.option("--strict", is_flag=True, help="Let warnings count as problems: exit with 1.")
@click.option("-j", "--jobs", type=click.IntRange(0), metavar="N", help="Processes to use; one a core by default.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@options.manners
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
    verbose: bool,
) -> int:
    """Turn the articles into feeds: the site's own and a set for every category.

    Only files whose bytes change are written. Exits with 0 when all went well, 1 when articles had to be left out
    (the rest is published), 2 when the build could not start.

    \b
    Examples:
      feedtool build
      feedtool build -C feeds --base-url https://example.org/feeds/
    """
    import os

    # -o is as seen from here; [output] in the settings, from the site's folder.
    place = os.path.abspath(output) if output else None
    settings = options.settings_of(site, {"output": place, "base_url": base_url, "feeds.limit": limit})
    report = _run(settings, drafts=drafts, future=future, dry_run=dry_run, jobs=jobs, show=not quiet and not as_json)
    console.show(report.problems, settings.folder)
    failed = any(problem.severity == "error" or strict for problem in report.problems)
    if as_json:
        console.print_json({"ok": not failed, **facts(report)})
    elif not quiet:
        _say(report, settings, dry_run=dry_run, verbose=verbose)
    console.summarize("build", _rows(report), report.problems, settings.folder)
    return 1 if failed else 0


def _run(settings: Settings, *, drafts: bool, future: bool, dry_run: bool, jobs: int | None, show: bool) -> Report:
    from feedtool.publish import Choices, build, utc_now
    from feedtool.workers import mapper

    progress = console.Progress(wanted=show)
    choices = Choices(drafts=drafts, future=future, dry_run=dry_run, progress=progress)
    try:
        with mapper(jobs) as engine:
            return build(settings, mapper=engine, clock=utc_now, choices=choices)
    finally:
        progress.clear()


def facts(report: Report) -> dict[str, object]:
    """Return a report as the JSON output has it."""
    return {
        "articles": report.articles,
        "feeds": report.feeds,
        "written": report.written,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "problems": [console.problem_facts(problem) for problem in report.problems],
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


def _say(report: Report, settings: Settings, *, dry_run: bool, verbose: bool) -> None:
    would = "would be " if dry_run else ""
    for note in report.notes:
        console.say(f"note: {console.plain(note)}", err=True)
    for detail in report.details if verbose else ():
        console.say(f"note: {console.plain(detail)}", err=True)
    if not settings.base_url:
        hint = "set [site] url in feedtool.toml, or give --base-url"
        console.say(f"note: no address is set, so links lead to http://localhost/; {hint}", err=True)
    articles = f"{report.articles:,} article{'' if report.articles == 1 else 's'}"
    console.say(
        f"{articles} in {report.feeds:,} feeds: {report.written:,} files {would}written, "
        f"{report.unchanged:,} unchanged, {report.removed:,} {would}removed ({report.seconds:.2f} s)"
    )
    warnings = len(report.problems) - report.errors
    if report.problems:
        counts = [(report.errors, "error"), (warnings, "warning")]
        console.say(", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts if count))
    if verbose:
        import os

        console.say(f"written to {console.plain(os.path.join(settings.folder, settings.output))}")
