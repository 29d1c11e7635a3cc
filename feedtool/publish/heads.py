"""Read the heads of all articles as a stream, without opening files that have not changed.

A head is the part of an article that selection needs: id, dates, categories, tags and title.
"""

from __future__ import annotations

import errno
import marshal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from feedtool import storage
from feedtool.articles import HEAD_SIZE, Head, Rules
from feedtool.articles.dialect import FolderValues
from feedtool.catalog.fingerprints import NEVER_EQUAL, PART, FolderFingerprint, may_have_changed, piece_of
from feedtool.catalog.index import Index
from feedtool.dates import zones
from feedtool.errors import remedy
from feedtool.models import Problem
from feedtool.protocols import Mapper
from feedtool.publish.scan import Listing
from feedtool.storage import Folder

FEW = 64
"""Up to this number of files, loading the expressions that read heads quickly takes longer than they save."""

Row = tuple[Any, ...]
"""(name, size, mtime, ctime, head): what the index stores of a file; `head` is a Head without its path."""
StoredPart = tuple[bytes, bytes]
"""What the index stores of up to PART consecutive files: their stat data, as `piece_of` returns it, and their heads, marshalled."""
Batch = tuple[str, Sequence[Row], Sequence[Row]]
"""A folder, some of its consecutive files (rows that begin with the name), and the head of each without its path."""


