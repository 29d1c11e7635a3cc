"""Find the feeds in a published folder, or in a copy of one, by name and by content."""

from __future__ import annotations

import os
from collections.abc import Iterator

from feedtool import storage
from feedtool.checking.diff.documents import (
    NO_FEED,
    OPML,
    Document,
    is_feed_name,
    list_problem,
    may_be_a_feed,
    sort_key,
)
from feedtool.checking.diff.readers import PREFIX_SIZE, looks_like_a_feed
from feedtool.errors import UsageError

MAX_NAMES = 2_000_000
"""The number of files and folders of a published folder that are listed."""
MAX_OPENED = 100_000
"""The number of files that are opened to see whether they are feeds."""
MAX_BYTES = 256_000_000
UNREADABLE_HINT = "make it readable, or compare with a copy of what is published"


def in_folder(place: str) -> Iterator[Document]:
    """Yield the feeds anywhere in a published folder, or the one in a file.

    A file with the name of a feed is yielded even if it is none or cannot be read; other files are yielded if they hold
    a feed. Hidden folders are skipped. Raise UsageError if there is no such folder or file.
    """
    if os.path.isfile(place):
        yield _document(place, os.path.basename(place))._replace(placed=False)
        return
    if not os.path.isdir(place):
        raise UsageError("there is no such folder", where=place, hint="give the folder or the address of the site")
    problems: list[Document] = []
    paths = [path for path in _files(place, problems) if path.rpartition("/")[2] == OPML or may_be_a_feed(path)]
    if len(paths) > MAX_OPENED:
        problems.append(_too_many(f"more than {MAX_OPENED:,} files may be feeds"))
        del paths[MAX_OPENED:]
    yield from problems
    for path in sorted(paths, key=sort_key):
        full = os.path.join(place, path)
        if path.rpartition("/")[2] == OPML:
            document = _document(full, path)
            problem = document.problem or list_problem(document.data or b"")
            if problem:
                yield document._replace(data=None, problem=problem, hint=document.hint or NO_FEED)
        elif is_feed_name(path):
            yield _document(full, path)
        else:
            yield from _if_a_feed(full, path)


def _if_a_feed(full: str, path: str) -> Iterator[Document]:
    """Yield a file if it holds a feed, or if it cannot be read and may hold one."""
    try:
        # The version of a JSON Feed may come at its end.
        limit = None if path.lower().endswith(".json") else PREFIX_SIZE
        prefix = storage.read(full, limit, max_size=MAX_BYTES)
    except OSError as error:
        if not isinstance(error, FileNotFoundError | IsADirectoryError):
            yield _unreadable(path, error)
        return
    if looks_like_a_feed(prefix):
        yield _document(full, path)


def _document(full: str, path: str) -> Document:
    try:
        return Document(path, storage.read(full, max_size=MAX_BYTES))
    except OSError as error:
        return _unreadable(path, error)


def _unreadable(path: str, error: OSError) -> Document:
    return Document(path, problem=f"it cannot be read: {error.strerror or error}", hint=UNREADABLE_HINT)


def _too_many(what: str) -> Document:
    return Document("", problem=what, hint="name the published feed itself, or its folder")


def _files(root: str, problems: list[Document]) -> Iterator[str]:
    """Yield the paths of the files below a folder. Links to folders are followed, as servers do; each folder is visited once."""
    visited: set[tuple[int, int]] = set()
    names = 0

    def refused(error: OSError) -> None:
        path = os.path.relpath(error.filename or root, root).replace(os.sep, "/")
        problems.append(_unreadable("" if path == "." else path, error))

    for folder, below, files in os.walk(root, followlinks=True, onerror=refused):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in visited:
            below[:] = []
            continue
        visited.add((status.st_dev, status.st_ino))
        below[:] = sorted(name for name in below if not name.startswith("."))
        names += len(below) + len(files)
        if names > MAX_NAMES:
            problems.append(_too_many(f"it holds more than {MAX_NAMES:,} files"))
            return
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        for name in files:
            yield name if inside == "." else f"{inside}/{name}"
