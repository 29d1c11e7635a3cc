"""Select the sources to visit by names from the command line, and make the request for a source."""

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
from feedtool.ingesting.secrets import (
    address_secrets,
    fill_in,
    fill_in_url,
    may_share_secrets,
    secrets_in,
    with_credentials,
)

STDIN = "-"
BODY_DIGEST_LENGTH = 18
"""Characters of a digest that depend on the body. The others depend on the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedSource:
    """A source to visit. `named` is True if the user named it; `data` is the body if it is available already.

    `key` identifies the source, also in `feedtool.state`. A source without a name takes its feed's title. `file` and `line` are the
    position of its settings, for problems; `file` is relative to the site's folder.
    """

    source: SourceSettings
    key: str
    named: bool = False
    data: bytes | None = None
    file: str = ""
    line: int | None = None

    @property
    def address(self) -> str:
        """The URL of the feed, or "" for a file."""
        return self.source.url if is_url(self.source.url) else ""

    @property
    def is_local(self) -> bool:
        """True if the feed is a file or was piped in."""
        return not self.address


def select_sources(
    settings: Settings,
    names: Sequence[str],
    *,
    categories: Sequence[str] = (),
    name: str = "",
    stdin: Callable[[], bytes] | None = None,
) -> tuple[RequestedSource, ...]:
    """Return the sources with these names or addresses, or every enabled one if there are no names.

    A name that matches no source may be a file, or `-` for the standard input; `categories` and `name` are then those of the source
    made for it. Raise UsageError for any other name.
    """
    if not names:
        return tuple(_configured(settings, number) for number, one in enumerate(settings.sources) if one.enabled)
    chosen: dict[str, RequestedSource] = {}
    for requested_name in names:
        numbers = [number for number, one in enumerate(settings.sources) if requested_name in (one.name, one.url)]
        if numbers:
            requested = _configured(settings, numbers[0], named=True)
        else:
            requested = _ad_hoc(settings, requested_name, (tuple(categories), name), stdin)
        chosen.setdefault(requested.key, requested)
    return tuple(chosen.values())


def request_of(
    requested: RequestedSource, health: Health, environment: Mapping[str, str], *, whole: bool = False
) -> Request:
    """Return the request that visits a source. It is conditional unless the `whole` feed is requested.

    Raise FeedtoolError if a header or the address names an environment variable that is not set. This is the only place where
    secrets are sent. If the source has moved permanently, they and the password of its address are sent only within its origin.
    """
    target, configured = address(health), requested.source.url
    secrets = address_secrets(configured, environment)
    at_home = target == health.url or may_share_secrets(fill_in_url(configured, secrets), target)
    headers = tuple((header, _header(header, text, environment)) for header, text in requested.source.headers)
    return Request(
        url=fill_in_url(with_credentials(target, configured), secrets) if at_home else target,
        etag=None if whole else health.etag or None,
        last_modified=None if whole else health.modified or None,
        headers=headers if at_home else (),
        key=requested.key,
    )


def is_read_differently(settings: Settings, source: SourceSettings, health: Health) -> bool:
    """Return True if a feed was last read with other settings.

    Then its document has to be fetched even if it has not changed.
    """
    return health.digest[BODY_DIGEST_LENGTH:] != digest_of(b"", settings, source)[BODY_DIGEST_LENGTH:]


def is_url(text: str) -> bool:
    """Return True if a text is the address of a feed and not the path of a file."""
    return text.lower().startswith(("http://", "https://"))


def _configured(settings: Settings, number: int, *, named: bool = False) -> RequestedSource:
    source = settings.sources[number]
    line = settings.origins.get(f"sources[{number + 1}].name", "").rpartition(":")[2]
    file = os.path.relpath(settings.file, settings.folder) if settings.file else FILE
    return RequestedSource(
        source=source, key=source.name, named=named, file=file, line=int(line) if line.isdecimal() else None
    )


def _ad_hoc(
    settings: Settings, requested_name: str, own: tuple[tuple[str, ...], str], stdin: Callable[[], bytes] | None
) -> RequestedSource:
    categories, name = own
    if requested_name == STDIN and stdin is not None:
        data, stem = stdin(), "stdin"
    elif not is_url(requested_name) and os.path.exists(requested_name):
        try:
            data = storage.read_named_file(requested_name)
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=requested_name) from None
        stem = os.path.basename(requested_name).partition(".")[0] or "feed"
    else:
        folded = {one.name.casefold(): one.name for one in settings.sources}
        suggestion = folded.get(did_you_mean(requested_name, folded), "")
        adding = "add it with: feedtool add URL" if is_url(requested_name) else "see feedtool status"
        hint = f"did you mean {suggestion}?" if suggestion else adding
        raise UsageError(f'there is no source and no file called "{requested_name}"', hint=hint)
    same_name = next((one for one in settings.sources if name and one.name == name), None)
    if same_name is not None:
        source = replace(same_name, url=stem, categories=(*same_name.categories, *categories))
    else:
        source = SourceSettings(name=name, url=stem, categories=categories)
    file = "" if requested_name == STDIN else os.path.relpath(requested_name, settings.folder)
    return RequestedSource(source=source, key=f"file:{name or stem}", named=True, data=data, file=file)


def _header(header: str, text: str, environment: Mapping[str, str]) -> str:
    where, remedy = f"the header {header}", "remove the header from feedtool.toml"
    return fill_in(text, secrets_in(text, environment, where=where, alternative=remedy))