class Heads:
    """The stream of heads of one site. Reading it brings the index up to date."""

    def __init__(self, root: str, rules: Rules, index: Index, mapper: Mapper) -> None:
        self._root = root
        self._rules = rules
        self._index = index
        self._mapper = mapper
        self.prefix = rules.prefix
        self.unchanged = True
        """True as long as every head equals the one in the index: then the same articles go into the same feeds."""

    def update(self, listing: Listing, earlier: dict[str, bytes]) -> list[Batch] | None:
        """Read the changed folders and return their heads, or None if there are too many to hold in memory."""
        if listing.overflowed:
            return None
        self.unchanged = earlier.keys() == listing.fingerprints.keys()
        return list(self._changed(listing.changed, listing, earlier))

    def stream(
        self, listing: Listing, earlier: dict[str, bytes], updated: list[Batch] | None = None
    ) -> Iterator[Batch]:
        """Yield the heads of all articles in batches: from the index if the folder is unchanged, else from the files.

        `updated` is the result of `update`, if that was called before.
        """
        changed = listing.changed
        if listing.overflowed:
            ignored: list[Problem] = []
            folders = storage.walk_articles(
                self._root, problems=ignored, prefix=self._rules.prefix, layout=self._rules.dialect
            )
            changed = (
                folder for folder in folders if earlier.get(folder.path) != listing.fingerprints.get(folder.path, b"")
            )
        for path, fingerprint in listing.fingerprints.items() if earlier else ():
            if earlier.get(path) == fingerprint:
                yield from self._stored_batches(path)
        yield from self._changed(changed, listing, earlier) if updated is None else updated
        self._index.forget_folders(earlier.keys() - listing.fingerprints.keys())

    def stored(self, listing: Listing) -> Iterator[list[Head]]:
        """Yield all heads again, from the index alone."""
        for path in listing.fingerprints:
            for batch in self._stored_batches(path):
                yield heads_of(*batch)

    def _stored_batches(self, path: str) -> Iterator[Batch]:
        parts: list[StoredPart] = self._index.folder(path) or []
        for files, heads in parts:
            # Stored by _changed; the index has verified the checksum.
            yield path, marshal.loads(files), marshal.loads(heads)  # noqa: S302

    def _changed(self, folders: Iterable[Folder], listing: Listing, earlier: dict[str, bytes]) -> Iterator[Batch]:
        sent: deque[list[_Part]] = deque()
        work = partial(_read_batch, self._root, self._rules, listing.unread)

        def batches() -> Iterator[list[_Unread]]:
            for batch in _batched(self._parts(folders, earlier, listing.fingerprints)):
                sent.append(batch)
                yield [
                    _Unread(
                        part.folder.path,
                        [item[0] for item in part.items if len(item) == 4],
                        listing.folder_values(part.folder.path, part.folder.sections),
                    )
                    for part in batch
                ]

        stored: list[StoredPart] = []
        folder_fingerprint = FolderFingerprint(listing.place.rules, listing.place.now)
        refused = False
        done = 0
        for result in self._mapper(work, batches()):
            results, zone_digests = marshal.loads(result)  # noqa: S302 - made by _read_batch
            zones.loaded.update(zone_digests)
            for part, (chunk, piece, newest, unread) in zip(sent.popleft(), results, strict=True):
                folder = part.folder
                heads = marshal.loads(chunk)  # noqa: S302 - made by _read_batch
                if part.stored:
                    heads = self._merged(part, heads)
                    chunk = marshal.dumps(heads)
                if listing.unread:
                    folder_fingerprint.add(piece, newest)
                else:
                    some = folder.files[done : done + len(heads)]
                    if unread:
                        some = [(file[0], *storage.NO_SIGNATURE) if file[0] in unread else file for file in some]
                        refused = True
                    piece = piece_of(some)
                stored.append((piece, chunk))
                done += len(heads)
                yield folder.path, part.items, heads
                if done == len(folder.files):
                    if listing.unread:
                        own = folder_fingerprint.digest()
                        listing.fingerprints[folder.path] = (
                            listing.fingerprint(folder.path, folder.sections, own) or own
                        )
                    fingerprint = listing.fingerprints.get(folder.path, b"")
                    if refused:
                        fingerprint = NEVER_EQUAL + fingerprint[len(NEVER_EQUAL) :]
                    self._index.keep_folder(folder.path, fingerprint, marshal.dumps(stored))
                    stored, done, refused = [], 0, False
                    folder_fingerprint = FolderFingerprint(listing.place.rules, listing.place.now)

    def _merged(self, part: _Part, fresh: Iterable[Row]) -> list[Row]:
        """Return the heads of all files of a part: those that were reused, and the `fresh` ones in their places."""
        heads = []
        reading = iter(fresh)
        for item in part.items:
            head = item[4] if len(item) == 5 else next(reading)
            if self.unchanged and part.stored.get(item[0], item)[4:] != (head,):
                self.unchanged = False
            heads.append(head)
        return heads

    def _parts(
        self, folders: Iterable[Folder], earlier: dict[str, bytes], current: dict[str, bytes]
    ) -> Iterator[_Part]:
        for folder in folders:
            stored: dict[str, Row] = {}
            for _, files, heads in self._stored_batches(folder.path) if folder.path in earlier else ():
                stored.update((file[0], (*file, head)) for file, head in zip(files, heads, strict=True))
            if len(stored) != len(folder.files):
                self.unchanged = False
            items: Sequence[Row]
            if not stored or may_have_changed(earlier.get(folder.path, b""), current.get(folder.path, b"")):
                # The folder is new, or it was changing while it was read, or its articles get other values from folders
                # now. The stored heads serve for comparison only.
                items = folder.files
            else:
                items = [row if (row := stored.get(f[0])) is not None and row[:4] == f else f for f in folder.files]
            yield _Part(folder, items, stored)


class _Unread(NamedTuple):
    """Files of a folder whose heads are to be read, and the values that the folders give to them."""

    folder: str
    names: list[str]
    folder_values: FolderValues


class _Part(NamedTuple):
    """Some files of a folder: rows of four are to be read, rows of five are reused. `stored` is what the index holds of
    the folder."""

    folder: Folder
    items: Sequence[Row]
    stored: dict[str, Row]


