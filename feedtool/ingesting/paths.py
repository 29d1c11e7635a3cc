"""A source, an entry's title and date in, the path that its new article gets out; never outside the articles folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

from feedtool import storage
from feedtool.errors import OutputError
from feedtool.slugs import collision_key, file_name

_PART = 120
"""UTF-8 bytes of one folder's name: a path has its limit too."""
_NAME = 200


def folder_of(template: str, *, source: str, categories: Sequence[str], published: datetime) -> str:
    """Return the folder that a template gives, ending in "/", "" for the articles folder itself.

    The template's names are those of `[ingest] folder`; a part that has nothing in it is left out.
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
        # One pass, so that a name that looks like a template is none.
        filled = "".join(values.get(piece, piece) if inside else piece for inside, piece in _pieces(part))
        if filled.strip():
            parts.append(file_name(filled, suffix="", limit=_PART))
    return "".join(f"{part}/" for part in parts)


def home_of(template: str, *, source: str, categories: Sequence[str]) -> str:
    """Return the folder of a source's articles where it is the same for all of them, else ""."""
    if any(name in template for name in ("{year}", "{month}", "{day}")) or "{source}" not in template:
        return ""
    return folder_of(template, source=source, categories=categories, published=datetime.min.replace(tzinfo=UTC))


class Places:
    """The names that are taken below one articles folder, as far as they were asked about."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._taken: dict[str, set[str]] = {}
        self._spellings: dict[str, dict[str, str]] = {}

    def path(self, folder: str, title: str, identity: str, *, suffix: str = ".md") -> str:
        """Return a free path in `folder` for an article, and take it.

        Names that differ in case or width only count as one: some file systems think so. So the folder is that which is
        there already under such a name. Raises OutputError when a link would lead out of the folder.
        """
        folder = self._spelled(folder)
        taken = self._names(folder)
        name = file_name(title, suffix=suffix, limit=_NAME)
        stem = name[: -len(suffix)]
        for size in (0, 3, 8, 16):
            digest = blake2b(identity.encode("utf-8", "replace"), digest_size=size or 1).hexdigest()
            candidate = f"{stem}-{digest}{suffix}" if size else name
            if collision_key(candidate) not in taken:
                taken.add(collision_key(candidate))
                return folder + candidate
        raise OutputError("has no free name for this article", where=folder or ".", hint="look into that folder")

    def free(self, path: str) -> None:
        """Give a path back that was not used after all."""
        folder, _, name = path.rpartition("/")
        self._taken.get(f"{folder}/" if folder else "", set()).discard(collision_key(name))

    def forget(self) -> None:
        """Let go of what was read: the folders of one source are rarely those of the next."""
        self._taken.clear()

    def _spelled(self, folder: str) -> str:
        made = ""
        for part in folder.split("/")[:-1]:
            if made not in self._spellings:
                self._spellings[made] = self._folders(made)
            known = self._spellings[made]
            made += (known.get(part) or known.setdefault(collision_key(part), part)) + "/"
        return made

    def _folders(self, parent: str) -> dict[str, str]:
        """Return the folders in a folder, by their names and by what these are alike to."""
        try:
            with os.scandir(os.path.join(self.root, parent)) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            return {}
        return {collision_key(name): name for name in reversed(names)} | {name: name for name in names}

    def _names(self, folder: str) -> set[str]:
        if folder not in self._taken:
            place = os.path.join(self.root, *folder.split("/")).rstrip(os.sep)
            if os.path.realpath(place) != place:
                raise OutputError("leads through a link", where=folder, hint="make it a folder of its own")
            try:
                names = os.listdir(place)
            except FileNotFoundError:
                names = []
            self._taken[folder] = {collision_key(name) for name in names if not name.endswith(storage.TEMPORARY)}
        return self._taken[folder]


def _pieces(part: str) -> list[tuple[bool, str]]:
    """Return the pieces of a template's part: names in braces (True) and the text between (False)."""
    found: list[tuple[bool, str]] = []
    for number, piece in enumerate(part.replace("}", "{").split("{")):
        found.append((number % 2 == 1, piece))
    return found
