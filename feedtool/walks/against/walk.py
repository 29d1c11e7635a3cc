"""The publish guard: what is published and the output of the last build in, what would hurt subscribers out.

Nothing is built or written: the output folder as the last build left it is what would be published.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from feedtool import store
from feedtool.errors import OutputError, UsageError
from feedtool.model import Problem
from feedtool.settings import Settings
from feedtool.walks.against.compare import Differences, differences, forms_of, is_moved
from feedtool.walks.against.published import NAMES, Document, Fetching, at_address, folders_of, in_folder
from feedtool.walks.against.read import Seen, entries_of
from feedtool.walks.against.words import Words
from feedtool.walks.build.publish import MANIFEST, ids_in, manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How what would be published compares with what is. `feeds` counts those published, `missing` those of them that
    would be there no more; `entries` and `new` are those of the feed that has most of them, all else is over all feeds.

    `first` says that nothing is published yet. `new` entries are no harm, `back` ones come as unread once more.
    """

    problems: tuple[Problem, ...] = ()
    output: str = ""
    first: bool = False
    feeds: int = 0
    missing: int = 0
    entries: int = 0
    new: int = 0
    back: int = 0
    gone: int = 0
    moved: int = 0
    updated: int = 0


def compare(settings: Settings, place: str, *, fetch: Fetching) -> Compared:
    """Compare the output of the last build with what is published in a folder or at an address, feed by feed.

    Raises OutputError where nothing has been built, UsageError where `place` is neither or is the output itself. Only an
    address is fetched.
    """
    run = _Run(settings)
    is_address = "://" in place
    if not is_address and os.path.realpath(place) == run.local.folder:
        hint = "name what is published: its address, or a folder with a copy of it"
        raise UsageError("is the output itself, which can't differ from itself", where=place, hint=hint)
    for document in at_address(place, run.local.feeds, fetch) if is_address else in_folder(os.path.abspath(place)):
        run.take(document)
    return run.done()


class Local:
    """The output of the last build: which feeds it holds, and the entries of each."""

    def __init__(self, settings: Settings) -> None:
        self.folder = os.path.realpath(os.path.join(settings.folder, settings.output))
        self.paths = manifest(self.folder)
        if not self.paths:
            raise OutputError(
                f"nothing has been built there: it has no {MANIFEST}",
                where=self.folder,
                hint="run `feedtool build` first, with the same --output",
            )
        self.feeds = folders_of(self.paths)

    def has(self, path: str) -> bool:
        """Say whether a file would be there to be asked for; whoever put it there."""
        return os.path.isfile(store.inside(self.folder, path))

    def counterpart(self, path: str) -> str | None:
        """Return the document of the output that subscribers of a path would be compared with: that, or another format."""
        folder, _, name = path.rpartition("/")
        if self.has(path):
            return path
        names = self.feeds.get(folder, [])
        other = next((one for one in (name, *NAMES) if one in names), None)
        return None if other is None else (f"{folder}/{other}" if folder else other)

    def read(self, path: str) -> bytes:
        """Return the bytes of a document, none where it was deleted since."""
        return store.read_or_none(os.path.join(self.folder, path)) or b""

    def entries(self) -> Iterator[Seen]:
        """Yield the entries of every feed, one format of each."""
        for folder in self.feeds:
            if path := self.counterpart(f"{folder}/{NAMES[0]}" if folder else NAMES[0]):
                yield from entries_of(self.read(path)) or ()

    def archived(self) -> Iterator[str]:
        """Yield the ids of the entries in the archives."""
        for path in sorted(self.paths):
            parts = path.split("/")
            if len(parts) > 1 and parts[-2] == "archive":
                yield from ids_in("atom.xml" if path.endswith(".xml") else "feed.json", self.read(path))


class _Run:
    def __init__(self, settings: Settings) -> None:
        feeds = settings.feeds
        self.local = Local(settings)
        limits = [*(one.limit for one in settings.categories), *(one.limit for one in feeds.select)]
        self.window = min(feeds.limit, *(limit for limit in limits if limit is not None), feeds.limit)
        self.trimmed = feeds.max_bytes > 0
        self.words = Words(settings.output)
        self.documents: dict[str, Document] = {}
        self.troubles: list[Document] = []
        self.found: dict[str, Differences] = {}

    def take(self, document: Document) -> None:
        """Take one published document into account; its bytes are not kept."""
        if document.trouble:
            self.troubles.append(document)
            return
        other = self.local.counterpart(document.path)
        data = b"" if other is None else self.local.read(other)
        if document.data is not None and document.data != data:
            old = entries_of(document.data)
            if old is None:
                return  # A page that says "not found" with status 200, or what no reader can read: nobody subscribes.
            if other is not None:
                new = entries_of(data) or []
                self.found[document.path] = differences(old, new, window=self.window, trimmed=self.trimmed)
        elif document.data is not None:
            self.found[document.path] = Differences(shared=len(entries_of(data) or ()))
        self.documents[document.path] = document._replace(data=None)

    def done(self) -> Compared:
        """Return what all documents together say."""
        missing = sorted(path for path in self.documents if not self.local.has(path))
        self._find_what_moved_between_feeds()
        words = self.words
        for document in sorted(self.troubles):
            words.unread(document)
        words.missing(missing, self.local.feeds)
        # The site's own feed first: what several feeds hold is told of the widest.
        for path in sorted(self.found, key=lambda one: ("/" in one, one)):
            words.tell(path, self.found[path])
        shared = max((one.shared for one in self.found.values()), default=0)
        return Compared(
            problems=words.problems(shared),
            output=self.local.folder,
            first=not self.documents and not self.troubles,
            feeds=len(self.documents),
            missing=len(missing),
            entries=shared,
            new=max((one.new for one in self.found.values()), default=0),
            back=words.count("back"),
            gone=words.count("gone"),
            moved=words.count("moved"),
            updated=words.count("updated"),
        )

    def _find_what_moved_between_feeds(self) -> None:
        """Take from what is gone all that another feed or an archive still holds; a changed date is told as such."""
        if not any(one.gone for one in self.found.values()):
            return
        there = {form: seen for seen in self.local.entries() for form in forms_of(seen.id)}
        lost = [seen for one in self.found.values() for seen in one.gone if not _in(seen, there)]
        archived = {form for identity in self.local.archived() for form in forms_of(identity)} if lost else set()
        for one in self.found.values():
            for seen in one.gone:
                same = next((there[form] for form in forms_of(seen.id) if form in there), None)
                if same is not None and is_moved(seen, same):
                    one.moved.append((seen, same))
            one.gone = [seen for seen in one.gone if not _in(seen, there) and not _in(seen, archived)]


def _in(seen: Seen, ids: Iterable[str]) -> bool:
    return any(form in ids for form in forms_of(seen.id))
