"""Define the rules by which a site generator reads article files. The plain dialect, for sites without one, is the base class."""

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
"""Values of `Head.hidden`: published; a draft, shown by `build --drafts`; never published. It may also be (start, end)."""


class Hidden(NamedTuple):
    """Whether an article is kept out of all feeds, and the reason for people ("" if it is not).

    `kind` is SHOWN, DRAFT or WITHHELD. `start` and `end` are seconds since 1970 in UTC: a SHOWN article is published from
    `start` (None: at once) until just before `end` (None: forever).
    """

    kind: int = SHOWN
    reason: str = ""
    start: int | None = None
    end: int | None = None

    def since(self, published: int) -> Hidden:
        """Return it without a start at or before the article's date: that date already hides the article until then."""
        return self if self.start is None or self.start > published else self._replace(start=None)

    def packed(self) -> int | tuple[int | None, int | None]:
        """Return the value of `Head.hidden`."""
        if self.kind == SHOWN and (self.start is not None or self.end is not None):
            return (self.start, self.end)
        return self.kind


NOT_HIDDEN = Hidden()


def both_hidden(one: Hidden, other: Hidden) -> Hidden:
    """Return the combination: hidden if either hides it, and published only while both windows are open."""
    if one.kind != SHOWN or other == NOT_HIDDEN:
        return one
    if other.kind != SHOWN:
        return other
    starts = [start for start in (one.start, other.start) if start is not None]
    ends = [end for end in (one.end, other.end) if end is not None]
    return Hidden(start=max(starts, default=None), end=min(ends, default=None))


class FolderValues(NamedTuple):
    """The values that an article inherits from the folders above it, and whether they hide it.

    `values` are pairs of a path pattern ("" for every path) and values, the nearest folder first. `digest` is b"" if no folder
    gives anything; it changes with what the folders give.
    """

    values: tuple[tuple[str, dict[str, Value]], ...] = ()
    hidden: Hidden = NOT_HIDDEN
    digest: bytes = b""


NO_FOLDER_VALUES = FolderValues()


class Sorted(NamedTuple):
    """A folder's names as a generator sorts them: article files, folders to enter, and section files with values for the folder."""

    articles: list[str]
    folders: list[str]
    sections: tuple[str, ...] = ()


@frozen
class Dialect(Frozen):
    """The rules of one generator with its settings. To the plain dialect every file is an article.

    Its repr is part of the build's fingerprint, and it is sent to other processes: all fields have plain values.
    """

    folder_values: FolderValues = NO_FOLDER_VALUES
    unsure: tuple[str, ...] = ()
    """The generator's settings that feedtool could not follow, described for people."""

    name: ClassVar[str] = "plain"
    is_metadata: ClassVar[bool] = False
    """Front matter is Python-Markdown metadata, not YAML."""
    sorts: ClassVar[bool] = False
    """`sort` excludes some names."""
    inherits: ClassVar[bool] = False
    """Folders give values to the articles below them: see `section`."""
    utc_dates: ClassVar[bool] = False
    """A date and time without a zone and without quotes is UTC."""
    splits_categories: ClassVar[bool] = False
    """A category text of several words means several categories."""
    example_date: ClassVar[str] = "2022-12-25T20:11:30+08:00"
    draft_keys: ClassVar[Mapping[str, str | bool]] = {"draft": True}
    """The keys that make a new article a draft."""
    new_suffix: ClassVar[str] = ""
    """The suffix that a new file must have, "" if it depends on the body."""

    def __hash__(self) -> int:
        return hash(repr(self))  # some fields are dictionaries, which have no hash

    @property
    def is_plain(self) -> bool:
        """True if heads can be read without calling this dialect."""
        return not (self.folder_values.values or self.folder_values.hidden != NOT_HIDDEN or self.is_metadata)

    def sort(self, folder: str, names: Sequence[str], folders: list[str]) -> Sorted:
        """Return the articles and folders among a folder's names; `folder` is below the articles folder, "" or ending in "/"."""
        return Sorted(list(names), folders)

    def section(self, above: FolderValues, path: str, data: bytes, zone: tzinfo) -> FolderValues:
        """Return the values for the articles in and below a folder, read from its section file at `path`."""
        return above

    def completed(self, path: str, values: dict[str, Value]) -> dict[str, Value]:
        """Return an article's values by normal keys, completed with those of settings and folders; its own values win."""
        return values

    def hidden(self, fields: Fields, path: str) -> Hidden:
        """Return whether an article's front matter keeps it out of feeds."""
        from feedtool.articles.hidden import hidden

        return hidden(fields, starts=("publishdate",), status=True, lists=True)

    def date_text(self, moment: datetime, zone: tzinfo) -> str:
        """Return a moment in a form that this generator reads without doubt; `zone` is the site's."""
        return iso(moment)

    def reads_date(self, text: str) -> bool:
        """Return True if the generator may read a date, so that `check --fix` must keep it. The plain dialect has one form."""
        return False

    def file_title(self, title: str, published: datetime, zone: tzinfo) -> str:
        """Return the text that the name of a new article's file is made from."""
        return title

    def address_zone(self, fields: Fields, zone: tzinfo) -> tzinfo | None:
        """Return the zone of the day in an article's address, None for the zone of the date itself."""
        return None

    def address(self, values: Mapping[str, Value]) -> str:
        """Return the template of the page address in an article's values, "" if they have none."""
        return ""


PLAIN = Dialect()


def with_values(values: dict[str, Value], others: Mapping[str, Value], *, empty_counts: bool) -> dict[str, Value]:
    """Return values plus those of `others` whose meaning no key has yet; empty values count as present only if `empty_counts`."""
    from feedtool.articles.fields import same_meaning
    from feedtool.articles.keys import HIDING

    added = {
        key: value
        for key, value in others.items()
        # Hiding keys are compared by name: `published: false` hides an article even if it has a `date`.
        if not any(
            name in values and (empty_counts or values[name] != "")
            for name in ((key,) if key in HIDING else same_meaning(key))
        )
    }
    return {**values, **added} if added else values


__all__ = ["NOT_HIDDEN", "NO_FOLDER_VALUES", "PLAIN", "Dialect", "FolderValues", "Hidden", "Sorted", "with_values"]
