"""Choose the path of a new article from its source, title and date. It is always inside the articles folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

from feedtool import storage
from feedtool.errors import OutputError
from feedtool.slugs import collision_key, file_name

_MAX_FOLDER_NAME = 120
"""UTF-8 bytes of one folder's name. It is less than a file's, because the length of a path is limited, too."""
_MAX_FILE_NAME = 200


def folder_of(template: str, *, source: str, categories: Sequence[str], published: datetime) -> str:
    """Return the folder that a template gives, ending in "/", or "" for the articles folder itself.

    The names in the template are those of `[ingest] folder`. A part of the path that would be empty is left out.
    """
    return _folder(
        template, source, categories[0] if categories else "", published.year, published.month, published.day
    )


@lru_cache(1024)
def _folder(template: str, source: str, category: str, year: int, month: int, day: int) -> str:
    values = {
        "source": source,
        "category": category,
        "year": f"{year:04}",
        "month": f"{month:02}",
        "day": f"{day:02}",
    }
    parts = []
    for part in template.split("/"):
        # Fill in all names in one pass, so that a value that looks like a template is not filled in again.
        filled = "".join(values.get(piece, piece) if inside else piece for inside, piece in _split_template(part))
        if filled.strip():
            parts.append(file_name(filled, suffix="", limit=_MAX_FOLDER_NAME))
    return "".join(f"{part}/" for part in parts)


def source_folder(template: str, *, source: str, categories: Sequence[str]) -> str:
    """Return the folder of a source's articles if it is the same for all of them, otherwise ""."""
    if any(name in template for name in ("{year}", "{month}", "{day}")) or "{source}" not in template:
        return ""
    return folder_of(template, source=source, categories=categories, published=datetime.min.replace(tzinfo=UTC))


class ArticlePaths:
    """The file names that are in use below one articles folder, read folder by folder as needed."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._taken: dict[str, set[str]] = {}
        self._spellings: dict[str, dict[str, str]] = {}

    def path(self, folder: str, title: str, identity: str, *, suffix: str = ".md") -> str:
        """Return an unused path in `folder` for an article, and reserve it.

        Names that differ only in case or width count as equal, because they are one name on some file systems. For the same reason,
        an existing folder with an equal name is used. Raise OutputError if a link would lead out of the folder.
        """
        folder = self._existing_spelling(folder)
        taken = self._taken_names(folder)
        name = file_name(title, suffix=suffix, limit=_MAX_FILE_NAME)
        stem = name[: -len(suffix)]
        for size in (0, 3, 8, 16):
            digest = blake2b(identity.encode("utf-8", "replace"), digest_size=size or 1).hexdigest()
            candidate = f"{stem}-{digest}{suffix}" if size else name
            if collision_key(candidate) not in taken:
                taken.add(collision_key(candidate))
                return folder + candidate
        raise OutputError("has no free name for this article", where=folder or ".", hint="look into that folder")

    def release(self, path: str) -> None:
        """Release a reserved path that was not used."""
        folder, _, name = path.rpartition("/")
        self._taken.get(f"{folder}/" if folder else "", set()).discard(collision_key(name))

    def clear(self) -> None:
        """Forget the names that were read: the folders of one source are rarely those of the next."""
        self._taken.clear()

    def _existing_spelling(self, folder: str) -> str:
        spelled = ""
        for part in folder.split("/")[:-1]:
            if spelled not in self._spellings:
                self._spellings[spelled] = self._folders(spelled)
            existing = self._spellings[spelled]
            spelled += (existing.get(part) or existing.setdefault(collision_key(part), part)) + "/"
        return spelled

    def _folders(self, parent: str) -> dict[str, str]:
        """Return the subfolders of a folder, by their names and by their collision keys."""
        try:
            with os.scandir(os.path.join(self.root, parent)) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            return {}
        return {collision_key(name): name for name in reversed(names)} | {name: name for name in names}

    def _taken_names(self, folder: str) -> set[str]:
        if folder not in self._taken:
            full = os.path.join(self.root, *folder.split("/")).rstrip(os.sep)
            if os.path.realpath(full) != full:
                raise OutputError("leads through a link", where=folder, hint="make it a folder of its own")
            try:
                names = os.listdir(full)
            except FileNotFoundError:
                names = []
            self._taken[folder] = {collision_key(name) for name in names if not name.endswith(storage.TEMPORARY_SUFFIX)}
        return self._taken[folder]


def _split_template(part: str) -> list[tuple[bool, str]]:
    """Return the pieces of a template's part: names in braces (True) and the text between them (False)."""
    pieces: list[tuple[bool, str]] = []
    for number, piece in enumerate(part.replace("}", "{").split("{")):
        pieces.append((number % 2 == 1, piece))
    return pieces
