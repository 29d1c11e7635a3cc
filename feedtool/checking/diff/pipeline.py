"""Compare what is published with the output of the last build, to guard subscribers against a harmful publication.

Nothing is built or written: the output folder, as the last build left it, is taken as the next publication.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from feedtool import registry, storage
from feedtool.checking.diff.addresses import Fetching, at_address
from feedtool.checking.diff.differences import Differences, differences, forms_of, is_moved
from feedtool.checking.diff.documents import NO_FEED, Document, feed_files, folders_of
from feedtool.checking.diff.folders import in_folder
from feedtool.checking.diff.messages import DiffMessages
from feedtool.checking.diff.readers import PublishedEntry, entries_of, read_document
from feedtool.config import Settings
from feedtool.errors import FeedtoolError, OutputError, UsageError
from feedtool.models import Problem
from feedtool.publish.writer import MANIFEST, manifest
from feedtool.state import FILE, records


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The result of a comparison.

    `feeds` counts the published feeds, `missing` those of them that the new output lacks; `entries` and `new` are those
    of the feed with the most; all other counts are over all feeds. `first` is True if nothing is published yet. `new`
    entries do no harm; `back` entries appear as unread again. `unreadable` counts the documents that are published, or
    may be, and could not be compared.
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
    """Compare the output of the last build, feed by feed, with what is published in a folder, in a file or at an address.

    Only an absent document counts as unpublished: anything else that cannot be compared is an error in the problems.
    Raise OutputError if nothing has been built, and UsageError if `place` does not exist or is the output itself.
    `fetch` is called for an address only.
    """
    run = _Run(settings)
    is_address = "://" in place
    if not is_address and os.path.realpath(place) == run.local.folder:
        hint = "give the address of the published site, or a folder with a copy of it"
        raise UsageError("is the output folder itself", where=place, hint=hint)
    for document in at_address(place, run.local.feeds, fetch) if is_address else in_folder(os.path.abspath(place)):
        run.add(document)
    return run.result()


class LocalOutput:
    """The output of the last build: its feeds, and the entries of each."""

    def __init__(self, settings: Settings) -> None:
        self.folder = os.path.realpath(os.path.join(settings.folder, settings.output))
        self.paths = manifest(self.folder)
        if not self.paths:
            raise OutputError(
                f"nothing has been built there: there is no {MANIFEST}",
                where=self.folder,
                hint="run `feedtool build` first, with the same output folder",
            )
        self.feeds = folders_of(self.paths)

    def has(self, path: str) -> bool:
        """Return True if the output holds a file at this path, whoever made it."""
        is_file = path.rpartition("/")[2] != "" and "://" not in path
        return is_file and os.path.isfile(storage.path_inside(self.folder, path))

    def counterpart(self, path: str) -> str | None:
        """Return the document of the output to compare with a published one.

        It is the document at the same path, else another format of the same feed, else the site's own feed.
        """
        folder, _, name = path.rpartition("/")
        if self.has(path):
            return path
        for place in (folder, ""):
            names = self.feeds.get(place, [])
            other = next((one for one in (name, *feed_files()) if one in names), None)
            if other is not None:
                return f"{place}/{other}" if place else other
        return None

    def read(self, path: str) -> bytes:
        """Return the bytes of a document; b"" if it was deleted."""
        return storage.read_or_none(os.path.join(self.folder, path)) or b""

    def entries(self) -> Iterator[PublishedEntry]:
        """Yield the entries of every feed, from one format of each."""
        for folder in self.feeds:
            name = feed_files()[0]
            if path := self.counterpart(f"{folder}/{name}" if folder else name):
                yield from entries_of(self.read(path), path) or ()

    def archived(self) -> Iterator[str]:
        """Yield the ids of the entries in archives."""
        for path in sorted(self.paths):
            if form := registry.format_of_archive(path):
                yield from form.ids(self.read(path)) or ()


class _Run:
    def __init__(self, settings: Settings) -> None:
        feeds = settings.feeds
        self.settings = settings
        self.local = LocalOutput(settings)
        limits = [*(one.limit for one in settings.categories), *(one.limit for one in feeds.select)]
        self.window = min(feeds.limit, *(limit for limit in limits if limit is not None), feeds.limit)
        self.trimmed = feeds.max_bytes > 0
        self.messages = DiffMessages(settings.output)
        self.documents: dict[str, Document] = {}
        self.unreadable: list[Document] = []
        self.compared: set[str] = set()
        self.unknown_host = ""
        self.differences: dict[str, Differences] = {}

    def add(self, document: Document) -> None:
        """Compare one published document; its bytes are not kept."""
        if document.unknown_host:
            self._add_unknown_host(document)
            return
        if document.problem:
            self.unreadable.append(document)
            return
        data = document.data or b""
        document = document._replace(data=None)
        try:
            old, damage = read_document(data, document.content_type, document.path)
        except FeedtoolError as error:
            self.unreadable.append(document._replace(problem=error.what, hint=NO_FEED))
            return
        self.documents[document.path] = document
        if damage:
            self.messages.damaged(document.path, damage)
        folder, _, name = document.path.rpartition("/")
        if name in feed_files() and not damage:
            # Of a feed in several formats, one is compared: the entries are the same, but their ids may differ in form.
            if folder in self.compared:
                return
            self.compared.add(folder)
        other = self.local.counterpart(document.path)
        if other is None:
            return
        local = self.local.read(other)
        if local == data:
            self.differences[document.path] = Differences(shared=len(old))
        else:
            new = entries_of(local, other) or []
            self.differences[document.path] = differences(
                old, new, window=self.window, trimmed=self.trimmed, keeps_old=self._has_archives_without_dates(name)
            )

    def _has_archives_without_dates(self, name: str) -> bool:
        """Return True if a format has archives and its reader gives no dates, which tell what is too old for a feed."""
        form = registry.format_of_file(name)
        if form is None or not registry.registered_among([form.name]):
            return False
        return form.archive is not None and self.settings.feeds.archive

    def _add_unknown_host(self, document: Document) -> None:
        """Treat a host that does not exist as a first publication, unless the site was published before."""
        earlier = earlier_deployment(self.settings, document.unknown_host)
        if earlier:
            self.unreadable.append(document._replace(problem=f"{document.problem}, although {earlier}"))
        else:
            self.unknown_host = document.unknown_host

    def result(self) -> Compared:
        """Return the result over all documents."""
        missing = sorted(
            path for path, document in self.documents.items() if document.placed and not self.local.has(path)
        )
        self._move_between_feeds()
        messages = self.messages
        messages.not_compared(sorted(self.unreadable, key=lambda one: ("/" in one.path, one.path)))
        if self.unknown_host:
            messages.unknown_host(self.unknown_host)
        messages.missing(missing, self.local.feeds)
        # The site's own feed comes first: an entry in several feeds is reported for the widest.
        for path in sorted(self.differences, key=lambda one: ("/" in one, one)):
            messages.add(path, self.differences[path])
        shared = max((one.shared for one in self.differences.values()), default=0)
        return Compared(
            problems=messages.problems(shared),
            output=self.local.folder,
            first=not self.documents and not self.unreadable,
            feeds=len(self.documents),
            missing=len(missing),
            entries=shared,
            new=max((one.new for one in self.differences.values()), default=0),
            back=messages.count("back"),
            gone=messages.count("gone"),
            moved=messages.count("moved"),
            updated=messages.count("updated"),
            unreadable=len(self.unreadable),
        )

    def _move_between_feeds(self) -> None:
        """Remove from `gone` the entries that another feed or an archive still holds; those with another date become `moved`."""
        if not any(one.gone for one in self.differences.values()):
            return
        local = {form: entry for entry in self.local.entries() for form in forms_of(entry.id)}
        missing = [entry for one in self.differences.values() for entry in one.gone if not _is_in(entry, local)]
        archived = {form for identity in self.local.archived() for form in forms_of(identity)} if missing else set()
        for one in self.differences.values():
            for entry in one.gone:
                same = next((local[form] for form in forms_of(entry.id) if form in local), None)
                if same is not None and is_moved(entry, same):
                    one.moved.append((entry, same))
            one.gone = [entry for entry in one.gone if not _is_in(entry, local) and not _is_in(entry, archived)]


def _is_in(entry: PublishedEntry, ids: Iterable[str]) -> bool:
    return any(form in ids for form in forms_of(entry.id))


def earlier_deployment(settings: Settings, host: str) -> str:
    """Return evidence that the site was published before, or "" if there is none.

    `feedtool.state` holds tombstones only of entries that were published; and if the ids name another host, the site
    was at that host. The index and the manifest prove nothing, because each build makes both. A state that cannot be
    read counts as evidence.
    """
    try:
        text = (storage.read_or_none(os.path.join(settings.folder, FILE)) or b"").decode("utf-8", "replace")
    except OSError as error:
        return f"{FILE} cannot be read and may record an earlier deployment: {error.strerror or error}"
    if any(kind == "tombstone" for kind, _, _ in records(text)):
        return f"{FILE} records published entries that were deleted"
    authority = settings.authority.rpartition("@")[2]
    configured = authority if settings.origins.get("site.authority", "default") != "default" else ""
    if configured and not _are_related(configured, host):
        return f"the ids of the articles name {configured}, where the site was published before"
    return ""


def _are_related(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
