"""Run `feedtool add`: find the feed at an address, and add it to feedtool.toml as a source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from feedtool.cli import console, options
from feedtool.errors import FeedtoolError, UsageError

if TYPE_CHECKING:
    from feedtool.config import Settings
    from feedtool.feedparse import RemoteFeed
    from feedtool.http import Response

MAX_ENTRIES_SHOWN = 5
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]")
MAX_CANDIDATES = 8
"""Maximum number of addresses from a page that are tried."""


class FoundFeed(NamedTuple):
    """A feed and its address."""

    url: str
    feed: RemoteFeed


@click.command()
@click.argument("url")
@options.site
@click.option(
    "-c",
    "--category",
    "categories",
    multiple=True,
    metavar="NAME",
    help="Category of every entry; may be repeated.",
)
@click.option("--name", metavar="NAME", help="Name of the source; default: the feed's title.")
@click.option("-n", "--dry-run", is_flag=True, help="Report what would be added, but add nothing.")
@options.output_options
def command(
    url: str,
    site: str | None,
    categories: tuple[str, ...],
    name: str | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: int,
) -> int:
    """Add a source. URL is the address of a feed, or of a page that links to one.

    The feed is fetched first, and its newest entries are shown. The rest of feedtool.toml, including comments, stays
    unchanged.

    \b
    Examples:
      feedtool add https://example.org/ -c News
      feedtool add https://example.org/feed.xml --name "A friend" --dry-run
    """
    from feedtool.cli.ingest import missing_library
    from feedtool.cli.settings_file import append_sources
    from feedtool.config.edit import free_name
    from feedtool.ingesting.schedule import without_password

    settings = options.site_settings(site)
    try:
        source = _find(url if _SCHEME.match(url) else f"https://{url}", settings)
    except ModuleNotFoundError as error:
        raise missing_library(error) from None
    existing = next((one for one in settings.sources if one.url == source.url), None)
    if existing is not None:
        raise UsageError(f'the source "{existing.name}" already has this address', where=without_password(source.url))
    title = " ".join(source.feed.title.split())[:100]
    name = name or free_name(title or source.url.split("/")[2], [one.name for one in settings.sources])
    values: dict[str, str | Sequence[str]] = {"name": name, "url": source.url}
    if categories:
        values["categories"] = categories
    if not dry_run:
        append_sources(settings, [values])
    if as_json:
        entries = [console.plain(one.title) for one in source.feed.entries[:MAX_ENTRIES_SHOWN]]
        facts = {"source": console.plain(name), "url": without_password(source.url), "title": console.plain(title)}
        warnings = [console.plain(text) for text in source.feed.notes]
        console.print_json(
            {"ok": True, **facts, "format": source.feed.format, "entries": entries, "warnings": warnings}
        )
    elif not quiet:
        _print_source(source, name, MAX_ENTRIES_SHOWN * 4 if verbose else MAX_ENTRIES_SHOWN, dry_run=dry_run)
    return 0


def _find(url: str, settings: Settings) -> FoundFeed:
    """Return the feed at an address, or the first feed that the page at this address leads to.

    Everything fetched is parsed in a sandboxed process.
    """
    from feedtool.ingesting.engines import feed_identifier, prepare
    from feedtool.ingesting.schedule import without_password
    from feedtool.workers import sandboxed

    examine = feed_identifier(sandboxed(1, prepare))
    answer = _get(url, settings)
    page = examine(answer)
    if page.feed is not None:
        return FoundFeed(_with_credentials(answer.permanent_url or url, url), page.feed)
    for candidate in page.offered[:MAX_CANDIDATES]:
        try:
            other = _get(_with_credentials(candidate, url), settings, home=url)
        except FeedtoolError:
            continue
        if (feed := examine(other).feed) is not None:
            return FoundFeed(_with_credentials(other.permanent_url or candidate, url), feed)
    what = f"this is not a feed, and no feed was found from here: {page.error}"
    raise UsageError(what, where=without_password(url), hint="give the address of the feed itself")


def _with_credentials(address: str, original: str) -> str:
    """Return an address that a page or a redirect named.

    Keep the user, password and variables of the original address only if its secrets may be sent there: to the same
    origin or its https counterpart.
    """
    from feedtool.ingesting.secrets import escape_variables, may_share_secrets, with_credentials

    if address == original:
        return original
    return (
        with_credentials(escape_variables(address, original), original)
        if may_share_secrets(original, address)
        else escape_variables(address)
    )


def _get(url: str, settings: Settings, *, home: str | None = None) -> Response:
    import os

    from feedtool.config.validate import InvalidValueError, source_url
    from feedtool.http import Request, Response, fetch
    from feedtool.ingesting.engines import limits_of
    from feedtool.ingesting.secrets import address_secrets, fill_in_url, hide_secrets, without_secrets

    try:
        address = source_url(url)
    except InvalidValueError as error:
        # An invalid address does not show where a password ends, so the message must not repeat it.
        raise UsageError(error.what, where="" if "@" in url else url, hint=error.hint) from None
    secrets = address_secrets(address, os.environ)
    answer = next(iter(fetch([Request(url=fill_in_url(address, secrets), home=home)], limits_of(settings))))
    if isinstance(answer, Response):
        return without_secrets(answer, address, secrets)
    raise FeedtoolError(
        hide_secrets(answer.message, secrets), where=hide_secrets(answer.url, secrets), hint=answer.hint
    )


def _print_source(source: FoundFeed, name: str, count: int, *, dry_run: bool) -> None:
    from feedtool.dates.parse import iso
    from feedtool.ingesting.schedule import without_password

    url = console.plain(without_password(source.url))
    console.echo(f"{'would add' if dry_run else 'added'} {console.plain(name)}: {url} ({source.feed.format})")
    for entry in source.feed.entries[:count]:
        day = iso(entry.published)[:10] if entry.published else "          "
        console.echo(f"  {day}  {console.plain(entry.title)[:100]}")
    for text in source.feed.notes:
        console.echo(f"warning: {console.plain(name)}: {console.plain(text)}", err=True)
    if not dry_run:
        console.echo("fetch it with: feedtool ingest")
