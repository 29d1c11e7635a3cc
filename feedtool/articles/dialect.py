"""The rules by which a site generator reads article files; the plain dialect, which has no generator, is the base of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from feedtool.dates.parse import iso
from feedtool.frozen import Frozen, frozen

if TYPE_CHECKING:
    from feedtool.articles.fields import Fields
    from feedtool.articles.yaml import Value

SHOWN, DRAFT, WITHHELD = 0, 1, 2
"""`Head.hidden`: published; a draft, shown by `build --drafts`; never published. A window (from, until) is the fourth form."""


class Hidden(NamedTuple):
    """Whether an article is kept out of all feeds, and why, in words for people ("" where it is not).

    `kind` is SHOWN, DRAFT or WITHHELD. `start` and `end` are seconds since 1970 in UTC: a SHOWN article is published from
    `start` (None: at once) until just before `end` (None: for ever).
    """

    kind: int = SHOWN
    reason: str = ""
    start: int | None = None
    end: int | None = None

    def since(self, published: int) -> Hidden:
        """Return it without a start that is not after the article's date, which hides it until then by itself."""
        return self if self.start is None or self.start > published else self._replace(start=None)

    def packed(self) -> int | tuple[int | None, int | None]:
        """Return it as a Head holds it."""
        if self.kind == SHOWN and (self.start is not None or self.end is not None):
            return (self.start, self.end)
        return self.kind


NOT_HIDDEN = Hidden()


def both_hidden(one: Hidden, other: Hidden) -> Hidden:
    """Return what two say together: hidden by either, and published only while both let it."""
    if one.kind != SHOWN or other == NOT_HIDDEN:
        return one
    if other.kind != SHOWN:
        return other
    starts = [start for start in (one.start, other.start) if start is not None]
    ends = [end for end in (one.end, other.end) if end is not None]
    return Hidden(start=max(starts, default=None), end=min(ends, default=None))


class FolderValues(NamedTuple):
    """What the folders above an article give to it: values under path patterns ("" for every path), the nearest first, and
    whether they hide it.

    `digest` is b"" where no folder says anything; it changes when one says something else.
    """

    values: tuple[tuple[str, dict[str, Value]], ...] = ()
    hidden: Hidden = NOT_HIDDEN
    digest: bytes = b""


NO_FOLDER_VALUES = FolderValues()


class Sorted(NamedTuple):
    """A folder's names as a generator sorts them: article files, folders to go into, and files that speak for the folder."""

    articles: list[str]
    folders: list[str]
    sections: tuple[str, ...] = ()


@frozen
class Dialect(Frozen):
    """The rules of one generator as its settings have them. The plain dialect takes every file for an article.

    Its repr is part of the build's fingerprint, and it is sent to other processes: fields hold plain values only.
    """

    folder_values: FolderValues = NO_FOLDER_VALUES
    unsure: tuple[str, ...] = ()
    """What of the generator's settings could not be followed, in words for people."""

    name: ClassVar[str] = "plain"
    is_metadata: ClassVar[bool] = False
    """Front matter is Python-Markdown metadata, not YAML."""
    sorts: ClassVar[bool] = False
    """`sort` leaves names out."""
    inherits: ClassVar[bool] = False
    """Folders give values to the articles below them: see `section`."""
    utc_dates: ClassVar[bool] = False
    """A date and time without a zone and without quotes is UTC."""
    splits_categories: ClassVar[bool] = False
    """A text of several words names several categories."""
    example_date: ClassVar[str] = "2022-12-25T20:11:30+08:00"
    draft_keys: ClassVar[Mapping[str, str | bool]] = {"draft": True}
    """What a new draft says of itself."""
    new_suffix: ClassVar[str] = ""
    """The ending that a new file must have, "" where its body decides."""

    def __hash__(self) -> int:
        return hash(repr(self))  # fields hold maps, which have no hash

    @property
    def is_plain(self) -> bool:
        """Whether heads may be read without asking this dialect."""
        return not (self.folder_values.values or self.folder_values.hidden != NOT_HIDDEN or self.is_metadata)

    def sort(self, folder: str, names: Sequence[str], folders: list[str]) -> Sorted:
        """Return which names of a folder are articles; `folder` is relative to the articles folder, "" or ending in "/"."""
        return Sorted(list(names), folders)

    def section(self, above: FolderValues, path: str, data: bytes, zone: tzinfo) -> FolderValues:
        """Return what a folder gives to the articles in and below it, by the file at `path` that speaks for it."""
        return above

    def completed(self, path: str, values: dict[str, Value]) -> dict[str, Value]:
        """Return an article's values, by normal keys, with those that settings and folders give to it; own ones win."""
        return values

    def hidden(self, fields: Fields, path: str) -> Hidden:
        """Return whether an article's front matter keeps it out of feeds."""
        from feedtool.articles.hidden import hidden

        return hidden(fields, starts=("publishdate",), status=True, lists=True)

    def date_text(self, moment: datetime, zone: tzinfo) -> str:
        """Return a moment as this dialect is sure to read it; `zone` is the site's."""
        return iso(moment)

    def reads_date(self, text: str) -> bool:
        """Return True if a date must not be written anew, since the generator reads it. The plain dialect has one form."""
        return False

    def file_title(self, title: str, published: datetime, zone: tzinfo) -> str:
        """Return what a new article's file is named after."""
        return title

    def address_zone(self, fields: Fields, zone: tzinfo) -> tzinfo | None:
        """Return the zone in which the generator counts the day of an article's address, None for that of the date itself."""
        return None

    def address(self, values: Mapping[str, Value]) -> str:
        """Return the template of the address that an article's values give to its page, "" where they give none."""
        return ""


PLAIN = Dialect()


def with_values(values: dict[str, Value], others: Mapping[str, Value], *, empty_counts: bool) -> dict[str, Value]:
    """Return values with those of `others` whose meaning no key has yet; an empty value is one only if `empty_counts`."""
    from feedtool.articles.fields import same_meaning
    from feedtool.articles.keys import HIDING

    added = {
        key: value
        for key, value in others.items()
        # `published: false` hides an article, whatever its `date` is.
        if not any(
            name in values and (empty_counts or values[name] != "")
            for name in ((key,) if key in HIDING else same_meaning(key))
        )
    }
    return {**values, **added} if added else values


__all__ = ["NOT_HIDDEN", "NO_FOLDER_VALUES", "PLAIN", "Dialect", "FolderValues", "Hidden", "Sorted", "with_values"]
