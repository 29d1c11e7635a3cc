"""Chosen articles in, their rendered entries out: read, cleaned and rendered once each, or taken from the index."""

from __future__ import annotations

import marshal
import os
import time
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from feedtool import storage
from feedtool.articles import Rules
from feedtool.articles.dialect import FolderValues
from feedtool.catalog.index import Index, entry_checksum
from feedtool.catalog.signing import Signer
from feedtool.digests import blake2b
from feedtool.feeds.permalinks import page_folder, permalink
from feedtool.frozen import Frozen, frozen
from feedtool.models import Article, Entry
from feedtool.protocols import Mapper
from feedtool.publish.heads import may_pass, packed, unreadable
from feedtool.publish.scan import is_racy
from feedtool.slugs import quote_path
from feedtool.storage import Pieces

if TYPE_CHECKING:
    from feedtool.feeds.entries import EntryRules
    from feedtool.site import PageRules

BATCH = 24
UNREADABLE = -(1 << 60)
HELD = 100_000_000
"""Bytes of rendered entries held in memory; the others wait in the index."""
Row = tuple[Any, ...]


class RenderedEntry(NamedTuple):
    """A rendered entry: pieces of bytes by format, when it last changed, whether it has audio or video, its card, its Problems.

    The renditions hold "page" where the article has a page of its own.

    `updated` is UNREADABLE where the article turned out to be unreadable: it is then in no feed.
    """

    updated: int
    audio: bool
    renditions: dict[str, Pieces]
    card: Row
    problems: tuple[Row, ...]

    @property
    def size(self) -> int:
        """How many bytes the renditions are; text that they share counts in each."""
        return sum(len(piece) for pieces in self.renditions.values() for piece in pieces)


@frozen
class Rendering(Frozen):
    """What rendering needs to know, fit to be sent to another process."""

    root: str
    reading: Rules
    making: EntryRules
    formats: tuple[str, ...]
    pages: PageRules | None
    version: bytes
    signer: Signer


