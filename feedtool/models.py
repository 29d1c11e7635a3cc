"""Define the data models that all modules share: frozen classes with aware datetimes and tuples.

A field is None only if absence has a meaning.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Literal, NewType

from feedtool.frozen import Frozen, frozen

SafeHtml = NewType("SafeHtml", str)
"""Sanitized HTML without characters that are illegal in XML. Only `feedtool.html` makes it, and nothing may edit it."""

BodyKind = Literal["html", "markdown", "text"]
Severity = Literal["error", "warning"]
More = tuple[tuple[str, str | tuple[str, ...]], ...]
"""Values by name, of fields of front matter that programs have registered: texts or names."""


@frozen
class Author(Frozen):
    """A person or a publication: RFC 4287 section 3.2."""

    name: str
    email: str | None = None
    uri: str | None = None


@frozen
class Enclosure(Frozen):
    """A file that belongs to an entry (RFC 4287 section 4.2.7.2); `length` in bytes, `duration` in seconds."""

    url: str
    type: str
    length: int | None = None
    duration: int | None = None
    title: str | None = None


@frozen
class Source(Frozen):
    """The feed that an entry was republished from: RFC 4287 section 4.2.11."""

    title: str | None = None
    url: str | None = None
    id: str | None = None


@frozen
class Problem(Frozen):
    """A problem for a person to look at: its place, a stable code, a message, and a hint for the fix.

    `file` is relative to the site folder with `/` between its parts; `line` and `column` count from 1. An error means that
    something is missing or wrong in the output; a warning, that feedtool worked around it.
    """

    file: str
    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part not in (None, ""))
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}; {self.hint}" if self.hint else text


@frozen
class Article(Frozen):
    """The content of one article file.

    Texts are plain text; `body` is unchanged but for the parts that the site does not show: comments of template languages and
    password-protected text. `path` is relative to the articles folder. `categories` are names as people see them, in the order
    written, each once. `thumbnail` is None if not given and "" if the article asks for none. `link` is absolute or None. `line`
    is the line of the file on which the body begins.

    `withheld` is the reason why the article is in no feed ("" if it may be in one); a `draft` is withheld unless drafts are
    included. The article is published from `shown_from` until just before `shown_until`, None meaning no bound. `address` is the
    template of its page's address, if the article or its generator's settings have one; the days in it are counted in
    `address_zone`, None for the offset of `published`.
    """

    path: str
    id: str
    title: str
    published: datetime
    updated: datetime
    body: str = ""
    kind: BodyKind = "html"
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    authors: tuple[Author, ...] = ()
    thumbnail: str | None = None
    link: str | None = None
    summary: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    language: str | None = None
    rights: str | None = None
    source: Source | None = None
    draft: bool = False
    withheld: str = ""
    shown_from: datetime | None = None
    shown_until: datetime | None = None
    address: str = ""
    address_zone: tzinfo | None = None
    line: int = 1
    more: More = ()


@frozen
class Category(Frozen):
    """A category in a feed: its name and the address of its page (RFC 4287 section 4.2.2)."""

    name: str
    scheme: str | None = None


@frozen
class Entry(Frozen):
    """An article ready to render: sanitized, with absolute URLs and without characters that are illegal in XML.

    `url` is the page that feed readers open, None if there is no page; `content` is "" if feeds have summaries only; `image`
    is absolute.
    """

    id: str
    title: str
    published: datetime
    updated: datetime
    url: str | None = None
    content: SafeHtml = SafeHtml("")
    summary: str = ""
    image: str | None = None
    authors: tuple[Author, ...] = ()
    categories: tuple[Category, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    language: str | None = None
    rights: str | None = None
    source: Source | None = None
    more: More = ()


@frozen
class Tombstone(Frozen):
    """A published entry that was deleted: RFC 6721 section 3."""

    ref: str
    when: datetime


@frozen
class Feed(Frozen):
    """The properties of one feed, without its entries: these are rendered once and shared by all feeds that contain them.

    `path` is the folder below the output folder ("" for the site's own, else "categories/<slug>"); `url` is the absolute
    address of that folder, ending in "/"; `updated` is that of the newest entry. `audio` is True if an entry has an audio or
    video enclosure, so that the feed needs itunes elements. `home` is the page for people, or None if that is `url`.
    """

    path: str
    id: str
    title: str
    url: str
    updated: datetime
    description: str = ""
    language: str | None = None
    authors: tuple[Author, ...] = ()
    rights: str | None = None
    icon: str | None = None
    image: str | None = None
    hub: str | None = None
    css: str | None = None
    home: str | None = None
    ttl: int | None = None
    audio: bool = False
    category: Category | None = None
    podcast_category: str | None = None
    tombstones: tuple[Tombstone, ...] = ()
    archive: int | None = None
    prev_archive: int | None = None
    next_archive: int | None = None


@frozen
class Report(Frozen):
    """The result of a run. Counts are of files, except for `articles` (published) and `feeds`.

    `notes` need no action; `details` are for `--verbose` output.
    """

    articles: int = 0
    feeds: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    seconds: float = 0.0
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """The number of problems that are errors."""
        return sum(problem.severity == "error" for problem in self.problems)
