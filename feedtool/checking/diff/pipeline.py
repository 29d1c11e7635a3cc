"""The publish guard: what is published and the output of the last build in, what would hurt subscribers out.

Nothing is built or written: the output folder as the last build left it is what would be published.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from feedtool import storage
from feedtool.checking.diff.addresses import Fetching, at_address
from feedtool.checking.diff.differences import Differences, differences, forms_of, is_moved
from feedtool.checking.diff.documents import NAMES, NO_FEED, Document, folders_of
from feedtool.checking.diff.folders import in_folder
from feedtool.checking.diff.messages import DiffMessages
from feedtool.checking.diff.readers import PublishedEntry, entries_of, read_document
from feedtool.config import Settings
from feedtool.errors import FeedtoolError, OutputError, UsageError
from feedtool.models import Problem
from feedtool.publish.writer import MANIFEST, ids_in, manifest
from feedtool.state import FILE, records


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How what would be published compares with what is. `feeds` counts those published, `missing` those of them that
    would be there no more; `entries` and `new` are those of the feed that has most of them, all else is over all feeds.

    `first` says that nothing is published yet. `new` entries are no harm, `back` ones come as unread once more.
    `unreadable` counts what is published, or may be, and could not be compared.
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
    unreadable: int = 0


def compare(settings: Settings, place: str, *, fetch: Fetching) -> Compared:
    """Compare the output of the last build with what is published in a folder, in a file or at an address, feed by feed.

    Only what is absent is taken for unpublished: whatever else could not be compared is an error in the problems. Raises
    OutputError where nothing has been built, UsageError where `place` is neither or is the output itself. Only an
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
        is_file = path.rpartition("/")[2] != "" and "://" not in path
        return is_file and os.path.isfile(storage.path_inside(self.folder, path))

    def counterpart(self, path: str) -> str | None:
        """Return the document of the output that subscribers of a path would be compared with: that, another format of the
        feed, or the site's own feed."""
        folder, _, name = path.rpartition("/")
        if self.has(path):
            return path
        for place in (folder, ""):
            names = self.feeds.get(place, [])
            other = next((one for one in (name, *NAMES) if one in names), None)
            if other is not None:
                return f"{place}/{other}" if place else other
        return None

    def read(self, path: str) -> bytes:
        """Return the bytes of a document, none where it was deleted since."""
        return storage.read_or_none(os.path.join(self.folder, path)) or b""

    def entries(self) -> Iterator[PublishedEntry]:
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
        self.settings = settings
        self.local = Local(settings)
        limits = [*(one.limit for one in settings.categories), *(one.limit for one in feeds.select)]
        self.window = min(feeds.limit, *(limit for limit in limits if limit is not None), feeds.limit)
        self.trimmed = feeds.max_bytes > 0
        self.messages = DiffMessages(settings.output)
        self.documents: dict[str, Document] = {}
        self.troubles: list[Document] = []
        self.compared: set[str] = set()
        self.unknown_host = ""
        self.found: dict[str, Differences] = {}

    def take(self, document: Document) -> None:
        """Take one published document into account; its bytes are not kept."""
        if document.unknown_host:
            self._take_unknown(document)
            return
        if document.trouble:
            self.troubles.append(document)
            return
        data = document.data or b""
        document = document._replace(data=None)
        try:
            old, damage = read_document(data, document.content_type)
        except FeedtoolError as error:
            self.troubles.append(document._replace(trouble=error.what, hint=NO_FEED))
            return
        self.documents[document.path] = document
        if damage:
            self.messages.damaged(document.path, damage)
        folder, _, name = document.path.rpartition("/")
        if name in NAMES and not damage:
            # Of a feed in several formats, one is compared: its entries are the same, their ids may have other forms.
            if folder in self.compared:
                return
            self.compared.add(folder)
        other = self.local.counterpart(document.path)
        if other is None:
            return
        local = self.local.read(other)
        if local == data:
            self.found[document.path] = Differences(shared=len(old))
        else:
            new = entries_of(local) or []
            self.found[document.path] = differences(old, new, window=self.window, trimmed=self.trimmed)

    def _take_unknown(self, document: Document) -> None:
        """Take a host that does not exist for a site that is published the first time, unless an earlier one is known."""
        earlier = earlier_deployment(self.settings, document.unknown_host)
        if earlier:
            self.troubles.append(document._replace(trouble=f"{document.trouble}, though {earlier}"))
        else:
            self.unknown_host = document.unknown_host

    def done(self) -> Compared:
        """Return what all documents together say."""
        missing = sorted(
            path for path, document in self.documents.items() if document.placed and not self.local.has(path)
        )
        self._find_what_moved_between_feeds()
        words = self.messages
        words.unread(sorted(self.troubles, key=lambda one: ("/" in one.path, one.path)))
        if self.unknown_host:
            words.unknown_host(self.unknown_host)
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
            unreadable=len(self.troubles),
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


def _in(seen: PublishedEntry, ids: Iterable[str]) -> bool:
    return any(form in ids for form in forms_of(seen.id))


def earlier_deployment(settings: Settings, host: str) -> str:
    """Return what shows that the site was published before, "" where nothing does.

    `feedtool.state` has tombstones only of entries that were published; and a site whose ids are of another host was at
    that host. Neither the index nor the manifest says anything: each build makes both. A state that cannot be read counts.
    """
    try:
        text = (storage.read_or_none(os.path.join(settings.folder, FILE)) or b"").decode("utf-8", "replace")
    except OSError as error:
        return f"{FILE}, which may know of an earlier deployment, cannot be read: {error.strerror or error}"
    if any(kind == "tombstone" for kind, _, _ in records(text)):
        return f"{FILE} knows of published entries that were deleted"
    authority = settings.authority.rpartition("@")[2]
    given = authority if settings.origins.get("site.authority", "default") != "default" else ""
    if given and not _are_related(given, host):
        return f"the ids of the articles are of {given}, where the site was published before"
    return ""


def _are_related(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
