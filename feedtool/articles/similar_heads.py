"""What the files of a folder begin with in, their heads out: those that `read_head` gives, in less than half its time.

The articles of a site are written alike: the same keys in the same order, some of them now and then. Such a form, once it
was met often enough, is made an expression that proves a whole front matter plain and finds what it says in one go. What
no form matches is left to `read_head`; where one does, its answer would be the same (`tests/test_heads.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from feedtool.articles.fields import KNOWN, is_yaml_time, plain_names
from feedtool.articles.identity import quoted_stems, written_id
from feedtool.articles.keys import ENCRYPTED, UNLISTED
from feedtool.articles.reader import fenced, is_draft_path
from feedtool.articles.rules import Rules
from feedtool.articles.yaml import MAXIMUM_DEPTH, Value, by_engine
from feedtool.articles.yaml_fast import BLOCKS, ODD, normal, plain_lines, plain_name, scalar
from feedtool.dates.parse import parse_date
from feedtool.expressions import expression

Row: TypeAlias = tuple[Any, ...]
"""A Head without its path."""

LEARNT = 64
"""How many heads of one form are read before it is made an expression: to compile that takes as long as to read these."""
_FORMS = 8
_LONGEST = 40
_REMEMBERED = 1000

# What one line says, in the forms that `plainlines` knows.
_BARE = rf"(?!(?:null|Null|NULL)\n)[^\W_][^:#{ODD}]*+(?>(?:(?::(?![ \n])|(?<! )#)[^:#{ODD}]*+)*)(?<! )"
_SCALAR = rf"'[^'{ODD}]*+(?>(?:''[^'{ODD}]*+)*)'|{_BARE}|\"[^\"\\{ODD}]*+\""
_LINE = rf"(?: (?:{_SCALAR})| *+)\n"
_TEXT = rf"(?: ({_SCALAR})| *+)\n"
_BLOCK = r"((?=[ \n])[^\n]*+\n(?>(?:[ -][^\n]*+\n)*))"
# A list in brackets that no engine reads otherwise than another: words, or texts in quotes.
_ITEM = rf"(?:'[^'{ODD}]*+'|\"[^\"\\{ODD}]*+\"|[^\W_][\w.+/-]*+(?>(?: [^\W_][\w.+/-]*+)*))"
_FLOW = expression(rf"[^:]+: \[{_ITEM}(?>(?:, *+{_ITEM})*)\]\n")

_TEXTS = ("title", "date", "updated", "link", "id")
_LISTS = ("categories", "tags", "author")
# Where several keys may mean one thing, a form has one of them.
_MEANT = {"lastmod": "updated", "guid": "id", "uuid": "id"}
_NOT_ASKED = frozenset(
    ("thumbnail", "headimg", "cover", "image", "images", "summary", "description", "excerpt", "enclosures", "enclosure",
     "audio", "duration", "lang", "language", "copyright", "rights")
)  # fmt: skip
# What these say is asked only where it is not `false`.
_OFF = frozenset(("draft", *UNLISTED, *ENCRYPTED))
# An address of these letters alone is one to link to.
_SAFE = expression(r"https?://[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)+(?:/[A-Za-z0-9/_.~=-]*)?(?:\?[A-Za-z0-9/_.~=&-]*)?")

_OFFSET = expression(r"[+-]\d\d:\d\d|Z", re.ASCII)
_SEPARATORS = ("-", "-", ":", ":")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what it is taken from has no zone either

_Texts: TypeAlias = tuple[str | None, ...]


class _Key(NamedTuple):
    """A key of a form, and whether its value takes more than a line to say, or brackets."""

    key: str
    is_long: bool


_Written: TypeAlias = tuple[_Key, ...]


class _Form(NamedTuple):
    """The expression of a form, what picks `_TEXTS` and `_LISTS` from its groups, and the keys and groups that must be plain.

    `keys` are in their order, each with whether there are articles without it.
    """

    fullmatch: Callable[[str], re.Match[str] | None]
    groups_of: Callable[[_Texts], _Texts]
    others: tuple[tuple[str, int], ...]
    keys: dict[_Key, bool]


class SimilarHeadReader:
    """Reads heads by the forms it has met; `rules` are those of `read_head`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._fit = not rules.hierarchy and rules.dialect.is_plain
        self._forms: list[_Form] = []
        self._met: dict[_Written, int] = {}
        self._offsets: dict[str, int] = {}
        self._names: dict[_Texts, tuple[tuple[str, ...], ...]] = {}

    def rows(
        self,
        folder: str,
        names: list[str],
        beginnings: Iterable[bytes | OSError],
        other: Callable[[str, bytes | OSError], Row],
    ) -> list[Row]:
        """Return the rows of a folder's files in order, given what each begins with.

        What is written in no form met before, or can't be read, has its row from `other`, asked with its name.
        """
        hidden = is_draft_path(folder)
        rows = []
        for name, stem, data in zip(names, quoted_stems(folder, names), beginnings, strict=True):
            texts = self._matched(data) if type(data) is bytes and self._fit else None
            row = self._row(texts, stem, hidden) if texts is not None else None
            rows.append(other(name, data) if row is None else row)
        return rows

    def _matched(self, data: bytes) -> _Texts | None:
        """Return the scalars and lines of `_TEXTS` and `_LISTS` in front matter of some form, None in all other."""
        found = fenced(data)
        if found is None:
            return None
        matter = found[0].replace("\r\n", "\n")
        forms = self._forms
        for at, (fullmatch, pick, others, _) in enumerate(forms):
            match = fullmatch(matter)
            if match is not None:
                if at:
                    # What is met more often comes to be asked first.
                    forms[at - 1], forms[at] = forms[at], forms[at - 1]
                if others and not all(_is_plain(key, match[group] or "\n") for key, group in others):
                    return None
                # More brackets than that may be past a bound, which no single line knows.
                return pick(match.groups()) if matter.count("[") + matter.count("{") <= MAXIMUM_DEPTH else None
        self._learn(matter)
        return None

    def _row(self, texts: _Texts, stem: str, hidden: bool) -> Row | None:
        title, date, updated, link, written = texts[:5]
        rules = self._rules
        names = self._names.get(texts[5:]) or self._names_in(texts[5:])
        published = self._moment(date)
        if published is None or names is None:
            return None
        moment, day = published
        changed = self._moment(updated) if updated else published
        if changed is None or (link and not _SAFE.fullmatch(scalar(link))):
            return None
        given = " ".join(scalar(written).split()) if written else ""
        given = written_id(given) if given else f"tag:{rules.authority},{day}:{stem}"
        title = " ".join(scalar(title or "").split())
        categories, tags, authors = names
        return (
            given,
            moment,
            max(moment, changed[0]),
            categories,
            tags,
            authors,
            "",
            title,
            int(hidden),
            bool(link),
            (),
        )

    def _moment(self, written: str | None) -> tuple[int, str] | None:
        """Return the moment that a date names, in whole seconds, and its day as it is written there."""
        text = scalar(written or "")
        east = self._offsets.get(text[19:])
        if east is not None and _is_iso(text) and text[11:13] != "24":
            # Whole seconds at an offset met before: `parse_date` would take twice as long to say the same.
            try:
                since = datetime.fromisoformat(text[:19]) - _EPOCH
            except ValueError:
                return None
            if "1000" <= text[:4] <= "2199":
                return since.days * 86_400 + since.seconds - east, text[:10]
        zone = self._rules.zone
        if self._rules.dialect.utc_dates and written and written[0].isdigit() and is_yaml_time(text):
            zone = UTC
        moment = parse_date(text, zone=zone)
        if moment is None:
            return None
        offset = moment.utcoffset()
        if offset is not None and _OFFSET.fullmatch(text, 19) and _is_iso(text) and len(self._offsets) < 100:
            self._offsets[text[19:]] = int(offset.total_seconds())
        return int(moment.timestamp()), moment.date().isoformat()

    def _names_in(self, blocks: _Texts) -> tuple[tuple[str, ...], ...] | None:
        """Return the names in the lines of `_LISTS`, None where they are not plain. The same few come with every article."""
        names = []
        for key, block in zip(_LISTS, blocks, strict=True):
            found = _names(key, block, self._rules) if block else ()
            if found is None:
                return None
            names.append(found)
        if len(self._names) >= _REMEMBERED:
            self._names.clear()
        self._names[blocks] = known = tuple(names)
        return known

    def _learn(self, matter: str) -> None:
        """Count a way of writing, and take it into a form once it was met often enough."""
        written = _written(matter)
        if written is None:
            return
        if len(self._met) >= _REMEMBERED:
            self._met.clear()
        self._met[written] = met = self._met.get(written, 0) + 1
        if met != LEARNT:
            return
        for at, form in enumerate(self._forms):
            keys = _merged(form.keys, written)
            if keys == form.keys:
                # Nothing to learn: its keys are known, only what one of them says is not plain.
                return
            if keys is not None and (merged := _form(keys)) is not None:
                self._forms[at] = merged
                return
        new = _form(dict.fromkeys(written, False)) if len(self._forms) < _FORMS else None
        if new is not None:
            self._forms.append(new)


