"""Run `feedtool check`, and print the problems of articles and settings as text, JSON or annotations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from feedtool.cli import console, options

if TYPE_CHECKING:
    from feedtool.checking.diff import Compared
    from feedtool.config import Settings
    from feedtool.http import Failure, Request, Response

COUNTS = ("feeds", "missing", "entries", "new", "back", "gone", "moved", "updated", "unreadable")
PUBLISHED_SIDE = frozenset({"FT405", "FT407", "FT408"})
"""Codes of problems that are caused by the published site or the connection to it, not by the build."""
PER_HOST = 8
"""Maximum number of simultaneous requests to the server of the published site."""


@click.command()
@options.site
@click.option(
    "--fix", is_flag=True, help="Fix what can be fixed safely: missing ids, broken YAML, dates, placeholder thumbnails."
)
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings as well.")
@click.option("-j", "--jobs", type=click.IntRange(0), metavar="N", help="Number of processes; default: one per core.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="Format of the report; github prints annotations.",
)
@click.option(
    "--against",
    metavar="PLACE",
    help="Compare the last build with the published feeds at an address, in a folder or in a file.",
)
@click.option("--accept", is_flag=True, help="With --against: exit with 0 despite errors.")
@click.option("-o", "--output", metavar="DIR", help="With --against: output folder of the build.")
@options.output_options
def command(
    site: str | None,
    fix: bool,
    strict: bool,
    jobs: int | None,
    output_format: str,
    against: str | None,
    accept: bool,
    output: str | None,
    as_json: bool,
    quiet: bool,
    verbose: int,
) -> int:
    """List all problems of articles and settings, without building.

    With --fix, add missing ids, repair broken YAML, write dates in ISO 8601 and clear placeholder thumbnails; all other
    lines of a file stay unchanged. The exit code is 1 if errors remain.

    With --against, compare the output of the last build with the published feeds at an address, in a folder or in a file;
    do not check articles. The exit code is 1 if publishing the build would harm subscribers: because ids change (entries
    come back as unread), entries disappear, dates change or feeds disappear. It is also 1 if a published feed could not be
    compared. Only a feed that does not exist (404, 410, no feed in the folder) counts as unpublished, and so does a host that
    does not exist, unless the site is known to have been published before.

    \b
    Examples:
      feedtool check --fix
      feedtool check --strict --output-format github
      feedtool check --against https://example.org/feeds/
    """
    form = "json" if as_json else output_format
    if against is not None:
        if fix:
            raise click.UsageError("--fix and --against cannot be combined; use one of them")
        settings = options.site_settings(site, {"output": os.path.abspath(output) if output else None})
        compared = _compare(settings, against)
        bad = any(problem.severity == "error" or strict for problem in compared.problems)
        _print_comparison(compared, settings.folder, form, failed=bad and not accept, accepted=bad and accept)
        for line in _verdict(compared, console.plain(against), failed=bad and not accept, accepted=bad and accept):
            if form == "text" and not quiet:
                console.echo(line)
        return 1 if bad and not accept else 0
    if accept or output is not None:
        raise click.UsageError("--accept and --output can only be used with --against")
    from feedtool.checking.lint import check
    from feedtool.workers import mapper

    settings = options.site_settings(site)
    with mapper(jobs) as engine:
        checked = check(settings, mapper=engine, fix=fix)
    failed = any(problem.severity == "error" or strict for problem in checked.problems)
    if form == "json":
        facts = [console.problem_as_json(problem) for problem in checked.problems]
        fixed = [console.plain(path) for path in checked.fixed]
        console.print_json({"ok": not failed, "articles": checked.articles, "fixed": fixed, "problems": facts})
    elif form == "github":
        for problem in checked.problems:
            click.echo(console.annotation(problem, settings.folder))
    else:
        console.show_problems(checked.problems, settings.folder)
        for path in checked.fixed if verbose else ():
            console.echo(f"fixed {console.plain(path)}")
        for note in checked.notes if verbose else ():
            console.echo(console.plain(note))
        if not quiet:
            console.echo(_summary_line(checked.articles, len(checked.problems), len(checked.fixed), fix=fix))
            if checked.without_id and not fix:
                console.echo(f"{checked.without_id:,} without an id of their own; add ids with `feedtool check --fix`")
    return 1 if failed else 0


def _summary_line(articles: int, problems: int, fixed: int, *, fix: bool) -> str:
    counts = f"{articles:,} article{'' if articles == 1 else 's'}: "
    counts += f"{problems:,} problem{'' if problems == 1 else 's'}" if problems else "no problems"
    return f"{counts}; {fixed:,} file{'' if fixed == 1 else 's'} fixed" if fix else counts


def _compare(settings: Settings, place: str) -> Compared:
    """Compare the output of the last build with the published feeds at `place`."""
    from feedtool.checking.diff import compare

    def fetching(requests: Iterable[Request]) -> Iterator[Response | Failure]:
        from feedtool.http import fetch  # a folder needs no HTTP
        from feedtool.ingesting.engines import limits_of

        return fetch(requests, replace(limits_of(settings), per_host=PER_HOST))

    try:
        return compare(settings, place, fetch=fetching)
    except ModuleNotFoundError as error:
        from feedtool.cli.ingest import missing_library

        raise missing_library(error) from None


def _print_comparison(compared: Compared, folder: str, form: str, *, failed: bool, accepted: bool) -> None:
    """Print the result of a comparison; accepted errors are printed as warnings."""
    problems = [replace(one, severity="warning") if accepted else one for one in compared.problems]
    if form == "json":
        counts = {name: getattr(compared, name) for name in COUNTS}
        facts = [console.problem_as_json(problem) for problem in problems]
        verdict = {"ok": not failed, "accepted": accepted, "first": compared.first}
        console.print_json({**verdict, **counts, "output": console.plain(compared.output), "problems": facts})
    elif form == "github":
        for problem in problems:
            click.echo(console.annotation(problem, folder))
    else:
        console.show_problems(problems, folder)
    console.summarize("check", [(name, f"{getattr(compared, name):,}") for name in COUNTS], problems, folder)


def _verdict(compared: Compared, place: str, *, failed: bool, accepted: bool) -> Iterator[str]:
    """Yield the lines that summarize a comparison."""
    if compared.first and not failed:
        if compared.problems:
            yield f"nothing is known to be published at {place}: its host does not exist yet"
        else:
            yield f"nothing is published at {place} yet: the first publication cannot harm subscribers"
        return
    yield (
        f"{compared.feeds:,} published feed{'' if compared.feeds == 1 else 's'}, {compared.missing:,} of them missing; "
        f"entries: {compared.new:,} new, {compared.back:,} back as unread, {compared.gone:,} gone, "
        f"{compared.moved:,} with another date, {compared.updated:,} updated"
    )
    if failed and all(one.code in PUBLISHED_SIDE for one in compared.problems if one.severity == "error"):
        yield "some published feeds could not be compared, so it is unknown whether the last build is safe to publish;"
        yield "the build did not cause this: fix the published site or the connection to it, or use --accept"
    elif failed:
        yield "the last build is not safe to publish; fix the errors and build again, or use --accept"
    elif accepted:
        yield "the errors were accepted (--accept)"
    else:
        yield "the last build is safe to publish: no entry comes back as unread or is lost"
