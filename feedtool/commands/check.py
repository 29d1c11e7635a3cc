"""`feedtool check`: every problem of articles and settings, in words, JSON or GitHub's annotations."""

from __future__ import annotations

import click

from feedtool.commands import console, options


@click.command()
@options.site
@click.option("--fix", is_flag=True, help="Mend what is safe to mend: ids, broken YAML, dates, placeholder thumbnails.")
@click.option("--strict", is_flag=True, help="Let warnings count as problems: exit with 1.")
@click.option("-j", "--jobs", type=click.IntRange(0), metavar="N", help="Processes to use; one a core by default.")
@click.option("--output-format", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@options.manners
def command(
    site: str | None,
    fix: bool,
    strict: bool,
    jobs: int | None,
    output_format: str,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """List every problem of articles and settings, without building.

    With --fix, ids are added, broken YAML is mended, dates are written as ISO 8601 and placeholder thumbnails are
    cleared; every other line of a file stays as it is. Exits with 1 when an error remains.

    Example: feedtool check --fix
    """
    from feedtool.walks.check import check
    from feedtool.wiring import mapper

    settings = options.settings_of(site)
    with mapper(jobs) as engine:
        checked = check(settings, mapper=engine, fix=fix)
    form = "json" if as_json else output_format
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
            console.say(_words(checked.articles, len(checked.problems), len(checked.fixed), fix=fix))
            if checked.without_id and not fix:
                console.say(
                    f"{checked.without_id:,} without an id of their own; `feedtool check --fix` writes them down"
                )
    return 1 if failed else 0


def _words(articles: int, problems: int, fixed: int, *, fix: bool) -> str:
    counts = f"{articles:,} article{'' if articles == 1 else 's'}: "
    counts += f"{problems:,} problem{'' if problems == 1 else 's'}" if problems else "no problems"
    return f"{counts}; {fixed:,} file{'' if fixed == 1 else 's'} mended" if fix else counts