@lru_cache(maxsize=2)
def head_reader(rules: Rules) -> SimilarHeadReader:
    """Return what reads heads by these rules; a process goes on with what it has learnt."""
    return SimilarHeadReader(rules)


def _is_iso(text: str) -> bool:
    """Say whether a text that begins with a date and a time of day in whole seconds has them as ISO 8601 does."""
    return text[10] in "T " and (text[4], text[7], text[13], text[16]) == _SEPARATORS


@lru_cache(maxsize=_REMEMBERED)
def _is_plain(key: str, block: str) -> bool:
    if _values(key, block) is not None:
        return True
    # A mapping of what is plain itself.
    lines = block[1:].split("\n")[:-1]
    indent = " " * (len(block) - 1 - len(block[1:].lstrip(" ")))
    if not indent or not all(line.startswith(indent) for line in lines) or block[0] != "\n":
        return False
    return plain_lines("".join([f"{line.removeprefix(indent)}\n" for line in lines]), KNOWN) is not None


def _values(key: str, block: str) -> dict[str, Value] | None:
    """Return the value of one key, where every engine reads it alike, whatever stands before and behind it; else None."""
    text = f"{key}:{block}"
    values = plain_lines(text, KNOWN)
    return by_engine(text, KNOWN) if values is None and _FLOW.fullmatch(text) else values


