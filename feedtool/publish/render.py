"""Render the entries of selected articles: read, sanitized and rendered once each, or taken from the index."""

from __future__ import annotations

import marshal
import os
import time
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from feedtool import log, registry, storage
from feedtool.articles import Rules
from feedtool.articles.dialect import FolderValues
from feedtool.catalog.fingerprints import is_racy
from feedtool.catalog.index import Index, entry_checksum
from feedtool.catalog.signing import Signer
from feedtool.digests import blake2b
from feedtool.feeds.permalinks import page_folder, permalink
from feedtool.frozen import Frozen, frozen
from feedtool.models import Article, Entry
from feedtool.protocols import Mapper
from feedtool.publish.heads import is_transient, packed, unreadable
from feedtool.slugs import quote_path
from feedtool.storage import Pieces

if TYPE_CHECKING:
    from feedtool.feeds.entries import EntryRules
    from feedtool.site import PageRules

BATCH = 24
UNREADABLE = -(1 << 60)
MAX_BYTES_IN_MEMORY = 100_000_000
"""Rendered entries that are held in memory, in bytes; the others are read from the index when needed."""
Row = tuple[Any, ...]


class RenderedEntry(NamedTuple):
    """A rendered entry: its renditions by format, each in pieces of bytes, its card and its packed Problems.

    `updated` is when it last changed, in seconds since 1970, or UNREADABLE if the article could not be read when it was
    rendered: it is in no feed then. `audio` tells whether it has audio or video. The renditions hold "page" if the
    article has a page of its own.
    """

    updated: int
    audio: bool
    renditions: dict[str, Pieces]
    card: Row
    problems: tuple[Row, ...]

    @property
    def size(self) -> int:
        """The size of the renditions in bytes; text that they share is counted in each."""
        return sum(len(piece) for pieces in self.renditions.values() for piece in pieces)


@frozen
class Rendering(Frozen):
    """The rules of rendering; can be sent to another process."""

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
        earlier: dict[str, Row],
        *,
        unchanged: Set[str],
        folder_values: Callable[[str], FolderValues],
    ) -> None:
        """Start from the states that the last build left in `earlier`.

        In `unchanged` folders no file has changed since then. `folder_values` returns the values that a folder gives to
        its articles.
        """
        self._rendering = rendering
        self._folder_values = folder_values
        self.version = rendering.version
        self._index = index
        self._mapper = mapper
        self._earlier = earlier
        self._unchanged = unchanged
        self._now = time.time_ns()
        self.keys: dict[str, bytes] = {}
        self.states: dict[str, Row] = {}
        self._rendered: dict[str, RenderedEntry] = {}
        self._bytes_in_memory = 0
        self._lasting: set[str] = set()

    def identify(self, paths: Iterable[str], lasting: set[str]) -> None:
        """Set the key of every selected article, rendering those that were never rendered.

        Entries of `lasting` articles are kept for the next run, the others for this run only.
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
        """Render those articles whose entries are neither in memory nor in the index, before `rendered` is called for each."""
        by_key = {self.keys[path]: path for path in paths if path not in self._rendered}
        self._render(sorted(by_key[key] for key in self._index.missing_entries(by_key)))

    def _render(self, paths: list[str]) -> None:
        if paths:
            log.info("build", "%d articles to render; the index has the others", len(paths))
        lasting = [path for path in paths if path in self._lasting]
        others = [path for path in paths if path not in self._lasting]
        # Only archives hold the others.
        forms = tuple(name for name in self._rendering.formats if registry.format_of(name).archive is not None)
        self._render_as(self._rendering, lasting)
        self._render_as(replace(self._rendering, formats=forms), others)

    def _render_as(self, rendering: Rendering, paths: list[str]) -> None:
        for batch in self._mapper(partial(_render_batch, rendering), _batches(self._unrendered(paths))):
            rows = marshal.loads(batch[0])  # noqa: S302 - made by _render_batch
            lasting: dict[bool, list[tuple[bytes, bytes, bytes]]] = {True: [], False: []}
            for (path, signature, key, check), value in zip(rows, batch[1:], strict=True):
                lasting[path in self._lasting].append((key, value, check))
                rendered = RenderedEntry(*marshal.loads(value))  # noqa: S302 - made by _render_batch
                self._cache(path, rendered)
                self.keys[path] = key
                if is_racy(signature[2], self._now):
                    signature = storage.NO_SIGNATURE
                self.states[path] = (
                    *signature,
                    key,
                    rendered.updated,
                    rendered.audio,
                    rendered.problems,
                    self._digest(path),
                )
            self._index.keep_entries(lasting[True])
            self._index.keep_entries(lasting[False], this_run_only=True)

    def _unrendered(self, paths: Iterable[str]) -> Iterator[_Unrendered]:
        return ((path, self._folder_values(path[: path.rfind("/") + 1])) for path in paths)

    def _digest(self, path: str) -> bytes:
        """Return a digest that changes when the folders of an article give it other values."""
        return self._folder_values(path[: path.rfind("/") + 1]).digest

    def _cache(self, path: str, rendered: RenderedEntry) -> None:
        self._rendered[path] = rendered
        self._bytes_in_memory += rendered.size
        while self._bytes_in_memory > MAX_BYTES_IN_MEMORY and len(self._rendered) > 1:
            dropped = self._rendered.pop(next(iter(self._rendered)))
            self._bytes_in_memory -= dropped.size

    def _state(self, path: str) -> Row | None:
        """Return (size, mtime, ctime, key, updated, audio, problems, digest) of an article rendered before, else None."""
        earlier = self._earlier.get(path)
        if earlier is None and self._index.fresh:
            return None
        digest = self._digest(path)
        if earlier is not None and earlier[7] != digest:
            earlier = None
        # If the folder is unchanged, so are its files: thousands of calls of stat are saved.
        if (
            earlier is not None
            and earlier[:3] != storage.NO_SIGNATURE
            and path[: path.rfind("/") + 1] in self._unchanged
        ):
            return earlier
        full = f"{self._rendering.root}/{path}"
        try:
            signature = storage.signature_of(os.stat(full))
            if earlier is not None and earlier[:3] == signature:
                return earlier
            # The same bytes with a new mtime, as after a fresh checkout: the entry need not be made again.
            key = key_of(path, storage.read_article(full), self._rendering, digest)
        except OSError:
            return None
        if is_racy(signature[2], self._now):
            signature = storage.NO_SIGNATURE
        if earlier is not None and earlier[3] == key:
            return (*signature, *earlier[3:])
        value = self._index.entry(key)
        if value is None:
            return None
        rendered = RenderedEntry(*value)
        self._cache(path, rendered)
        return (*signature, key, rendered.updated, rendered.audio, rendered.problems, digest)

    def rendered(self, path: str) -> RenderedEntry:
        """Return the rendered entry of an article."""
        rendered = self._rendered.get(path)
        if rendered is None:
            value = self._index.entry(self.keys[path])
            if value is None:
                value = marshal.loads(_render_batch(self._rendering, list(self._unrendered([path])))[1])  # noqa: S302
            rendered = RenderedEntry(*value)
            self._cache(path, rendered)
        return rendered


_Unrendered = tuple[str, FolderValues]
"""The path of an article, and the values that its folders give to it."""


def key_of(path: str, data: bytes, rendering: Rendering, folder_digest: bytes = b"") -> bytes:
    """Return the key of an entry: 16 bytes that change with anything that its bytes depend on.

    These are its file and path, the values of its folders, the settings and the libraries.
    """
    digest = blake2b(data, digest_size=16, key=rendering.version)
    digest.update(b"\0" + path.encode("utf-8", "surrogateescape"))
    if folder_digest:
        digest.update(b"\0" + folder_digest)
    return digest.digest()


def _batches(unrendered: Iterator[_Unrendered]) -> Iterator[list[_Unrendered]]:
    while batch := list(islice(unrendered, BATCH)):
        yield batch


def _render_batch(rendering: Rendering, unrendered: list[_Unrendered]) -> Pieces:
    """Return the rendered articles, marshalled: first a list of (path, signature, key, checksum), then each one's RenderedEntry."""
    rows = []
    values = []
    for path, folder_values in unrendered:
        signature, key, rendered = _render(path, rendering, folder_values)
        value = marshal.dumps(rendered)
        rows.append((path, signature, key, entry_checksum(rendering.signer, key, value)))
        values.append(value)
    return (marshal.dumps(rows), *values)


