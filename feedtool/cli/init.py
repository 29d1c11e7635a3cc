"""Run `feedtool init`: create a working site in a folder."""

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
@click.option("--url", metavar="URL", help="Address at which the feeds will be served.")
@click.option("--language", metavar="TAG", help='Language of the articles, such as "en" or "zh-CN".')
@click.option("--timezone", metavar="ZONE", help='Time zone of dates without one, such as "Asia/Shanghai".')
@click.option("--author", metavar="NAME", help="Author of articles that do not set one.")
@click.option("--no-workflow", is_flag=True, help="Do not write a workflow for GitHub Pages.")
@options.output_options
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
    verbose: int,
) -> int:
    """Create a site in DIR (default: the current folder): settings, an article, .gitignore, a workflow for GitHub Pages.

    In a site of Hexo, Hugo, Jekyll or Pelican, take the title, address, language, time zone, author, articles folder and
    permalinks from its settings. On a terminal, ask for the title and the address. Existing files are never overwritten.

    \b
    Examples:
      feedtool init my-site --title "My notes" --url https://example.org/feeds/
      feedtool init --title "My notes" --url https://example.org/feeds/ --language en
    """
    from feedtool.publish import utc_now
    from feedtool.scaffold import ScaffoldOptions, detect, scaffold

    path = os.path.abspath(os.path.expanduser(folder))
    detected = detect(path)
    if _is_interactive(path, quiet=quiet, as_json=as_json):
        title = title or click.prompt("Title of the site", default=detected.title or os.path.basename(path))
        url = url or _ask_for_url(detected)
    choices = ScaffoldOptions(
        title=_validated("--title", title, str.strip),
        url=_validated("--url", url, "site_url"),
        language=_validated("--language", language, "language"),
        timezone=_validated("--timezone", timezone, "zone"),
        author=(author or "").strip(),
        workflow=not no_workflow,
    )
    result = scaffold(path, detected, choices, clock=utc_now)
    if as_json:
        console.print_json({"ok": True, **_facts(result, detected)})
    elif not quiet:
        _print_result(result, detected, folder, verbose=verbose)
    return 0


def _is_interactive(path: str, *, quiet: bool, as_json: bool) -> bool:
    is_new = not os.path.lexists(os.path.join(path, "feedtool.toml"))
    return is_new and not quiet and not as_json and console.is_terminal(sys.stdin) and console.is_terminal(sys.stdout)


def _ask_for_url(detected: DetectedSite) -> str:
    answer: str = click.prompt(
        "Address of the feeds, if known (https://…)",
        default=detected.url,
        show_default=bool(detected.url),
        value_proc=lambda text: _validated("address", text, "site_url", click.BadParameter),
    )
    return answer


def _validated(
    name: str, text: str | None, check: str | Callable[[str], str], error_class: type[Exception] | None = None
) -> str:
    """Return a normalised value; raise an error for an invalid one, before anything is written."""
    from feedtool.config import validate

    text = (text or "").strip()
    try:
        reader: Callable[[str], str] = getattr(validate, check) if isinstance(check, str) else check
        return reader(text) if text else ""
    except validate.InvalidValueError as error:
        if error_class is not None:
            raise error_class(f"it {error.what}; {error.hint}") from None
        raise UsageError(error.what, where=name, hint=error.hint) from None


def _facts(result: ScaffoldResult, detected: DetectedSite) -> dict[str, object]:
    return {
        "site": result.settings.folder,
        "generator": detected.generator or None,
        "written": list(result.written),
        "kept": list(result.kept),
        "grown": list(result.grown),
        "notes": [console.plain(note) for note in result.notes],
    }


def _print_result(result: ScaffoldResult, detected: DetectedSite, folder: str, *, verbose: int) -> None:
    if detected.generator:
        console.echo(f"found a {detected.generator} site ({detected.file})")
    for files, verb in ((result.written, "wrote"), (result.grown, "added lines to"), (result.kept, "kept")):
        for file in files:
            console.echo(f"{verb} {console.plain(os.path.normpath(os.path.join(folder, file)))}")
    if verbose:
        site = result.settings.site
        for name, value in (("title", site.title), ("url", site.url), ("articles", result.settings.articles.path)):
            console.echo(f"{name}: {console.plain(value) or 'not set'}")
    for note in result.notes:
        console.echo(f"note: {console.plain(note)}")
    option = "" if os.path.abspath(folder) == os.getcwd() else f" -C {shlex.quote(folder)}"
    console.echo("")
    console.echo(f"preview the site: feedtool serve{option}")
    console.echo(f"build the feeds:  feedtool build{option}")
