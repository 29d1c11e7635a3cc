"""`feedtool check`: every problem of articles and settings, in words, JSON or GitHub's annotations."""

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
NOT_THE_BUILD = frozenset({"FT405", "FT407", "FT408"})
"""Codes of problems that are of what is published, or of the way there."""
PER_HOST = 8
"""Requests at once to the server of one's own site."""


@click.command()
@options.site
@click.option("--fix", is_flag=True, help="Mend what is safe to mend: ids, broken YAML, dates, placeholder thumbnails.")
@click.option("--strict", is_flag=True, help="Let warnings count as problems: exit with 1.")
@click.option("-j", "--jobs", type=click.IntRange(0), metavar="N", help="Processes to use; one a core by default.")
@click.option("--output-format", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option(
    "--against", metavar="PLACE", help="Compare the last build with what is published: an address, folder or file."
)
@click.option("--accept", is_flag=True, help="With --against: exit with 0 all the same.")
@click.option("-o", "--output", metavar="DIR", help="With --against: the folder that was built; as build's.")
@options.manners
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
    verbose: bool,
) -> int:
    """List every problem of articles and settings, without building.

    With --fix, ids are added, broken YAML is mended, dates are written as ISO 8601 and placeholder thumbnails are
    cleared; every other line of a file stays as it is. Exits with 1 when an error remains.

    With --against, articles are not looked at: the output folder as the last build left it is compared with what is
    published at an address, in a folder or in a file. Exits with 1 when publishing it would hurt subscribers: ids that
    change, so that entries come back as unread, entries that vanish, dates that move, feeds that are there no more; and when
    something published could not be compared. Only what is not there (404, 410, no feed in the folder) is taken for
    unpublished, and a host that does not exist where no earlier deployment is known.

    \b
    Examples:
      feedtool check --fix
      feedtool check --strict --output-format github
      feedtool check --against https://example.org/feeds/
    """
    form = "json" if as_json else output_format
    if against is not None:
        if fix:
            raise click.UsageError("--fix mends articles, --against only compares: give one of them")
        settings = options.settings_of(site, {"output": os.path.abspath(output) if output else None})
        compared = _compare(settings, against)
        bad = any(problem.severity == "error" or strict for problem in compared.problems)
        _tell(compared, settings.folder, form, failed=bad and not accept, accepted=bad and accept)
        for words in _verdict(compared, console.plain(against), failed=bad and not accept, accepted=bad and accept):
            if form == "text" and not quiet:
                console.say(words)
        return 1 if bad and not accept else 0
    if accept or output is not None:
        raise click.UsageError("--accept and --output are for --against")
    from feedtool.checking.lint import check
    from feedtool.workers import mapper

    settings = options.settings_of(site)
    with mapper(jobs) as engine:
        checked = check(settings, mapper=engine, fix=fix)
    failed = any(problem.severity == "error" or strict for problem in checked.problems)
    if form == "json":
        facts = [console.problem_facts(problem) for problem in checked.problems]
        fixed = [console.plain(path) for path in checked.fixed]
        console.print_json({"ok": not failed, "articles": checked.articles, "fixed": fixed, "problems": facts})
    elif form == "github":
        for problem in checked.problems:
            click.echo(console.annotation(problem, settings.folder))
    else:
        console.show(checked.problems, settings.folder)
        for path in checked.fixed if verbose else ():
            console.say(f"mended {console.plain(path)}")
        for note in checked.notes if verbose else ():
            console.say(console.plain(note))
        if not quiet:
            console.say(_summary_line(checked.articles, len(checked.problems), len(checked.fixed), fix=fix))
            if checked.without_id and not fix:
                console.say(
                    f"{checked.without_id:,} without an id of their own; `feedtool check --fix` writes them down"
                )
    return 1 if failed else 0


def _summary_line(articles: int, problems: int, fixed: int, *, fix: bool) -> str:
    counts = f"{articles:,} article{'' if articles == 1 else 's'}: "
    counts += f"{problems:,} problem{'' if problems == 1 else 's'}" if problems else "no problems"
    return f"{counts}; {fixed:,} file{'' if fixed == 1 else 's'} mended" if fix else counts


def _compare(settings: Settings, place: str) -> Compared:
    """Return how the output of the last build compares with what is published at `place`."""
    from feedtool.checking.diff import compare

    def fetching(requests: Iterable[Request]) -> Iterator[Response | Failure]:
        from feedtool.http import fetch  # a folder needs no HTTP
        from feedtool.ingesting.engines import limits_of

        return fetch(requests, replace(limits_of(settings), per_host=PER_HOST))

    try:
        return compare(settings, place, fetch=fetching)
    except ModuleNotFoundError as error:
        from feedtool.cli.ingest import missing

        raise missing(error) from None


def _tell(compared: Compared, folder: str, form: str, *, failed: bool, accepted: bool) -> None:
    """Print what a comparison found; what was accepted is no error any more."""
    problems = [replace(one, severity="warning") if accepted else one for one in compared.problems]
    if form == "json":
        counts = {name: getattr(compared, name) for name in COUNTS}
        facts = [console.problem_facts(problem) for problem in problems]
        verdict = {"ok": not failed, "accepted": accepted, "first": compared.first}
        console.print_json({**verdict, **counts, "output": console.plain(compared.output), "problems": facts})
    elif form == "github":
        for problem in problems:
            click.echo(console.annotation(problem, folder))
    else:
        console.show(problems, folder)
    console.summarize("check", [(name, f"{getattr(compared, name):,}") for name in COUNTS], problems, folder)


def _verdict(compared: Compared, place: str, *, failed: bool, accepted: bool) -> Iterator[str]:
    """Yield what a comparison comes to, in words."""
    if compared.first and not failed:
        if compared.problems:
            yield f"nothing is known to be published at {place}: its host does not exist yet"
        else:
            yield f"nothing is published at {place} yet: the first publication can hurt nobody"
        return
    yield (
        f"{compared.feeds:,} published feed{'' if compared.feeds == 1 else 's'}, {compared.missing:,} of them missing; "
        f"entries: {compared.new:,} new, {compared.back:,} back as unread, {compared.gone:,} gone, "
        f"{compared.moved:,} with another date, {compared.updated:,} updated"
    )
    if failed and all(one.code in NOT_THE_BUILD for one in compared.problems if one.severity == "error"):
        yield "not all that is published could be compared, so nobody knows whether the last build is fit to be published;"
        yield "that is no fault of the build: see to what is published, or give --accept"
    elif failed:
        yield "the last build is not fit to be published; mend it, build again, or give --accept"
    elif accepted:
        yield "accepted, as --accept says"
    else:
        yield "the last build is fit to be published: nothing that subscribers have comes back or is lost"
