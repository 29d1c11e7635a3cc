"""The nouns every room shares: frozen values, aware datetimes, tuples; None only where absence means something."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Literal, NewType

from feedtool.frozen import Frozen, frozen

SafeHtml = NewType("SafeHtml", str)
"""Sanitized HTML, free of characters illegal in XML. Only `feedtool.html` makes it; nothing may edit it after."""

BodyKind = Literal["html", "markdown", "text"]
Severity = Literal["error", "warning"]


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
    """The feed an entry was republished from: RFC 4287 section 4.2.11."""

    title: str | None = None
    url: str | None = None
    id: str | None = None


@frozen
class Problem(Frozen):
    """Something a person should know of, with where, a stable code, what, and how to mend it.

    `file` is relative to the site folder with `/` between its parts; `line` and `column` count from 1.
    An error means that something was left out or is wrong in the output; a warning, that it was mended.
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
    """What one article file says, whoever wrote it. Texts are plain text, `body` is as it stands in the file, but for
    what its site does not show: comments of template languages, and text behind a password.

    `path` is relative to the articles folder. `categories` are names as shown to people, in the order written,
    each once. `thumbnail` None means not given, "" means none wanted. `link` is absolute or None. `line` is that of
    the body's first line in the file. `withheld` says why it is in no feed ("" where it may be in one); a `draft` is withheld
    unless drafts are asked for. It is published from `shown_from` until just before `shown_until`, None for no bound.
    `address` is the template of its page's address, where the article or its generator's settings give one; days in it are
    counted in `address_zone`, None for the offset of `published`.
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


@frozen
class Category(Frozen):
    """A category as feeds name it: the term people read and the address of its own page (RFC 4287 section 4.2.2)."""

    name: str
    scheme: str | None = None


@frozen
class Entry(Frozen):
    """An article ready to render: sanitized, its URLs absolute, its texts free of characters illegal in XML.

    `url` is where a reader opens it (None when it has no page of its own); `content` "" when feeds carry summaries
    only; `image` is absolute.
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


@frozen
class Tombstone(Frozen):
    """An entry that was published and is gone: RFC 6721 section 3."""

    ref: str
    when: datetime


@frozen
class Feed(Frozen):
    """One feed's own facts, its entries apart: they are rendered once and shared by the feeds that hold them.

    `path` is the folder below the output folder ("" for the site's own, else "categories/<slug>"); `url` is the absolute
    address of that folder, ending in "/"; `updated` is that of the newest entry. `audio` says that some entry
    carries an audio or video enclosure (itunes elements are then due). `home` is the page people see, `url` when None.
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
class Output(Frozen):
    """One file of the output folder: a path below it, `/` between its parts, and its bytes."""

    path: str
    data: bytes


@frozen
class Report(Frozen):
    """What a run did. Counts are of files, but for `articles` (published) and `feeds`; `notes` ask nothing of anyone,
    and `details` are such as few want to know."""

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
        """How many of the problems are errors."""
        return sum(problem.severity == "error" for problem in self.problems)
