"""Run `feedtool opml import` and `feedtool opml export`: exchange subscription lists with feed readers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from feedtool.cli import console, options
from feedtool.errors import FeedtoolError, OutputError, UsageError, remedy


@click.group()
def command() -> None:
    """Import subscriptions from a feed reader, or export them.

    \b
    Examples:
      feedtool opml import subscriptions.opml
      feedtool opml export > subscriptions.opml
    """


@command.command("import")
@click.argument("file")
@options.site
@click.option("-n", "--dry-run", is_flag=True, help="Report what would be added, but add nothing.")
@options.output_options
def import_(file: str, site: str | None, dry_run: bool, as_json: bool, quiet: bool, verbose: int) -> int:
    """Add the feeds of an OPML file as sources; its folders become categories. FILE may be - for standard input.

    A feed whose address is already that of a source is skipped.

    \b
    Examples:
      feedtool opml import subscriptions.opml
      feedtool opml import --dry-run - < subscriptions.opml
    """
    from feedtool.cli.settings_file import append_sources
    from feedtool.config.edit import free_name
    from feedtool.config.validate import InvalidValueError
    from feedtool.config.validate import url as validated
    from feedtool.feedparse.opml import read_opml
    from feedtool.ingesting.secrets import escape_variables

    settings = options.site_settings(site)
    try:
        outlines = read_opml(_bytes(file))
    except FeedtoolError as error:
        raise UsageError(error.what, where=file, hint=error.hint) from None
    names = [one.name for one in settings.sources]
    addresses = {one.url for one in settings.sources}
    added, refused = [], []
    for outline in outlines:
        try:
            address = escape_variables(validated(outline.url))
        except InvalidValueError as error:
            refused.append(f"{outline.url}: {error.what}")
            continue
        if address not in addresses:
            addresses.add(address)
            names.append(free_name(outline.title, names))
            folders = {"categories": outline.folders} if outline.folders else {}
            added.append({"name": names[-1], "url": address, **folders})
    if added and not dry_run:
        append_sources(settings, added)
    facts = {"added": len(added), "known": len(outlines) - len(added) - len(refused), "refused": refused}
    if as_json:
        console.print_json({"ok": not refused, **facts})
    else:
        for text in refused:
            console.echo(f"skipped {console.plain(text)[:300]}", err=True)
        for values in added if verbose or dry_run else ():
            console.echo(f"{console.plain(str(values['name']))}: {console.plain(str(values['url']))}")
        if not quiet:
            console.echo(
                f"{len(added):,} sources {'would be ' if dry_run else ''}added, {facts['known']:,} already present"
            )
    return 1 if refused else 0


@command.command("export")
@options.site
@click.option("-o", "--output", metavar="FILE", help="File to write; default: standard output.")
def export(site: str | None, output: str | None) -> int:
    """Write the sources as an OPML file for feed readers; categories become folders.

    \b
    Examples:
      feedtool opml export > subscriptions.opml
      feedtool opml export -o subscriptions.opml
    """
    from feedtool import storage
    from feedtool.ingesting.schedule import without_password

    settings = options.site_settings(site)
    # The list is for other programs, so it must not contain passwords.
    sources = [(one.name, without_password(one.url), one.categories) for one in settings.sources if "://" in one.url]
    data = _subscriptions(settings.site.title, sources)
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
    """Return an OPML 2.0 subscription list, in which the categories of a source are nested folders."""
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
        inner = "\n" + "".join([item if isinstance(item, str) else folder(item) for item in folders[path]])
        return element("outline", inner, {"text": path[-1], "title": path[-1]}) + "\n" if path else inner

    head = element("head", element("title", markup(title))) + "\n"
    return b"".join(Frame("opml", {}, version="2.0").document(head + element("body", folder(())) + "\n"))


def _bytes(file: str) -> bytes:
    from feedtool import storage

    try:
        return sys.stdin.buffer.read() if file == "-" else storage.read_named_file(file)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=file) from None
