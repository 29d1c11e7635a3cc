"""`feedtool init`: a folder and some answers in, a working site out."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from feedtool.cli import console, options
from feedtool.errors import UsageError

if TYPE_CHECKING:
    from feedtool.scaffold import DetectedSite, ScaffoldResult


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
@click.option("--title", metavar="TEXT", help="Title of the site.")
@click.option("--url", metavar="URL", help="Address that the feeds will be served at.")
@click.option("--language", metavar="TAG", help='Language of the articles, such as "en" or "zh-CN".')
@click.option("--timezone", metavar="ZONE", help='Zone of dates written without one, such as "Asia/Shanghai".')
@click.option("--author", metavar="NAME", help="Author of articles that name none.")
@click.option("--no-workflow", is_flag=True, help="Write no workflow for GitHub Pages.")
@options.manners
def command(
    folder: str,
    title: str | None,
    url: str | None,
    language: str | None,
    timezone: str | None,
    author: str | None,
    no_workflow: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Make a folder (this one by default) a site: settings, an article, .gitignore, a workflow for GitHub Pages.

    Where Hexo, Hugo, Jekyll or Pelican is at work, its settings say title, address, language, time zone, author, where the
    articles are and where it shows them. On a terminal, title and address are asked for. What is there is never overwritten.

    \b
    Examples:
      feedtool init my-site --title "My notes" --url https://example.org/feeds/
      feedtool init --title "My notes" --url https://example.org/feeds/ --language en
    """
    from feedtool.publish import utc_now
    from feedtool.scaffold import ScaffoldOptions, detect, scaffold

    place = os.path.abspath(os.path.expanduser(folder))
    found = detect(place)
    if _is_asking(place, quiet=quiet, as_json=as_json):
        title = title or click.prompt("Title of the site", default=found.title or os.path.basename(place))
        url = url or _asked_url(found)
    wishes = ScaffoldOptions(
        title=_checked("--title", title, str.strip),
        url=_checked("--url", url, "site_url"),
        language=_checked("--language", language, "language"),
        timezone=_checked("--timezone", timezone, "zone"),
        author=(author or "").strip(),
        workflow=not no_workflow,
    )
    made = scaffold(place, found, wishes, clock=utc_now)
    if as_json:
        console.print_json({"ok": True, **_facts(made, found)})
    elif not quiet:
        _say(made, found, folder, verbose=verbose)
    return 0


def _is_asking(place: str, *, quiet: bool, as_json: bool) -> bool:
    is_new = not os.path.lexists(os.path.join(place, "feedtool.toml"))
    return is_new and not quiet and not as_json and console.is_terminal(sys.stdin) and console.is_terminal(sys.stdout)


def _asked_url(found: DetectedSite) -> str:
    answer: str = click.prompt(
        "Address of the feeds, if known (https://…)",
        default=found.url,
        show_default=bool(found.url),
        value_proc=lambda text: _checked("address", text, "site_url", click.BadParameter),
    )
    return answer


def _checked(
    name: str, text: str | None, check: str | Callable[[str], str], kind: type[Exception] | None = None
) -> str:
    """Return a value as settings would have it; what can't be used is told before anything is written."""
    from feedtool.config import validate

    text = (text or "").strip()
    try:
        reader: Callable[[str], str] = getattr(validate, check) if isinstance(check, str) else check
        return reader(text) if text else ""
    except validate.RefusedError as error:
        if kind is not None:
            raise kind(f"it {error.what}; {error.hint}") from None
        raise UsageError(error.what, where=name, hint=error.hint) from None


def _facts(made: ScaffoldResult, found: DetectedSite) -> dict[str, object]:
    return {
        "site": made.settings.folder,
        "generator": found.generator or None,
        "written": list(made.written),
        "kept": list(made.kept),
        "grown": list(made.grown),
        "notes": [console.plain(note) for note in made.notes],
    }


def _say(made: ScaffoldResult, found: DetectedSite, folder: str, *, verbose: bool) -> None:
    if found.generator:
        console.say(f"found a {found.generator} site ({found.file})")
    for files, words in ((made.written, "wrote"), (made.grown, "added lines to"), (made.kept, "kept")):
        for file in files:
            console.say(f"{words} {console.plain(os.path.normpath(os.path.join(folder, file)))}")
    if verbose:
        site = made.settings.site
        for name, value in (("title", site.title), ("url", site.url), ("articles", made.settings.articles.path)):
            console.say(f"{name}: {console.plain(value) or 'not set'}")
    for note in made.notes:
        console.say(f"note: {console.plain(note)}")
    where = "" if os.path.abspath(folder) == os.getcwd() else f" -C {shlex.quote(folder)}"
    console.say("")
    console.say(f"look at it:     feedtool serve{where}")
    console.say(f"make the feeds: feedtool build{where}")