class EntryRenderer:
    """The rendered entries of one build, each made once however many feeds hold it."""

    def __init__(
        self,
        rendering: Rendering,
        index: Index,
        mapper: Mapper,
        known: dict[str, Row],
        *,
        settled: Set[str],
        given: Callable[[str], FolderValues],
    ) -> None:
        """Take what the last build knew of its articles; in `settled` folders no file changed since. `given` returns what a
        folder gives to its articles."""
        self._rendering = rendering
        self._folder_values = given
        self.version = rendering.version
        self._index = index
        self._mapper = mapper
        self._earlier = known
        self._unchanged = settled
        self._now = time.time_ns()
        self.keys: dict[str, bytes] = {}
        self.states: dict[str, Row] = {}
        self._rendered: dict[str, RenderedEntry] = {}
        self._bytes_in_memory = 0
        self._lasting: set[str] = set()

    def identify(self, paths: Iterable[str], lasting: set[str]) -> None:
        """Find the key of every chosen article, rendering those that were never rendered.

        Entries of `lasting` articles are kept for the next run, the others for this one.
        """
        missing = []
        for path in paths:
            state = self._state(path)
            if state is None:
                missing.append(path)
            else:
                self.states[path] = state
                self.keys[path] = state[3]
        self._lasting = lasting
        self._render(missing)

    def prepare(self, paths: Iterable[str]) -> None:
        """Render those of the articles whose entries are not at hand, before `made` is asked for them one by one."""
        wanted = {self.keys[path]: path for path in paths if path not in self._rendered}
        self._render(sorted(wanted[key] for key in self._index.missing_entries(wanted)))

    def _render(self, paths: list[str]) -> None:
        lasting = [path for path in paths if path in self._lasting]
        others = [path for path in paths if path not in self._lasting]
        # Archives are not written as RSS.
        forms = tuple(form for form in self._rendering.formats if form != "rss")
        self._render_as(self._rendering, lasting)
        self._render_as(replace(self._rendering, formats=forms), others)

    def _render_as(self, rendering: Rendering, paths: list[str]) -> None:
        for batch in self._mapper(partial(_render_batch, rendering), _batches(self._unrendered(paths))):
            rows = marshal.loads(batch[0])  # noqa: S302 - made by _render_batch
            lasting: dict[bool, list[tuple[bytes, bytes, bytes]]] = {True: [], False: []}
            for (path, signature, key, check), value in zip(rows, batch[1:], strict=True):
                lasting[path in self._lasting].append((key, value, check))
                made = RenderedEntry(*marshal.loads(value))  # noqa: S302 - made by _render_batch
                self._hold(path, made)
                self.keys[path] = key
                if is_racy(signature[2], self._now):
                    signature = storage.NO_SIGNATURE
                self.states[path] = (*signature, key, made.updated, made.audio, made.problems, self._digest(path))
            self._index.keep_entries(lasting[True])
            self._index.keep_entries(lasting[False], this_run_only=True)

    def _unrendered(self, paths: Iterable[str]) -> Iterator[_Unrendered]:
        return ((path, self._folder_values(path[: path.rfind("/") + 1])) for path in paths)

    def _digest(self, path: str) -> bytes:
        """Return what changes when an article's folders give it something else."""
        return self._folder_values(path[: path.rfind("/") + 1]).digest

    def _hold(self, path: str, made: RenderedEntry) -> None:
        self._rendered[path] = made
        self._bytes_in_memory += made.size
        while self._bytes_in_memory > HELD and len(self._rendered) > 1:
            dropped = self._rendered.pop(next(iter(self._rendered)))
            self._bytes_in_memory -= dropped.size

    def _state(self, path: str) -> Row | None:
        """Return (size, mtime, ctime, key, updated, audio, problems, given) of an article rendered before, else None."""
        known = self._earlier.get(path)
        if known is None and self._index.fresh:
            return None
        digest = self._digest(path)
        if known is not None and known[7] != digest:
            known = None
        # The folder's mark speaks for all that was looked at after it was made: a thousand files need not be asked again.
        if known is not None and known[:3] != storage.NO_SIGNATURE and path[: path.rfind("/") + 1] in self._unchanged:
            return known
        full = f"{self._rendering.root}/{path}"
        try:
            signature = storage.signature_of(os.stat(full))
            if known is not None and known[:3] == signature:
                return known
            # The same bytes under a new date: a fresh checkout. Nothing of them need be cleaned again.
            key = key_of(path, storage.read_article(full), self._rendering, digest)
        except OSError:
            return None
        if is_racy(signature[2], self._now):
            signature = storage.NO_SIGNATURE
        if known is not None and known[3] == key:
            return (*signature, *known[3:])
        value = self._index.entry(key)
        if value is None:
            return None
        made = RenderedEntry(*value)
        self._hold(path, made)
        return (*signature, key, made.updated, made.audio, made.problems, digest)

    def rendered(self, path: str) -> RenderedEntry:
        """Return an article's rendered entry."""
        made = self._rendered.get(path)
        if made is None:
            value = self._index.entry(self.keys[path])
            if value is None:
                value = marshal.loads(_render_batch(self._rendering, list(self._unrendered([path])))[1])  # noqa: S302
            made = RenderedEntry(*value)
            self._hold(path, made)
        return made


_Unrendered = tuple[str, FolderValues]
"""An article's path, and what its folders give to it."""


def key_of(path: str, data: bytes, rendering: Rendering, given: bytes = b"") -> bytes:
    """Return what an entry's bytes depend on, in 16 bytes: the file, its path, what its folders give, settings, libraries."""
    digest = blake2b(data, digest_size=16, key=rendering.version)
    digest.update(b"\0" + path.encode("utf-8", "surrogateescape"))
    if given:
        digest.update(b"\0" + given)
    return digest.digest()


def _batches(unrendered: Iterator[_Unrendered]) -> Iterator[list[_Unrendered]]:
    while batch := list(islice(unrendered, BATCH)):
        yield batch


