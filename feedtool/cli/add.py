"""`feedtool add`: the address of a feed or of a page in, a source in feedtool.toml out, the rest of the file untouched."""

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

SHOWN = 5
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]")
TRIED = 8
"""Addresses that a page may send us to before we give up."""


class FoundFeed(NamedTuple):
    """A feed that was found, and where."""

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
    help="A category of every entry.",
)
@click.option("--name", metavar="NAME", help="The name of the source; its feed's title if not given.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be added, and add nothing.")
@options.manners
def command(
    url: str,
    site: str | None,
    categories: tuple[str, ...],
    name: str | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Add a source: URL is a feed, or a page that has one.

    The feed is fetched and read first, and its newest entries are shown. Comments and all else in feedtool.toml stay as they
    are.

    \b
    Examples:
      feedtool add https://example.org/ -c News
      feedtool add https://example.org/feed.xml --name "A friend" --dry-run
    """
    from feedtool.cli.ingest import missing
    from feedtool.cli.settings_file import append_source
    from feedtool.config.edit import free_name
    from feedtool.ingesting.schedule import without_password

    settings = options.settings_of(site)
    try:
        found = _find(url if _SCHEME.match(url) else f"https://{url}", settings)
    except ModuleNotFoundError as error:
        raise missing(error) from None
    known = next((one for one in settings.sources if one.url == found.url), None)
    if known is not None:
        raise UsageError(f'the source "{known.name}" has this address already', where=without_password(found.url))
    title = " ".join(found.feed.title.split())[:100]
    chosen = name or free_name(title or found.url.split("/")[2], [one.name for one in settings.sources])
    values: dict[str, str | Sequence[str]] = {"name": chosen, "url": found.url}
    if categories:
        values["categories"] = categories
    if not dry_run:
        append_source(settings, [values])
    if as_json:
        entries = [console.plain(one.title) for one in found.feed.entries[:SHOWN]]
        facts = {"source": console.plain(chosen), "url": without_password(found.url), "title": console.plain(title)}
        warnings = [console.plain(text) for text in found.feed.notes]
        console.print_json({"ok": True, **facts, "format": found.feed.format, "entries": entries, "warnings": warnings})
    elif not quiet:
        _show(found, chosen, SHOWN * 4 if verbose else SHOWN, dry_run=dry_run)
    return 0


def _find(url: str, settings: Settings) -> FoundFeed:
    """Return the feed at an address, or the first that the page there leads to; what is there is read where it can be
    killed."""
    from feedtool.ingesting.engines import feed_identifier, prepare
    from feedtool.ingesting.schedule import without_password
    from feedtool.workers import sandboxed

    look = feed_identifier(sandboxed(1, prepare))
    answer = _get(url, settings)
    seen = look(answer)
    if seen.feed is not None:
        return FoundFeed(_own(answer.permanent_url or url, url), seen.feed)
    for candidate in seen.offered[:TRIED]:
        try:
            other = _get(_own(candidate, url), settings, home=url)
        except FeedtoolError:
            continue
        if (feed := look(other).feed) is not None:
            return FoundFeed(_own(other.permanent_url or candidate, url), feed)
    what = f"no feed there and none found from there: {seen.error}"
    raise UsageError(what, where=without_password(url), hint="give the feed's own address")


def _own(found: str, given: str) -> str:
    """Return an address that a page or a redirect gave, with what the given one has to say to its own origin alone."""
    from feedtool.ingesting.secrets import escape_variables, may_share_secrets, with_credentials

    if found == given:
        return given
    return (
        with_credentials(escape_variables(found, given), given)
        if may_share_secrets(given, found)
        else escape_variables(found)
    )


def _get(url: str, settings: Settings, *, home: str | None = None) -> Response:
    import os

    from feedtool.config.validate import RefusedError, source_url
    from feedtool.http import Request, Response, fetch
    from feedtool.ingesting.engines import limits_of
    from feedtool.ingesting.secrets import address_secrets, fill_in_url, hide_secrets, without_secrets

    try:
        whole = source_url(url)
    except RefusedError as error:
        # Where the password ends can't be told in what is no address.
        raise UsageError(error.what, where="" if "@" in url else url, hint=error.hint) from None
    secrets = address_secrets(whole, os.environ)
    answer = next(iter(fetch([Request(url=fill_in_url(whole, secrets), home=home)], limits_of(settings))))
    if isinstance(answer, Response):
        return without_secrets(answer, whole, secrets)
    raise FeedtoolError(
        hide_secrets(answer.message, secrets), where=hide_secrets(answer.url, secrets), hint=answer.hint
    )


def _show(found: FoundFeed, name: str, count: int, *, dry_run: bool) -> None:
    from feedtool.dates.parse import iso
    from feedtool.ingesting.schedule import without_password

    url = console.plain(without_password(found.url))
    console.say(f"{'would add' if dry_run else 'added'} {console.plain(name)}: {url} ({found.feed.format})")
    for entry in found.feed.entries[:count]:
        day = iso(entry.published)[:10] if entry.published else "          "
        console.say(f"  {day}  {console.plain(entry.title)[:100]}")
    for text in found.feed.notes:
        console.say(f"warning: {console.plain(name)}: {console.plain(text)}", err=True)
    if not dry_run:
        console.say("fetch it with: feedtool ingest")
