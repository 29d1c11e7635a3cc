"""Article folders in, heads of articles out, as a stream; files that have not changed are not opened."""

from __future__ import annotations

import hashlib
import marshal
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from feedtool import store
from feedtool.article import HEAD_SIZE, Head, Rules, read_head
from feedtool.index import Index
from feedtool.model import Problem
from feedtool.ports import Mapper
from feedtool.store import Folder

BATCH = 512
"""Files a process is given at a time."""
HELD = 100_000
"""Changed files whose names are held at once; past that the folders are walked again instead."""

Row = tuple[Any, ...]
"""(name, size, changed, inode, head): what the index keeps of a file."""


@dataclass(slots=True)
class Listing:
    """The articles folder as it is now: each folder's mark, and the folders that changed, with their files.

    In a first build `changed` can be gone through once, and `marks` fills as it is. `overflowed` says that more
    changed than is held: walk again to see them.
    """

    marks: dict[str, bytes] = field(default_factory=dict)
    changed: Iterable[Folder] = ()
    problems: list[Problem] = field(default_factory=list)
    overflowed: bool = False


def mark_of(folder: Folder, rules: bytes, now: int) -> bytes:
    """Return what tells this state of a folder from others. A file changed just now gets a mark that never matches.

    Within one tick of the file system's clock a file may change twice and look the same.
    """
    racy = now.to_bytes(8, "big") if is_racy(max([found[3] for found in folder.files]), now) else b""
    listing = marshal.dumps(folder.files, 2)
    return hashlib.blake2b(listing, digest_size=16, key=rules).digest() + racy


def is_racy(changed: int, now: int) -> bool:
    """Say whether a file changed so lately that it may change again and look the same."""
    window = 2_000_000_000 if changed % 1_000_000_000 == 0 else 20_000_000
    return abs(now - changed) < window


def list_folders(root: str, prefix: str, known: dict[str, bytes], rules: bytes, now: int) -> Listing:
    """Walk the articles folder once and tell which folders changed since the index saw them."""
    listing = Listing()
    if not known:
        # All is new: the first files can be read while the last folders are still being found.
        walked = store.walk(root, problems=listing.problems, prefix=prefix)
        listing.changed = _marked(walked, listing.marks, rules, now)
        return listing
    held = 0
    changed: list[Folder] = []
    listing.changed = changed
    for folder in store.walk(root, problems=listing.problems, prefix=prefix):
        mark = mark_of(folder, rules, now)
        listing.marks[folder.path] = mark
        if known.get(folder.path) == mark:
            continue
        held += len(folder.files)
        if held > HELD:
            listing.overflowed = True
            changed.clear()
        if not listing.overflowed:
            changed.append(folder)
    return listing


