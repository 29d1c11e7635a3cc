"""`feedtool new`: a title in, an article file with an id out, its path printed."""

from __future__ import annotations

import os

import click

from feedtool.cli import console, options


@click.command()
@click.argument("title")
@options.site
@click.option(
    "-c", "--category", "categories", multiple=True, metavar="NAME", help="A category; the first names the folder."
)
@click.option("--author", default="", metavar="NAME", help="Author, where it is not that of the site.")
@click.option("--date", default="", metavar="DATE", help="When it is or will be published; now by default.")
@click.option("--draft", is_flag=True, help="Keep it at home until the line is taken out.")
@click.option("-e", "--edit", is_flag=True, help="Open it in your editor ($VISUAL or $EDITOR).")
@options.manners
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
    verbose: bool,
) -> int:
    """Begin an article: a file with title, date and the id by which readers know it for good.

    Its path is printed. A file that is there is never overwritten: the new one gets a number.

    \b
    Examples:
      feedtool new "What I read this week" -c Notes -c Books
      feedtool new "A thought" --draft --edit
    """
    from feedtool.publish import utc_now
    from feedtool.scaffold import NewArticle, new_article

    settings = options.settings_of(site)
    wanted = NewArticle(title=title, categories=categories, author=author, date=date, draft=draft)
    path = new_article(settings, wanted, clock=utc_now)
    shown = os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path
    if as_json:
        console.print_json({"ok": True, "path": console.plain(path)})
    elif not quiet:
        console.say(console.plain(shown))
    if verbose and not as_json:
        with open(path, encoding="utf-8") as file:
            console.say("".join(console.plain(line) + "\n" for line in file.read().splitlines()), err=True)
    if edit:
        click.edit(filename=path)
    return 0
