"""Run `feedtool new`: create an article file with an id, and print its path."""

from __future__ import annotations

import os

import click

from feedtool.cli import console, options


@click.command()
@click.argument("title")
@options.site
@click.option(
    "-c",
    "--category",
    "categories",
    multiple=True,
    metavar="NAME",
    help="Category; may be repeated. The first one names the folder.",
)
@click.option("--author", default="", metavar="NAME", help="Author; default: the author of the site.")
@click.option("--date", default="", metavar="DATE", help="Date of publication; default: now.")
@click.option("--draft", is_flag=True, help="Mark it as a draft: it is not published until you remove `draft: true`.")
@click.option("-e", "--edit", is_flag=True, help="Open the file in your editor ($VISUAL or $EDITOR).")
@options.output_options
def command(
    title: str,
    site: str | None,
    categories: tuple[str, ...],
    author: str,
    date: str,
    draft: bool,
    edit: bool,
    as_json: bool,
    quiet: bool,
    verbose: int,
) -> int:
    """Create an article file with a title, a date and the permanent id by which feed readers recognise it.

    Print the path of the file. An existing file is never overwritten; the new file gets a number.

    \b
    Examples:
      feedtool new "What I read this week" -c Notes -c Books
      feedtool new "A thought" --draft --edit
    """
    from feedtool.publish import utc_now
    from feedtool.scaffold import NewArticle, new_article

    settings = options.site_settings(site)
    article = NewArticle(title=title, categories=categories, author=author, date=date, draft=draft)
    path = new_article(settings, article, clock=utc_now)
    relative = os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path
    if as_json:
        console.print_json({"ok": True, "path": console.plain(path)})
    elif not quiet:
        console.echo(console.plain(relative))
    if verbose and not as_json:
        with open(path, encoding="utf-8") as file:
            console.echo("".join(console.plain(line) + "\n" for line in file.read().splitlines()), err=True)
    if edit:
        click.edit(filename=path)
    return 0
