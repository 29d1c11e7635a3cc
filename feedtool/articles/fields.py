"""Turn the texts of a front matter into typed fields.

Nothing here raises: an unusable value is left out and adds a note, so that a bad key affects only itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple
from unicodedata import is_normalized, normalize

from feedtool.articles.field_table import FIELD_OF_KEY, keys_of, registered_fields
from feedtool.articles.yaml import Value
from feedtool.articles.yaml_fast import normal
from feedtool.dates.parse import parse_date
from feedtool.expressions import expression
from feedtool.models import Author, Enclosure, Source

TITLE = keys_of("title")
PUBLISHED = keys_of("date")
UPDATED = keys_of("updated")
CATEGORIES = keys_of("categories")
TAGS = keys_of("tags")
AUTHORS = keys_of("author")
THUMBNAIL = keys_of("thumbnail")
LINK = keys_of("link")
ID = keys_of("id")
SUMMARY = keys_of("summary")
ENCLOSURES = keys_of("enclosures")
LANGUAGE = keys_of("language")
RIGHTS = keys_of("rights")
TRUE = frozenset(("true", "yes", "on", "1", "y", "t"))
FALSE = frozenset(("false", "no", "off", "0", "n", "none"))
# More categories or tags are a mistake or an attack: each one would become a set of feeds.
MAXIMUM_NAMES = 100

_SPACE = expression(r"\s+")
# To YAML 1.1 this is a timestamp in UTC (https://yaml.org/type/timestamp.html).
_YAML_TIME = expression(r"\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d(?:\.\d*)?", re.ASCII)


class Note(NamedTuple):
    """A problem with one key: a stable code, the message and how to fix it. The caller adds the file and the line."""

    key: str
    code: str
    message: str
    hint: str
    severity: str = "warning"


def same_meaning(key: str) -> tuple[str, ...]:
    """Return the keys with the same meaning as `key`, including itself, in order of precedence."""
    field = FIELD_OF_KEY.get(key)
    return field.keys if field is not None else (key,)


class Fields:
    """The typed values of one front matter; reading them collects `notes`.

    `values` are by `normal` keys, which the argument `normalized` promises. With `utc_dates`, a date and time without quotes
    and without a zone is UTC; `matter` is the front matter's text, which shows what is quoted. `example_date` is the form of
    date that messages recommend. `used` maps each meaning to the key it was read from.
    """

    __slots__ = ("example_date", "matter", "notes", "used", "utc_dates", "values", "zone")

    def __init__(self, values: dict[str, Value], zone: tzinfo, *, normalized: bool = False) -> None:
        self.values = values if normalized else {normal(key): value for key, value in values.items()}
        self.zone = zone
        self.utc_dates = False
        self.matter = ""
        self.example_date = "2022-12-25T20:11:30+08:00"
        self.notes: list[Note] = []
        self.used: dict[str, str] = {}

    def first(self, keys: tuple[str, ...]) -> tuple[str, Value] | None:
        """Return the first of `keys` with a value that is not empty, and the value."""
        values = self.values
        for key in keys:
            value = values.get(key)
            if value:
                return key, value
        return None

    def text(self, keys: tuple[str, ...]) -> str:
        """Return the first value that is a text (or a list's first text), white space folded; "" without one."""
        for key in keys:
            value = self.values.get(key)
            if not value:
                continue
            for text in (value,) if type(value) is str else texts(value):
                folded = " ".join(text.split())
                if folded:
                    self.used[keys[0]] = key
                    return folded
        return ""

    def published(self) -> datetime | None:
        """Return the date of publication, or None; add a note for each date that cannot be read."""
        return self._date("published", PUBLISHED)

    def updated(self) -> datetime | None:
        """Return the date of the last change, or None."""
        return self._date("updated", UPDATED)

    def _date(self, meaning: str, keys: tuple[str, ...]) -> datetime | None:
        for key in keys:
            value = self.values.get(key)
            if not value:
                continue
            text = value if isinstance(value, str) else next(texts(value), "")
            if key == "published" and text.lower() in TRUE | FALSE:
                continue
            moment = parse_date(text, zone=self.zone_of(key, text))
            if moment is not None:
                self.used[meaning] = key
                return moment
            message = f'{key}: cannot read "{excerpt(text)}" as a date'
            self.notes.append(Note(key, "FT011", message, f"write it as {self.example_date}"))
        return None

    def zone_of(self, key: str, text: str) -> tzinfo:
        """Return the zone of a date that has none of its own."""
        return UTC if self.utc_dates and is_yaml_time(text) and self.is_unquoted(key) else self.zone

    def is_unquoted(self, key: str) -> bool:
        """Return True if the value of a key, in its normal form, begins with a digit and not with a quote."""
        pattern = rf"^{re.escape(key).replace('_', '[_-]')}[ \t]*:[ \t]*\d"
        return re.search(pattern, self.matter, re.MULTILINE | re.IGNORECASE) is not None

    def draft(self) -> bool:
        """Return True if the article is a draft: `draft: true` or `published: false`."""
        draft, published = self.values.get("draft"), self.values.get("published")
        return (isinstance(draft, str) and draft.lower() in TRUE) or (
            isinstance(published, str) and published.lower() in FALSE
        )

    def names(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return category or tag names: nested lists flattened, each name once, in the order written."""
        first = self.first(keys)
        if first is None:
            return ()
        key, value = first
        self.used[keys[0]] = key
        if isinstance(value, str) and keys is TAGS:
            value = list(value.split(","))
        names = _folded(tuple(texts(value)))
        if len(names) > MAXIMUM_NAMES:
            self.notes.append(
                Note(key, "FT018", f"{key}: {len(names)} names; the first {MAXIMUM_NAMES} count", "list fewer")
            )
        return names[:MAXIMUM_NAMES]

    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Return the categories as Hexo reads them: a flat list is one path from the root; in a nested list each item is a path."""
        first = self.first(CATEGORIES)
        if first is None:
            return ()
        self.used["categories"] = first[0]
        value = first[1]
        if not isinstance(value, list) or not any(isinstance(item, list) for item in value):
            path = self.names(CATEGORIES)
            return (path,) if path else ()
        paths: dict[tuple[str, ...], None] = {}
        for item in value:
            path = tuple(name for text in texts(item) if (name := _name(text)))
            if path:
                paths[path[:8]] = None
        return tuple(paths)[:MAXIMUM_NAMES]

    def authors(self) -> tuple[Author, ...]:
        """Return the authors: a name, `name <mail>`, a map of name, email and uri, or a list of these."""
        first = self.first(AUTHORS)
        if first is None:
            return ()
        self.used["author"] = first[0]
        value = first[1]
        items = value if isinstance(value, list) else [value]
        if len(items) > MAXIMUM_NAMES:
            self.notes.append(
                Note(
                    first[0], "FT018", f"{first[0]}: {len(items)} names; the first {MAXIMUM_NAMES} count", "list fewer"
                )
            )
        authors = [author for item in items[:MAXIMUM_NAMES] if (author := _author(item)) is not None]
        return tuple(dict.fromkeys(authors) if len(authors) > 1 else authors)

    def author_names(self) -> tuple[str, ...]:
        """Return the names of `authors`, without the rest."""
        value = self.values.get("author")
        if type(value) is str and "<" not in value:
            name = " ".join(value.split())
            if name:
                return (name,)
        return tuple(author.name for author in self.authors())

    def enclosures(self) -> tuple[Enclosure, ...]:
        """Return the enclosures that have a URL; the caller validates the URLs."""
        first = self.first(ENCLOSURES)
        if first is None:
            return ()
        key, value = first
        self.used["enclosures"] = key
        items = value if isinstance(value, list) else [value]
        enclosures = []
        for item in items[:MAXIMUM_NAMES]:
            enclosure = _enclosure(item, self.values.get("duration", ""))
            if enclosure is None:
                self.notes.append(Note(key, "FT020", f"{key}: no URL in it", "give it as {url, type, length}"))
            else:
                enclosures.append(enclosure)
        return tuple(enclosures)

    def thumbnail(self) -> str | None:
        """Return the image of the front matter; "" if it asks for none (`false`); None if it has no such key."""
        for key in THUMBNAIL:
            value = self.values.get(key)
            if not value:
                continue
            if isinstance(value, dict):
                value = next(
                    (
                        text
                        for name in ("url", "src", "image", "relative_url")
                        for text in texts(value.get(name, ""))
                        if text
                    ),
                    "",
                )
            text = next(texts(value), "").strip()
            if text.lower() in ("false", "no", "off"):
                self.used["thumbnail"] = key
                return ""
            if text and text.lower() not in TRUE:
                self.used["thumbnail"] = key
                return text
        return None

    def more(self) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
        """Return the values of the fields that need no code of their own, by name; empty ones are left out."""
        values = (
            (field.name, self.text(field.keys) if field.kind == "text" else self.names(field.keys))
            for field in registered_fields()
        )
        return tuple((name, value) for name, value in values if value)

    def source(self) -> Source | None:
        """Return the source of a republished article: a name, a URL, or a map of title, url and id."""
        value = self.values.get("source")
        if not value:
            return None
        self.used["source"] = "source"
        if isinstance(value, dict):
            parts = {key.lower(): next(texts(part), "").strip() or None for key, part in value.items()}
            url = parts.get("url") or parts.get("link") or parts.get("href")
            title = parts.get("title") or parts.get("name")
            return Source(title=title, url=url, id=parts.get("id")) if url or title else None
        text = _SPACE.sub(" ", next(texts(value), "")).strip()
        if not text:
            return None
        return Source(url=text) if text.startswith(("http://", "https://")) else Source(title=text)


def is_yaml_time(text: str) -> bool:
    """Return True if YAML 1.1 reads this text, unquoted, as a timestamp in UTC: a date and a time without a zone."""
    return _YAML_TIME.fullmatch(text) is not None


# Characters removed from names: those that change the direction of text (UAX 9), which would affect the text after the name,
# and those that no feed may contain. Left in, they would make two names of one.
_INVISIBLE = dict.fromkeys(
    [*range(9), *range(14, 28), *range(0x7F, 0x85), *range(0x86, 0xA0), *range(0xFDD0, 0xFDF0), 0xFEFF]
    + [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    + [plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)]
)


def plain_names(value: Value | tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the names in a list of at most MAXIMUM_NAMES texts, or in one text without a comma; None for all else."""
    if type(value) is str:
        return _folded((value,)) if "," not in value else None
    if len(value) > MAXIMUM_NAMES or type(value) is dict:
        return None
    names = tuple(value)
    try:
        return _folded(names)
    except TypeError:  # a list in it, or a map
        return None


@lru_cache(maxsize=4096)  # articles share a few lists of names
def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    once = dict.fromkeys(map(_name, names))
    once.pop("", None)
    return tuple(once)


@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    # Composed and decomposed forms of "é" are the same name and the same category.
    folded = " ".join((text if text.isprintable() else text.translate(_INVISIBLE)).split())
    return folded if folded.isascii() or is_normalized("NFC", folded) else normalize("NFC", folded)


def excerpt(text: str, limit: int = 60) -> str:
    """Return an excerpt of untrusted text for a message: one line, printable, cut to `limit` characters."""
    line = "".join(character if character.isprintable() else "�" for character in text[: limit + 1])
    return line if len(line) <= limit else line[:limit] + "…"


def texts(value: Value) -> Iterator[str]:
    """Yield the texts in a value, in order; of a map only its name, title or url."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            if type(item) is str:
                yield item
            else:
                yield from texts(item)
    else:
        for key in ("name", "title", "url"):
            if isinstance(value.get(key), str):
                yield str(value[key])
                return


_WITH_ADDRESS = re.compile(r"([^<>]{0,200})<([^<>@\s]{1,64}@[^<>@\s]{1,255})>")


def _author(value: Value) -> Author | None:
    if isinstance(value, dict):
        parts = {key.lower(): _SPACE.sub(" ", next(texts(part), "")).strip() for key, part in value.items()}
        name = parts.get("name") or parts.get("nick") or parts.get("email") or ""
        uri = parts.get("uri") or parts.get("url") or parts.get("link") or None
        return Author(name=name, email=parts.get("email") or None, uri=uri) if name else None
    text = " ".join(next(texts(value), "").split())
    if not text:
        return None
    address = _WITH_ADDRESS.fullmatch(text[:600]) if "<" in text else None
    if address:
        return Author(name=address.group(1).strip(" \"'") or address.group(2), email=address.group(2))
    return Author(name=text)


# Not the module mimetypes: its table would make the output depend on the machine.
TYPES = {
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "m4b": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg",
    "oga": "audio/ogg", "opus": "audio/opus", "flac": "audio/flac", "wav": "audio/wav", "mp4": "video/mp4", "m4v": "video/mp4",
    "webm": "video/webm", "mov": "video/quicktime", "mkv": "video/x-matroska", "pdf": "application/pdf",
    "epub": "application/epub+zip", "zip": "application/zip", "jpg": "image/jpeg", "jpeg": "image/jpeg",
    "png": "image/png", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif",
    "svg": "image/svg+xml", "txt": "text/plain", "torrent": "application/x-bittorrent",
}  # fmt: skip
_TYPE = expression(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")


def _enclosure(value: Value, duration: Value) -> Enclosure | None:
    if isinstance(value, list):
        return None
    if isinstance(value, str):
        # WordPress exports have "url\nlength\ntype".
        lines = value.split()
        parts = dict(zip(("url", "length", "type"), lines, strict=False)) if len(lines) == 3 else {"url": value.strip()}
    else:
        parts = {key.lower(): next(texts(part), "").strip() for key, part in value.items()}
    url = parts.get("url") or parts.get("src") or parts.get("href") or parts.get("file") or ""
    if not url or not re.search(r"[./]", url):
        return None
    kind = (parts.get("type") or parts.get("mime_type") or "").lower()
    if not _TYPE.fullmatch(kind):
        kind = TYPES.get(re.split(r"[?#]", url)[0].rpartition(".")[2].lower()[:8], "application/octet-stream")
    length = parts.get("length") or parts.get("size") or parts.get("size_in_bytes") or ""
    return Enclosure(
        url=url,
        type=kind,
        length=int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None,
        duration=_seconds(parts.get("duration") or next(texts(duration), "")),
        title=parts.get("title") or None,
    )


def _seconds(text: str) -> int | None:
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        return None
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    return total
