"""Article folders in, heads of articles out, as a stream; files that have not changed are not opened."""

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
from feedtool.catalog.index import Index
from feedtool.errors import remedy
from feedtool.models import Problem
from feedtool.protocols import Mapper
from feedtool.publish.scan import PART, UNLIKE, FolderFingerprint, Listing, piece_of
from feedtool.storage import Folder

FEW = 64
"""Files up to which the expressions that read heads quickly do not pay for being loaded."""

Row = tuple[Any, ...]
"""(name, size, mtime, ctime, head): what the index knows of a file; `head` is a Head without its path."""
Kept = tuple[bytes, bytes]
"""What is kept of PART files in a row: how they look, as `piece_of` has it, and their heads, marshalled."""
Batch = tuple[str, Sequence[Row], Sequence[Row]]
"""A folder, some of its files in a row, of which the names come first, and the head of each, without its path."""


class Heads:
    """The stream of heads of one site; reading it brings the index up to date."""

    def __init__(self, root: str, rules: Rules, index: Index, mapper: Mapper) -> None:
        self._root = root
        self._rules = rules
        self._index = index
        self._mapper = mapper
        self.prefix = rules.prefix
        self.same = True
        """Whether every head read so far is what the index held: then the same articles go into the same feeds."""

    def update(self, listing: Listing, known: dict[str, bytes]) -> list[Batch] | None:
        """Read what changed and return its heads, or None where that is too much to hold."""
        if listing.overflowed:
            return None
        self.same = known.keys() == listing.fingerprints.keys()
        return list(self._changed(listing.changed, listing, known))

    def stream(self, listing: Listing, known: dict[str, bytes], updated: list[Batch] | None = None) -> Iterator[Batch]:
        """Yield the head of every article, some at a time: from the index where its folder is unchanged, else from its file.

        `updated` is what `update` returned, when it was called before.
        """
        changed = listing.changed
        if listing.overflowed:
            ignored: list[Problem] = []
            walked = storage.walk_articles(
                self._root, problems=ignored, prefix=self._rules.prefix, layout=self._rules.dialect
            )
            changed = (
                folder for folder in walked if known.get(folder.path) != listing.fingerprints.get(folder.path, b"")
            )
        for path, mark in listing.fingerprints.items() if known else ():
            if known.get(path) == mark:
                yield from self._kept(path)
        yield from self._changed(changed, listing, known) if updated is None else updated
        self._index.forget_folders(known.keys() - listing.fingerprints.keys())

    def again(self, listing: Listing) -> Iterator[list[Head]]:
        """Yield every head once more, from the index alone."""
        for path in listing.fingerprints:
            for batch in self._kept(path):
                yield heads_of(*batch)

    def _kept(self, path: str) -> Iterator[Batch]:
        kept: list[Kept] = self._index.folder(path) or []
        for looks, heads in kept:
            # Kept by _changed, and checked with the folder.
            yield path, marshal.loads(looks), marshal.loads(heads)  # noqa: S302

    def _changed(self, folders: Iterable[Folder], listing: Listing, known: dict[str, bytes]) -> Iterator[Batch]:
        sent: deque[list[_Part]] = deque()
        work = partial(_read_batch, self._root, self._rules, listing.unseen)

        def batches() -> Iterator[list[_Unread]]:
            for batch in _batched(self._sorted_out(folders, known, listing.fingerprints)):
                sent.append(batch)
                yield [
                    _Unread(
                        part.folder.path,
                        [item[0] for item in part.items if len(item) == 4],
                        listing.folder_values(part.folder.path, part.folder.sections),
                    )
                    for part in batch
                ]

        kept: list[Kept] = []
        marking = FolderFingerprint(listing.place)
        refused = False
        done = 0
        for result in self._mapper(work, batches()):
            read = marshal.loads(result)  # noqa: S302 - made by _read_batch
            for part, (chunk, piece, newest, unread) in zip(sent.popleft(), read, strict=True):
                folder = part.folder
                heads = marshal.loads(chunk)  # noqa: S302 - made by _read_batch
                if part.old:
                    heads = self._merged(part, heads)
                    chunk = marshal.dumps(heads)
                if listing.unseen:
                    marking.add(piece, newest)
                else:
                    some = folder.files[done : done + len(heads)]
                    if unread:
                        some = [(file[0], *storage.NO_SIGNATURE) if file[0] in unread else file for file in some]
                        refused = True
                    piece = piece_of(some)
                kept.append((piece, chunk))
                done += len(heads)
                yield folder.path, part.items, heads
                if done == len(folder.files):
                    if listing.unseen:
                        own = marking.mark()
                        listing.fingerprints[folder.path] = (
                            listing.fingerprint(folder.path, folder.sections, own) or own
                        )
                    mark = listing.fingerprints.get(folder.path, b"")
                    if refused:
                        mark = UNLIKE + mark[len(UNLIKE) :]
                    self._index.keep_folder(folder.path, mark, marshal.dumps(kept))
                    kept, done, refused = [], 0, False
                    marking = FolderFingerprint(listing.place)

    def _merged(self, part: _Part, fresh: Iterable[Row]) -> list[Row]:
        """Return the heads of all files of a part, those that were known already among the `fresh`."""
        heads = []
        reading = iter(fresh)
        for item in part.items:
            head = item[4] if len(item) == 5 else next(reading)
            if self.same and part.old.get(item[0], item)[4:] != (head,):
                self.same = False
            heads.append(head)
        return heads

    def _sorted_out(
        self, folders: Iterable[Folder], known: dict[str, bytes], marks: dict[str, bytes]
    ) -> Iterator[_Part]:
        for folder in folders:
            old: dict[str, Row] = {}
            for _, files, heads in self._kept(folder.path) if folder.path in known else ():
                old.update((file[0], (*file, head)) for file, head in zip(files, heads, strict=True))
            if len(old) != len(folder.files):
                self.same = False
            items: Sequence[Row]
            if not old or max(len(known.get(folder.path, b"")), len(marks.get(folder.path, b""))) > 16:
                # New; or it changed as it was being read, or other folders give values to its articles: nothing seen then is
                # believed, but for comparing.
                items = folder.files
            else:
                items = [row if (row := old.get(f[0])) is not None and row[:4] == f else f for f in folder.files]
            yield _Part(folder, items, old)