def _names(key: str, block: str, rules: Rules) -> tuple[str, ...] | None:
    value = (_values(key, block) or {}).get(key)
    if value is None:
        return None
    if key == "author":
        if type(value) is not str or "<" in value:
            return None
        name = " ".join(value.split())
        return (name,) if name else ()
    if key == "categories" and rules.dialect.splits_categories and type(value) is str:
        value = list(value.split())
    return plain_names(value)


def _written(matter: str) -> _Written | None:
    """Return the keys of front matter in their order, None where some line is below none."""
    blocks = BLOCKS.findall(matter)
    if sum(map(len, blocks)) != len(matter):
        return None
    keys = []
    for block in blocks:
        key, colon, said = block[:-1].partition(":")
        if not colon or plain_name(key) is None:
            return None
        keys.append(_Key(key, normal(key) not in _LISTS and ("\n" in said or said.startswith((" [", " {")))))
    return tuple(keys)


def _merged(keys: dict[_Key, bool], written: _Written) -> dict[_Key, bool] | None:
    """Return the keys of a form and of one more way of writing, None where those that both have differ in order."""
    merged: dict[_Key, bool] = {}
    waiting = list(keys)
    for key in written:
        if key not in keys:
            merged[key] = True
            continue
        if key not in waiting:
            return None
        at = waiting.index(key)
        merged.update(dict.fromkeys(waiting[:at], True))
        merged[key] = keys[key]
        del waiting[: at + 1]
    merged.update(dict.fromkeys(waiting, True))
    return merged


def _form(keys: dict[_Key, bool]) -> _Form | None:
    """Return the form of these keys, None where it takes `read_head` to tell what they say."""
    parts = ["()"]
    groups: dict[str, int] = {}
    others: list[tuple[str, int]] = []
    names = set()
    for (key, is_long), may_lack in keys.items():
        meant = _MEANT.get(normal(key), normal(key))
        if meant in names or len(keys) > _LONGEST:
            return None
        names.add(meant)
        if meant in _LISTS or (meant in _TEXTS and not is_long):
            part = _BLOCK if meant in _LISTS else _TEXT
            groups[meant] = len(groups) + len(others) + 1
        elif meant in _OFF:
            part = " false\n"
        elif meant in KNOWN and meant not in _NOT_ASKED:
            return None
        elif is_long:
            part = _BLOCK
            others.append((key, len(groups) + len(others) + 2))
        else:
            part = _LINE
        parts.append(f"(?>(?:{key}:{part})?)" if may_lack else f"{key}:{part}")
    if "date" not in names:
        return None
    # What a form does not have is picked from the first group, which is empty.
    pick = itemgetter(*(groups.get(name, 0) for name in (*_TEXTS, *_LISTS)))
    return _Form(re.compile("".join(parts)).fullmatch, pick, tuple(others), keys)