def _render_batch(rendering: Rendering, unrendered: list[_Unrendered]) -> Pieces:
    """Return (path, signature, key, checksum) of each article, marshalled, and behind it each article's marshalled Made."""
    rows = []
    values = []
    for path, given in unrendered:
        signature, key, made = _render(path, rendering, given)
        value = marshal.dumps(made)
        rows.append((path, signature, key, entry_checksum(rendering.signer, key, value)))
        values.append(value)
    return (marshal.dumps(rows), *values)


def _render(path: str, rendering: Rendering, given: FolderValues) -> tuple[tuple[int, int, int], bytes, Row]:
    """Return a file's signature, its key, and what becomes a Made; no signature and no key where it may be readable the next
    time."""
    from feedtool.articles import read_article
    from feedtool.feeds.entries import entry_of

    full = f"{rendering.root}/{path}"
    signature = storage.NO_SIGNATURE
    try:
        signature = storage.signature_of(os.stat(full))
        data = storage.read_article(full)
    except OSError as error:
        problem = unreadable(rendering.reading.prefix + path, error)
        nothing: Row = (UNREADABLE, False, {}, (), (packed(problem),))
        return (
            (storage.NO_SIGNATURE, b"", nothing)
            if may_pass(error)
            else (signature, key_of(path, b"", rendering), nothing)
        )
    key = key_of(path, data, rendering, given.digest)
    article, problems = read_article(path, data, rendering.reading.with_folder_values(given))
    if article is None:
        return signature, key, (UNREADABLE, False, {}, (), tuple(map(packed, problems)))
    entry, more = entry_of(article, rendering.making, url=url_of(article, rendering.making))
    made = (
        int(entry.updated.timestamp()),
        any(enclosure.type.startswith(("audio/", "video/")) for enclosure in entry.enclosures),
        {**renditions(entry, rendering.formats), **_page(article, entry, rendering)},
        _card(entry, rendering),
        tuple(map(packed, (*problems, *more))),
    )
    return signature, key, made


def url_of(article: Article, rules: EntryRules) -> str | None:
    """Return where readers open an article: its own link, or the address its site renders it at; None for nowhere."""
    if article.link is not None:
        return article.link
    template = (rules.permalink and article.address) or rules.permalink
    if template:
        return permalink(article, template, rules.base_url)
    if rules.pages != "none":
        return f"{rules.base_url}{quote_path(page_folder(article.path, article.id))}/"
    return None


def _page(article: Article, entry: Entry, rendering: Rendering) -> dict[str, Pieces]:
    rules = rendering.making
    if rendering.pages is None or not has_page(article, rules):
        return {}
    from feedtool.feeds.entries import entry_of
    from feedtool.html.accessibility import add_accessibility
    from feedtool.site import article_page

    path = f"{page_folder(article.path, article.id)}/index.html"
    if not rules.full:
        # Feeds may be short; a page is where the whole text is.
        entry, _ = entry_of(article, rules._replace(full=True), url=entry.url)
    entry = replace(entry, content=add_accessibility(entry.content))
    return {"page": (article_page(entry, rendering.pages, path=path),)}


def has_page(article: Article, rules: EntryRules) -> bool:
    """Say whether an article has a page of its own beside the feeds."""
    return rules.pages == "all" or (rules.pages == "linkless" and article.link is None and not rules.permalink)


def _card(entry: Entry, rendering: Rendering) -> Row:
    if rendering.pages is None or not rendering.pages.index:
        return ()
    from feedtool.site import card_of

    return tuple(card_of(entry))


def renditions(entry: Entry, formats: tuple[str, ...]) -> dict[str, Pieces]:
    """Return an entry's bytes in each format, in pieces."""
    from feedtool.feeds.formats import atom, jsonfeed, rss

    makers: dict[str, Callable[[Entry], Pieces]] = {"atom": atom.entry, "rss": rss.entry, "json": jsonfeed.entry}
    return {name: makers[name](entry) for name in formats}


__all__ = ["EntryRenderer", "RenderedEntry", "Rendering", "renditions", "url_of"]