def _render(path: str, rendering: Rendering, folder_values: FolderValues) -> tuple[tuple[int, int, int], bytes, Row]:
    """Return the signature of a file, its key, and the fields of its RenderedEntry.

    If the file may be readable the next time, the signature is UNSEEN and the key is empty.
    """
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
            if is_transient(error)
            else (signature, key_of(path, b"", rendering), nothing)
        )
    key = key_of(path, data, rendering, folder_values.digest)
    article, problems = read_article(path, data, rendering.reading.with_folder_values(folder_values))
    if article is None:
        return signature, key, (UNREADABLE, False, {}, (), tuple(map(packed, problems)))
    entry, entry_problems = entry_of(article, rendering.making, url=url_of(article, rendering.making))
    rendered = (
        int(entry.updated.timestamp()),
        any(enclosure.type.startswith(("audio/", "video/")) for enclosure in entry.enclosures),
        {**renditions(entry, rendering.formats), **_page(article, entry, rendering)},
        _card(entry, rendering),
        tuple(map(packed, (*problems, *entry_problems))),
    )
    return signature, key, rendered


def url_of(article: Article, rules: EntryRules) -> str | None:
    """Return the address at which readers open an article, None if it has none.

    It is the article's own link, or that of its page on the site.
    """
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
        # Feeds may carry summaries only; the page has the whole text.
        entry, _ = entry_of(article, rules._replace(full=True), url=entry.url)
    entry = replace(entry, content=add_accessibility(entry.content))
    return {"page": (article_page(entry, rendering.pages, path=path),)}


def has_page(article: Article, rules: EntryRules) -> bool:
    """Return True if the output has a page for the article."""
    return rules.pages == "all" or (rules.pages == "linkless" and article.link is None and not rules.permalink)


def _card(entry: Entry, rendering: Rendering) -> Row:
    if rendering.pages is None or not rendering.pages.index:
        return ()
    from feedtool.site import card_of

    return tuple(card_of(entry))


def renditions(entry: Entry, formats: tuple[str, ...]) -> dict[str, Pieces]:
    """Return the bytes of an entry in each format, in pieces."""
    return {name: registry.format_of(name).entry(entry) for name in formats}


__all__ = ["EntryRenderer", "RenderedEntry", "Rendering", "renditions", "url_of"]
