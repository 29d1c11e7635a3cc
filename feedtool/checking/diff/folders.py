"""The feeds in a published folder, or a copy of one, whoever made them: found by name and by what they hold."""

from __future__ import annotations

import os
from collections.abc import Iterator

from feedtool import storage
from feedtool.checking.diff.documents import (
    NO_FEED,
    OPML,
    Document,
    in_order,
    is_feed_name,
    list_trouble,
    may_be_a_feed,
)
from feedtool.checking.diff.readers import BEGINNING, begins_like_a_feed
from feedtool.errors import UsageError

MOST_NAMES = 2_000_000
"""Files and folders of a published folder that are gone through."""
MOST_OPENED = 100_000
"""Files of it of which it takes a look to tell whether they are feeds."""
MOST_BYTES = 256_000_000
RIGHTS = "make it readable, or compare with a copy of what is published"


def in_folder(place: str) -> Iterator[Document]:
    """Yield the feeds in a folder that is published, wherever they are in it, or the one in a file.

    Whatever has a feed's name is yielded, also where it is none or cannot be read; of other files those that hold a feed.
    Hidden folders are not looked into. Raises UsageError where there is no such folder or file.
    """
    if os.path.isfile(place):
        yield _document(place, os.path.basename(place))._replace(placed=False)
        return
    if not os.path.isdir(place):
        raise UsageError("there is no such folder", where=place, hint="give the folder or the address of the site")
    troubles: list[Document] = []
    paths = [path for path in _files(place, troubles) if path.rpartition("/")[2] == OPML or may_be_a_feed(path)]
    if len(paths) > MOST_OPENED:
        troubles.append(_too_many(f"more than {MOST_OPENED:,} files may be feeds"))
        del paths[MOST_OPENED:]
    yield from troubles
    for path in sorted(paths, key=in_order):
        full = os.path.join(place, path)
        if path.rpartition("/")[2] == OPML:
            found = _document(full, path)
            trouble = found.trouble or list_trouble(found.data or b"")
            if trouble:
                yield found._replace(data=None, trouble=trouble, hint=found.hint or NO_FEED)
        elif is_feed_name(path):
            yield _document(full, path)
        else:
            yield from _if_a_feed(full, path)


def _if_a_feed(full: str, path: str) -> Iterator[Document]:
    """Yield a file that holds a feed, or of which nobody can tell since it cannot be read."""
    try:
        # The version of a JSON Feed may stand at its end.
        limit = None if path.lower().endswith(".json") else BEGINNING
        beginning = storage.read(full, limit, max_size=MOST_BYTES)
    except OSError as error:
        if not isinstance(error, FileNotFoundError | IsADirectoryError):
            yield _unreadable(path, error)
        return
    if begins_like_a_feed(beginning):
        yield _document(full, path)


def _document(full: str, path: str) -> Document:
    try:
        return Document(path, storage.read(full, max_size=MOST_BYTES))
    except OSError as error:
        return _unreadable(path, error)


def _unreadable(path: str, error: OSError) -> Document:
    return Document(path, trouble=f"it cannot be read: {error.strerror or error}", hint=RIGHTS)


def _too_many(what: str) -> Document:
    return Document("", trouble=what, hint="name the published feed itself, or its folder")


def _files(root: str, troubles: list[Document]) -> Iterator[str]:
    """Yield the paths of the files below a folder, through links to folders as servers do, each folder once."""
    seen: set[tuple[int, int]] = set()
    names = 0

    def refused(error: OSError) -> None:
        path = os.path.relpath(error.filename or root, root).replace(os.sep, "/")
        troubles.append(_unreadable("" if path == "." else path, error))

    for folder, below, files in os.walk(root, followlinks=True, onerror=refused):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            below[:] = []
            continue
        seen.add((status.st_dev, status.st_ino))
        below[:] = sorted(name for name in below if not name.startswith("."))
        names += len(below) + len(files)
        if names > MOST_NAMES:
            troubles.append(_too_many(f"it holds more than {MOST_NAMES:,} files"))
            return
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        for name in files:
            yield name if inside == "." else f"{inside}/{name}"
