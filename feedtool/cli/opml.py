"""`feedtool opml import FILE | export`: a reader's subscription list in, sources out, and back."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from feedtool.cli import console, options
from feedtool.errors import FeedtoolError, OutputError, UsageError, remedy


@click.group()
def command() -> None:
    """Take subscriptions over from a feed reader, or give them to one.

    \b
    Examples:
      feedtool opml import subscriptions.opml
      feedtool opml export > subscriptions.opml
    """


@command.command("import")
@click.argument("file")
@options.site
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be added, and add nothing.")
@options.manners
def import_(file: str, site: str | None, dry_run: bool, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Add the feeds of an OPML file (or of standard input, -) as sources; folders become categories.

    Sources that are there already, by their address, stay as they are.

    \b
    Examples:
      feedtool opml import subscriptions.opml
      feedtool opml import --dry-run - < subscriptions.opml
    """
    from feedtool.cli.settings_file import append_source
    from feedtool.config.edit import free_name
    from feedtool.config.validate import RefusedError
    from feedtool.config.validate import url as checked
    from feedtool.feedparse.opml import read_opml
    from feedtool.ingesting.secrets import escape_variables

    settings = options.settings_of(site)
    try:
        outlines = read_opml(_bytes(file))
    except FeedtoolError as error:
        raise UsageError(error.what, where=file, hint=error.hint) from None
    names = [one.name for one in settings.sources]
    known = {one.url for one in settings.sources}
    added, refused = [], []
    for outline in outlines:
        try:
            address = escape_variables(checked(outline.url))
        except RefusedError as error:
            refused.append(f"{outline.url}: {error.what}")
            continue
        if address not in known:
            known.add(address)
            names.append(free_name(outline.title, names))
            folders = {"categories": outline.folders} if outline.folders else {}
            added.append({"name": names[-1], "url": address, **folders})
    if added and not dry_run:
        append_source(settings, added)
    facts = {"added": len(added), "known": len(outlines) - len(added) - len(refused), "refused": refused}
    if as_json:
        console.print_json({"ok": not refused, **facts})
    else:
        for text in refused:
            console.say(f"left out {console.plain(text)[:300]}", err=True)
        for values in added if verbose or dry_run else ():
            console.say(f"{console.plain(str(values['name']))}: {console.plain(str(values['url']))}")
        if not quiet:
            console.say(
                f"{len(added):,} sources {'would be ' if dry_run else ''}added, {facts['known']:,} known already"
            )
    return 1 if refused else 0


@command.command("export")
@options.site
@click.option("-o", "--output", metavar="FILE", help="Where to write; standard output by default.")
def export(site: str | None, output: str | None) -> int:
    """Write the sources as an OPML file that feed readers take; categories become folders.

    \b
    Examples:
      feedtool opml export > subscriptions.opml
      feedtool opml export -o subscriptions.opml
    """
    from feedtool import storage
    from feedtool.ingesting.schedule import without_password

    settings = options.settings_of(site)
    # The list leaves the house: no password does.
    listed = [(one.name, without_password(one.url), one.categories) for one in settings.sources if "://" in one.url]
    data = _subscriptions(settings.site.title, listed)
    if output:
        try:
            storage.write(os.path.abspath(output), data)
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}", where=output, hint=remedy(error)
            ) from None
    else:
        click.echo(data, nl=False)
    return 0


_Path = tuple[str, ...]


def _subscriptions(title: str, sources: Sequence[tuple[str, str, tuple[str, ...]]]) -> bytes:
    """Return an OPML 2.0 subscription list in which the categories of a source are folders, one in the other."""
    from feedtool.feeds.xml_writer import Frame, element, line, markup
    from feedtool.html import legal_text

    folders: dict[_Path, list[str | _Path]] = {(): []}
    for name, url, categories in sources:
        path: _Path = ()
        for category in map(legal_text, categories):
            parent, path = folders[path], (*path, category)
            if path not in folders:
                parent.append(path)
                folders[path] = []
        text = legal_text(name)
        folders[path].append(line("outline", None, {"text": text, "title": text, "type": "rss", "xmlUrl": url}))

    def folder(path: _Path) -> str:
        inner = "\n" + "".join([held if isinstance(held, str) else folder(held) for held in folders[path]])
        return element("outline", inner, {"text": path[-1], "title": path[-1]}) + "\n" if path else inner

    head = element("head", element("title", markup(title))) + "\n"
    return b"".join(Frame("opml", {}, version="2.0").document(head + element("body", folder(())) + "\n"))


def _bytes(file: str) -> bytes:
    from feedtool import storage

    try:
        return sys.stdin.buffer.read() if file == "-" else storage.read_named_file(file)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=file) from None