def _marked(folders: Iterator[Folder], marks: dict[str, bytes], rules: bytes, now: int) -> Iterator[Folder]:
    for folder in folders:
        marks[folder.path] = mark_of(folder, rules, now)
        yield folder


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

    def update(self, listing: Listing, known: dict[str, bytes]) -> list[Head] | None:
        """Read what changed and return its heads, or None where that is too much to hold."""
        if listing.overflowed:
            return None
        self.same = known.keys() == listing.marks.keys()
        return list(self._changed(listing.changed, listing, known))

    def stream(self, listing: Listing, known: dict[str, bytes], updated: list[Head] | None = None) -> Iterator[Head]:
        """Yield the head of every article: from the index where its folder is unchanged, else from its file.

        `updated` is what `update` returned, when it was called before.
        """
        changed = listing.changed
        if listing.overflowed:
            ignored: list[Problem] = []
            walked = store.walk(self._root, problems=ignored, prefix=self._rules.prefix)
            changed = (folder for folder in walked if known.get(folder.path) != listing.marks.get(folder.path, b""))
        for path, mark in listing.marks.items() if known else ():
            if known.get(path) == mark:
                for row in self._index.folder(path):
                    yield head_of(row, path)
        yield from self._changed(changed, listing, known) if updated is None else updated
        self._index.forget_folders(known.keys() - listing.marks.keys())

    def again(self, listing: Listing) -> Iterator[Head]:
        """Yield every head once more, from the index alone."""
        for path in listing.marks:
            for row in self._index.folder(path):
                yield head_of(row, path)

    def _changed(self, folders: Iterable[Folder], listing: Listing, known: dict[str, bytes]) -> Iterator[Head]:
        sent: deque[list[_Part]] = deque()
        work = partial(_read_batch, self._root, self._rules)

        def batches() -> Iterator[list[tuple[str, list[str]]]]:
            for batch in _batched(self._sorted_out(folders, known)):
                sent.append(batch)
                yield [(part.folder.path, [item[0] for item in part.items if len(item) == 4]) for part in batch]

        rows: list[Row] = []
        for result in self._mapper(work, batches()):
            heads = iter(marshal.loads(result))  # noqa: S302 - made by _read_batch
            for part in sent.popleft():
                folder = part.folder
                for item in part.items:
                    row = item
                    if len(item) == 4:
                        head = next(heads)
                        row = (*item, head)
                        if self.same and part.old.get(item[0], item)[4:] != (head,):
                            self.same = False
                    rows.append(row)
                    yield head_of(row, folder.path)
                if len(rows) == len(folder.files):
                    self._index.keep_folder(folder.path, listing.marks.get(folder.path, b""), marshal.dumps(rows))
                    rows = []

    def _sorted_out(self, folders: Iterable[Folder], known: dict[str, bytes]) -> Iterator[_Part]:
        for folder in folders:
            old: dict[str, Row] = {}
            if folder.path in known:
                old = {row[0]: row for row in self._index.folder(folder.path)}
            if len(old) != len(folder.files):
                self.same = False
            if len(known.get(folder.path, b"")) > 16:
                # It changed as it was being read: nothing seen then is believed, but for comparing.
                items: list[Row] = list(folder.files)
            else:
                items = [row if (row := old.get(f[0])) is not None and row[:4] == f else f for f in folder.files]
            yield _Part(folder, items, old)


class _Part(NamedTuple):
    """Some of a folder's files: rows of four are to be read, rows of five are known; `old` is what the index holds."""

    folder: Folder
    items: list[Row]
    old: dict[str, Row]


def _batched(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    batch: list[_Part] = []
    size = 0
    for folder, items, old in parts:
        for start in range(0, len(items), BATCH):
            part = items[start : start + BATCH]
            batch.append(_Part(folder, part, old))
            size += sum(len(item) == 4 for item in part)
            if size >= BATCH:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _read_batch(root: str, rules: Rules, batch: list[tuple[str, list[str]]]) -> bytes:
    """Read the heads of some files; marshalled, since that is several times cheaper to send than pickles."""
    paths = [folder + name for folder, names in batch for name in names]
    heads = []
    for path, data in zip(paths, store.beginnings([f"{root}/{path}" for path in paths], HEAD_SIZE), strict=True):
        try:
            if isinstance(data, OSError):
                raise data
            head = read_head(path, data, partial(store.read, f"{root}/{path}"), rules)
        except OSError as error:
            head = left_out(path, unreadable(rules.prefix + path, error))
        heads.append((*head[1:11], tuple(packed(problem) for problem in head.problems) if head.problems else ()))
    return marshal.dumps(heads)


def head_of(row: Row, folder: str) -> Head:
    """Return the head in a row; its problems stay packed."""
    # A plain tuple, a hundred thousand times a build: its places are those of Head.
    return (folder + row[0], *row[4])  # type: ignore[return-value]


def left_out(path: str, problem: Problem) -> Head:
    """Return the head of an article that can't be had."""
    return Head(path, "", 0, 0, (), (), (), "", "", False, False, (problem,))


def unreadable(file: str, error: OSError) -> Problem:
    """Return the Problem of a file that the system won't read."""
    return Problem(
        file=file, code="FT001", message=f"cannot be read: {error.strerror or error}", hint="check its permissions"
    )


def packed(problem: Problem) -> Row:
    """Return a Problem as the tuple that the index keeps."""
    return (problem.file, problem.code, problem.message, problem.hint, problem.severity, problem.line, problem.column)


def unpacked(row: Row) -> Problem:
    """Return the Problem in a tuple of `packed`."""
    file, code, message, hint, severity, line, column = row
    return Problem(file=file, code=code, message=message, hint=hint, severity=severity, line=line, column=column)