def _batched(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    batch: list[_Part] = []
    size = 0
    for folder, items, stored in parts:
        for start in range(0, len(items), PART):
            part = items[start : start + PART]
            batch.append(_Part(folder, part, stored))
            size += sum([len(item) == 4 for item in part]) if stored else len(part)
            if size >= PART:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _read_batch(root: str, rules: Rules, unseen: bool, batch: list[_Unread]) -> bytes:
    """Read the heads of some files; return, marshalled, a row for each folder, and the time zones that this process has loaded.

    A row is (heads, piece, newest, refused). If `unseen`, nobody has called stat on these files: then `piece` is their
    stat data as `piece_of` returns it, and `newest` the latest ctime among them. `refused` holds the names of files
    that could not be read for now. Marshalling is several times cheaper than pickling.
    """
    few = sum([len(unread.names) for unread in batch]) <= FEW
    rows = [
        _read_part(root, rules.with_folder_values(unread.folder_values), unread.folder, unread.names, unseen, few)
        for unread in batch
    ]
    return marshal.dumps((rows, zones.loaded))


def _read_part(
    root: str, rules: Rules, folder: str, names: list[str], unseen: bool, few: bool
) -> tuple[bytes, bytes, int, set[str]]:
    from feedtool.articles import read_head

    place = f"{root}/{folder}"

    def read_alone(name: str, data: bytes | OSError) -> Row:
        path = folder + name
        try:
            if isinstance(data, OSError):
                raise data
            head = read_head(path, data, lambda: storage.read_article(place + name), rules)
        except OSError as error:
            if is_transient(error):
                refused.add(name)
                if unseen:
                    signatures[-1] = storage.NO_SIGNATURE
            head = unreadable_head(path, unreadable(rules.prefix + path, error))
        return (*head[1:11], tuple(map(packed, head.problems))) if head.problems else head[1:]

    refused: set[str] = set()
    signatures: list[storage.Signature] = []
    prefixes = storage.read_prefixes(names, HEAD_SIZE, signatures if unseen else None, folder=place)
    if few or not rules.dialect.is_plain:
        heads = list(map(read_alone, names, prefixes))
    else:
        from feedtool.articles import head_reader

        heads = head_reader(rules).rows(folder, names, prefixes, read_alone)
    if not unseen:
        return marshal.dumps(heads), b"", 0, refused
    files = [(name, *signature) for name, signature in zip(names, signatures, strict=True)]
    return marshal.dumps(heads), piece_of(files), max([signature[2] for signature in signatures]), refused


def heads_of(folder: str, files: Iterable[Row], heads: Iterable[Row]) -> list[Head]:
    """Return complete heads from files and stored heads; their problems stay packed."""
    # Plain tuples with the fields of Head in its order: a build makes a hundred thousand of them.
    return [(folder + file[0], *head) for file, head in zip(files, heads, strict=True)]  # type: ignore[misc]


def is_transient(error: OSError) -> bool:
    """Return True if a file may be readable the next time although its stat data stay the same.

    That is so for a disk that was away, or a permission that its folder lacked. A file that is too large, or no regular
    file, changes its stat data when that is fixed.
    """
    return error.errno not in (errno.EFBIG, errno.EINVAL, errno.EISDIR)


def unreadable_head(path: str, problem: Problem) -> Head:
    """Return the head of an article that cannot be read."""
    return Head(path, "", 0, 0, (), (), (), "", "", 0, False, (problem,))


def unreadable(file: str, error: OSError) -> Problem:
    """Return the Problem of a file that the system refuses to read."""
    return Problem(file=file, code="FT001", message=f"cannot be read: {error.strerror or error}", hint=remedy(error))


def packed(problem: Problem) -> Row:
    """Return a Problem as the tuple that the index stores."""
    return (problem.file, problem.code, problem.message, problem.hint, problem.severity, problem.line, problem.column)


def unpacked(row: Row) -> Problem:
    """Return the Problem from a tuple of `packed`."""
    file, code, message, hint, severity, line, column = row
    return Problem(file=file, code=code, message=message, hint=hint, severity=severity, line=line, column=column)
