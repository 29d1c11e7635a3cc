"""Names from the command line and the settings in, the sources to visit out, and the request that visits one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from feedtool import storage
from feedtool.config import Settings, SourceSettings
from feedtool.config.load import FILE
from feedtool.config.validate import did_you_mean
from feedtool.errors import UsageError
from feedtool.http.models import Request
from feedtool.ingesting.engines import digest_of
from feedtool.ingesting.schedule import Health, address
from feedtool.ingesting.secrets import filled, filled_url, is_same_place, of_address, secrets_in, with_user

STDIN = "-"
CONTENT = 18
"""Characters of a digest that are of the body; the others are of the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedSource:
    """A source to visit. `named` says that the person named it; `data` is the body of one that is at hand.

    `key` tells it from every other, also in `feedtool.state`; a source without a name takes its feed's title. `file` and
    `line` are where a problem with it is to be mended, `file` relative to the site folder.
    """

    source: SourceSettings
    key: str
    named: bool = False
    data: bytes | None = None
    file: str = ""
    line: int | None = None

    @property
    def address(self) -> str:
        """The URL of the feed; "" of a file."""
        return self.source.url if is_url(self.source.url) else ""

    @property
    def is_local(self) -> bool:
        """Whether the feed is a file or was piped in."""
        return not self.address


def select_sources(
    settings: Settings,
    names: Sequence[str],
    *,
    categories: Sequence[str] = (),
    name: str = "",
    stdin: Callable[[], bytes] | None = None,
) -> tuple[RequestedSource, ...]:
    """Return the sources that are called by name or address, or every enabled one where none is.

    A name that is none of them may be a file, or `-` for the standard input: `categories` and `name` are then its own.
    Raises UsageError for what is neither.
    """
    if not names:
        return tuple(_configured(settings, number) for number, one in enumerate(settings.sources) if one.enabled)
    chosen: dict[str, RequestedSource] = {}
    for given in names:
        found = [number for number, one in enumerate(settings.sources) if given in (one.name, one.url)]
        if found:
            wanted = _configured(settings, found[0], named=True)
        else:
            wanted = _ad_hoc(settings, given, (tuple(categories), name), stdin)
        chosen.setdefault(wanted.key, wanted)
    return tuple(chosen.values())


def request_of(
    wanted: RequestedSource, health: Health, environment: Mapping[str, str], *, whole: bool = False
) -> Request:
    """Return the request that visits a source; conditional unless the `whole` feed is wanted.

    Raises FeedtoolError where a header or the address names an environment variable that is not set. Only here do secrets
    leave it. Where the source has moved for good, they and the source's own password go along within its origin alone.
    """
    place, own = address(health), wanted.source.url
    names = of_address(own, environment)
    at_home = place == health.url or is_same_place(filled_url(own, names), place)
    headers = tuple((header, _header(header, text, environment)) for header, text in wanted.source.headers)
    return Request(
        url=filled_url(with_user(place, own), names) if at_home else place,
        etag=None if whole else health.etag or None,
        last_modified=None if whole else health.modified or None,
        headers=headers if at_home else (),
        key=wanted.key,
    )


def is_read_otherwise(settings: Settings, source: SourceSettings, health: Health) -> bool:
    """Say whether a feed was last read with other settings: then its document is needed, though it has not changed."""
    return health.digest[CONTENT:] != digest_of(b"", settings, source)[CONTENT:]


def is_url(text: str) -> bool:
    """Say whether a text is the address of a feed and not a file's path."""
    return text.lower().startswith(("http://", "https://"))


def _configured(settings: Settings, number: int, *, named: bool = False) -> RequestedSource:
    source = settings.sources[number]
    line = settings.origins.get(f"sources[{number + 1}].name", "").rpartition(":")[2]
    file = os.path.relpath(settings.file, settings.folder) if settings.file else FILE
    return RequestedSource(
        source=source, key=source.name, named=named, file=file, line=int(line) if line.isdecimal() else None
    )


def _ad_hoc(
    settings: Settings, given: str, own: tuple[tuple[str, ...], str], stdin: Callable[[], bytes] | None
) -> RequestedSource:
    categories, name = own
    if given == STDIN and stdin is not None:
        data, stem = stdin(), "stdin"
    elif not is_url(given) and os.path.exists(given):
        try:
            data = storage.named(given)
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=given) from None
        stem = os.path.basename(given).partition(".")[0] or "feed"
    else:
        folded = {one.name.casefold(): one.name for one in settings.sources}
        near = folded.get(did_you_mean(given, folded), "")
        adding = "add it with: feedtool add URL" if is_url(given) else "see feedtool status"
        hint = f"did you mean {near}?" if near else adding
        raise UsageError(f'there is no source and no file called "{given}"', hint=hint)
    like = next((one for one in settings.sources if name and one.name == name), None)
    if like is not None:
        source = replace(like, url=stem, categories=(*like.categories, *categories))
    else:
        source = SourceSettings(name=name, url=stem, categories=categories)
    file = "" if given == STDIN else os.path.relpath(given, settings.folder)
    return RequestedSource(source=source, key=f"file:{name or stem}", named=True, data=data, file=file)


def _header(header: str, text: str, environment: Mapping[str, str]) -> str:
    where, remedy = f"the header {header}", "take the header out of feedtool.toml"
    return filled(text, secrets_in(text, environment, where=where, remedy=remedy))