class _Unread(NamedTuple):
    """Files of a folder whose heads are to be read, and what the folder gives to them."""

    folder: str
    names: list[str]
    folder_values: FolderValues


class _Part(NamedTuple):
    """Some of a folder's files: rows of four are to be read, rows of five are known; `old` is what the index holds."""

    folder: Folder
    items: Sequence[Row]
    old: dict[str, Row]


def _batched(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    batch: list[_Part] = []
    size = 0
    for folder, items, old in parts:
        for start in range(0, len(items), PART):
            part = items[start : start + PART]
            batch.append(_Part(folder, part, old))
            size += sum([len(item) == 4 for item in part]) if old else len(part)
            if size >= PART:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _read_batch(root: str, rules: Rules, unseen: bool, batch: list[_Unread]) -> bytes:
    """Read the heads of some files; return a folder's, marshalled; where they are `unseen`, how its files look, as
    `piece_of` has it, with the latest ctime among them; and the names of those that the system did not let us read.

    Marshalled, which is several times cheaper than pickles.
    """
    few = sum([len(unread.names) for unread in batch]) <= FEW
    return marshal.dumps(
        [
            _read_part(root, rules.with_folder_values(unread.folder_values), unread.folder, unread.names, unseen, few)
            for unread in batch
        ]
    )


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
            if may_pass(error):
                unread.add(name)
                if unseen:
                    looks[-1] = storage.NO_SIGNATURE
            head = left_out(path, unreadable(rules.prefix + path, error))
        return (*head[1:11], tuple(map(packed, head.problems))) if head.problems else head[1:]

    unread: set[str] = set()
    looks: list[storage.Signature] = []
    beginnings = storage.read_prefixes(names, HEAD_SIZE, looks if unseen else None, folder=place)
    if few or not rules.dialect.is_plain:
        heads = list(map(read_alone, names, beginnings))
    else:
        from feedtool.articles import head_reader

        heads = head_reader(rules).rows(folder, names, beginnings, read_alone)
    if not unseen:
        return marshal.dumps(heads), b"", 0, unread
    files = [(name, *look) for name, look in zip(names, looks, strict=True)]
    return marshal.dumps(heads), piece_of(files), max([look[2] for look in looks]), unread


def heads_of(folder: str, files: Iterable[Row], heads: Iterable[Row]) -> list[Head]:
    """Return whole heads of files and what was kept of them; their problems stay packed."""
    # Plain tuples, a hundred thousand times a build: their places are those of Head.
    return [(folder + file[0], *head) for file, head in zip(files, heads, strict=True)]  # type: ignore[misc]


def may_pass(error: OSError) -> bool:
    """Say whether what kept us from a file may be gone the next time though the file looks the same: a disk that was away,
    a right that its folder lacked. What it is and how large it is, its look tells."""
    return error.errno not in (errno.EFBIG, errno.EINVAL, errno.EISDIR)


def left_out(path: str, problem: Problem) -> Head:
    """Return the head of an article that can't be had."""
    return Head(path, "", 0, 0, (), (), (), "", "", 0, False, (problem,))


def unreadable(file: str, error: OSError) -> Problem:
    """Return the Problem of a file that the system won't read."""
    return Problem(file=file, code="FT001", message=f"cannot be read: {error.strerror or error}", hint=remedy(error))


def packed(problem: Problem) -> Row:
    """Return a Problem as the tuple that the index keeps."""
    return (problem.file, problem.code, problem.message, problem.hint, problem.severity, problem.line, problem.column)


def unpacked(row: Row) -> Problem:
    """Return the Problem in a tuple of `packed`."""
    file, code, message, hint, severity, line, column = row
    return Problem(file=file, code=code, message=message, hint=hint, severity=severity, line=line, column=column)
