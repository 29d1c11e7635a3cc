"""Read the heads of many similar articles in less than half the time of `read_head`.

The articles of a site have similar front matter: the same keys in the same order, some of them optional. After enough heads of
one form, a regular expression is compiled that proves a whole front matter plain and captures its values in one match. Front
matter that matches no form is left to `read_head`, which gives the same result for all others (`tests/test_similar_heads.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from feedtool.articles.field_table import FIELDS, KNOWN_KEYS, is_used_in_heads, names_in_heads
from feedtool.articles.fields import is_yaml_time, plain_names
from feedtool.articles.identity import quoted_stems, written_id
from feedtool.articles.keys import ENCRYPTED, UNLISTED
from feedtool.articles.reader import is_draft_path, split_fenced
from feedtool.articles.rules import Rules
from feedtool.articles.yaml import MAXIMUM_DEPTH, Value, values_by_engine
from feedtool.articles.yaml_fast import BLOCKS, ODD, normal, plain_lines, plain_name, scalar
from feedtool.dates.parse import parse_date
from feedtool.expressions import expression

Row: TypeAlias = tuple[Any, ...]
"""A Head without its path."""

HEADS_TO_COMPILE = 64
"""Heads of one form that are read before its expression is compiled: compiling takes as long as reading these."""
_MAXIMUM_FORMS = 8
_MAXIMUM_KEYS = 40
_CACHE_SIZE = 1000

# The value of one line, in the forms that `plain_lines` reads.
_BARE = rf"(?!(?:null|Null|NULL)\n)[^\W_][^:#{ODD}]*+(?>(?:(?::(?![ \n])|(?<! )#)[^:#{ODD}]*+)*)(?<! )"
_SCALAR = rf"'[^'{ODD}]*+(?>(?:''[^'{ODD}]*+)*)'|{_BARE}|\"[^\"\\{ODD}]*+\""
_LINE = rf"(?: (?:{_SCALAR})| *+)\n"
_TEXT = rf"(?: ({_SCALAR})| *+)\n"
_BLOCK = r"((?=[ \n])[^\n]*+\n(?>(?:[ -][^\n]*+\n)*))"
# A list in brackets that all engines read alike: words, or texts in quotes.
_ITEM = rf"(?:'[^'{ODD}]*+'|\"[^\"\\{ODD}]*+\"|[^\W_][\w.+/-]*+(?>(?: [^\W_][\w.+/-]*+)*))"
_FLOW = expression(rf"[^:]+: \[{_ITEM}(?>(?:, *+{_ITEM})*)\]\n")

# `_row` unpacks these in this order, so it fails at once if the table has another field that heads need.
_TEXTS = names_in_heads("text")
_LISTS = names_in_heads("list")
# Of the keys with the same meaning, a form has one.
_SAME_MEANING = {key: field.name for field in FIELDS for key in field.head_keys}
# Keys that a form accepts with the value `false` only.
_OFF = frozenset(("draft", *UNLISTED, *ENCRYPTED))
# An address of only these characters is a valid link.
_SAFE = expression(r"https?://[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)+(?:/[A-Za-z0-9/_.~=-]*)?(?:\?[A-Za-z0-9/_.~=&-]*)?")

_OFFSET = expression(r"[+-]\d\d:\d\d|Z", re.ASCII)
_SEPARATORS = ("-", "-", ":", ":")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - it is subtracted from times without a zone

_Texts: TypeAlias = tuple[str | None, ...]


class _Key(NamedTuple):
    """A key of a form; `is_long` is True if its value has more than one line, or brackets."""

    key: str
    is_long: bool


_Keys: TypeAlias = tuple[_Key, ...]


class _Form(NamedTuple):
    """The compiled expression of a form.

    `groups_of` selects the groups of `_TEXTS` and `_LISTS`; `others` are the keys, with their group, whose value must be proved
    plain. `keys` are in order; their value is True if some articles lack the key.
    """

    fullmatch: Callable[[str], re.Match[str] | None]
    groups_of: Callable[[_Texts], _Texts]
    others: tuple[tuple[str, int], ...]
    keys: dict[_Key, bool]


class SimilarHeadReader:
    """Reads heads by the forms it has learned; `rules` are those of `read_head`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._applies = not rules.hierarchy and rules.dialect.is_plain
        self._forms: list[_Form] = []
        self._counts: dict[_Keys, int] = {}
        self._offsets: dict[str, int] = {}
        self._names: dict[_Texts, tuple[tuple[str, ...], ...]] = {}

    def rows(
        self,
        folder: str,
        names: list[str],
        prefixes: Iterable[bytes | OSError],
        read_other: Callable[[str, bytes | OSError], Row],
    ) -> list[Row]:
        """Return the rows of a folder's files in order, from the first bytes of each.

        The row of a file that matches no form, or that cannot be read, is what `read_other` returns for its name.
        """
        hidden = is_draft_path(folder)
        rows = []
        for name, stem, data in zip(names, quoted_stems(folder, names), prefixes, strict=True):
            texts = self._match(data) if type(data) is bytes and self._applies else None
            row = self._row(texts, stem, hidden) if texts is not None else None
            rows.append(read_other(name, data) if row is None else row)
        return rows

    def _match(self, data: bytes) -> _Texts | None:
        """Return the scalars of `_TEXTS` and the lines of `_LISTS` in front matter of a known form, else None."""
        fenced = split_fenced(data)
        if fenced is None:
            return None
        matter = fenced[0].replace("\r\n", "\n")
        forms = self._forms
        for index, (fullmatch, groups_of, others, _) in enumerate(forms):
            match = fullmatch(matter)
            if match is not None:
                if index:
                    # Move frequent forms to the front.
                    forms[index - 1], forms[index] = forms[index], forms[index - 1]
                if others and not all(_is_plain(key, match[group] or "\n") for key, group in others):
                    return None
                # More brackets may exceed a bound, which a check of single lines cannot see.
                return groups_of(match.groups()) if matter.count("[") + matter.count("{") <= MAXIMUM_DEPTH else None
        self._learn(matter)
        return None

    def _row(self, texts: _Texts, stem: str, hidden: bool) -> Row | None:
        title, date, updated, link, written = texts[: len(_TEXTS)]
        rules = self._rules
        lists = texts[len(_TEXTS) :]
        names = self._names.get(lists) or self._names_in(lists)
        published = self._moment(date)
        if published is None or names is None:
            return None
        moment, day = published
        changed = self._moment(updated) if updated else published
        if changed is None or (link and not _SAFE.fullmatch(scalar(link))):
            return None
        id_ = " ".join(scalar(written).split()) if written else ""
        id_ = written_id(id_) if id_ else f"tag:{rules.authority},{day}:{stem}"
        title = " ".join(scalar(title or "").split())
        categories, tags, authors = names
        return (
            id_,
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
        """Return the moment of a date in seconds since 1970, and its day as written."""
        text = scalar(written or "")
        east = self._offsets.get(text[19:])
        if east is not None and _is_iso(text) and text[11:13] != "24":
            # Whole seconds and a known offset: `parse_date` gives the same in twice the time.
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
        """Return the names in the lines of `_LISTS`, None if they are not plain. Cached, because articles share a few lists."""
        names = []
        for key, block in zip(_LISTS, blocks, strict=True):
            key_names = _names(key, block, self._rules) if block else ()
            if key_names is None:
                return None
            names.append(key_names)
        if len(self._names) >= _CACHE_SIZE:
            self._names.clear()
        self._names[blocks] = row_names = tuple(names)
        return row_names

    def _learn(self, matter: str) -> None:
        """Count the keys of a front matter; after HEADS_TO_COMPILE equal ones, extend a form or add a new one."""
        keys_in_order = _keys_of(matter)
        if keys_in_order is None:
            return
        if len(self._counts) >= _CACHE_SIZE:
            self._counts.clear()
        self._counts[keys_in_order] = count = self._counts.get(keys_in_order, 0) + 1
        if count != HEADS_TO_COMPILE:
            return
        for index, form in enumerate(self._forms):
            keys = _merge_keys(form.keys, keys_in_order)
            if keys == form.keys:
                # The form has these keys already: a value that is not plain prevented the match.
                return
            if keys is not None and (merged := _form(keys)) is not None:
                self._forms[index] = merged
                return
        new = _form(dict.fromkeys(keys_in_order, False)) if len(self._forms) < _MAXIMUM_FORMS else None
        if new is not None:
            self._forms.append(new)


@lru_cache(maxsize=2)
def head_reader(rules: Rules) -> SimilarHeadReader:
    """Return the reader for these rules; within a process it keeps the forms it has learned."""
    return SimilarHeadReader(rules)


def _is_iso(text: str) -> bool:
    """Return True if a text that begins with a date and a time in whole seconds has the separators of ISO 8601."""
    return text[10] in "T " and (text[4], text[7], text[13], text[16]) == _SEPARATORS


@lru_cache(maxsize=_CACHE_SIZE)
def _is_plain(key: str, block: str) -> bool:
    if _values(key, block) is not None:
        return True
    # A mapping is plain if its lines, unindented, are plain.
    lines = block[1:].split("\n")[:-1]
    indent = " " * (len(block) - 1 - len(block[1:].lstrip(" ")))
    if not indent or not all(line.startswith(indent) for line in lines) or block[0] != "\n":
        return False
    return plain_lines("".join([f"{line.removeprefix(indent)}\n" for line in lines]), KNOWN_KEYS) is not None


def _values(key: str, block: str) -> dict[str, Value] | None:
    """Return the value of one key if all engines read it alike in any context, else None."""
    text = f"{key}:{block}"
    values = plain_lines(text, KNOWN_KEYS)
    return values_by_engine(text, KNOWN_KEYS) if values is None and _FLOW.fullmatch(text) else values


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


def _keys_of(matter: str) -> _Keys | None:
    """Return the keys of front matter in order, None if a line belongs to no key."""
    blocks = BLOCKS.findall(matter)
    if sum(map(len, blocks)) != len(matter):
        return None
    keys = []
    for block in blocks:
        key, colon, value = block[:-1].partition(":")
        if not colon or plain_name(key) is None:
            return None
        keys.append(_Key(key, normal(key) not in _LISTS and ("\n" in value or value.startswith((" [", " {")))))
    return tuple(keys)


def _merge_keys(keys: dict[_Key, bool], keys_in_order: _Keys) -> dict[_Key, bool] | None:
    """Return the keys of a form extended by those of another front matter, None if their common keys differ in order."""
    merged: dict[_Key, bool] = {}
    remaining = list(keys)
    for key in keys_in_order:
        if key not in keys:
            merged[key] = True
            continue
        if key not in remaining:
            return None
        index = remaining.index(key)
        merged.update(dict.fromkeys(remaining[:index], True))
        merged[key] = keys[key]
        del remaining[: index + 1]
    merged.update(dict.fromkeys(remaining, True))
    return merged


def _form(keys: dict[_Key, bool]) -> _Form | None:
    """Return the form of these keys, None if it needs `read_head`."""
    parts = ["()"]
    groups: dict[str, int] = {}
    others: list[tuple[str, int]] = []
    names = set()
    for (key, is_long), is_optional in keys.items():
        meaning = _SAME_MEANING.get(normal(key), normal(key))
        if meaning in names or len(keys) > _MAXIMUM_KEYS:
            return None
        names.add(meaning)
        if meaning in _LISTS or (meaning in _TEXTS and not is_long):
            part = _BLOCK if meaning in _LISTS else _TEXT
            groups[meaning] = len(groups) + len(others) + 1
        elif meaning in _OFF:
            part = " false\n"
        elif is_used_in_heads(meaning):
            return None
        elif is_long:
            part = _BLOCK
            others.append((key, len(groups) + len(others) + 2))
        else:
            part = _LINE
        parts.append(f"(?>(?:{key}:{part})?)" if is_optional else f"{key}:{part}")
    if "date" not in names:
        return None
    # A missing key uses the first group, which is empty.
    groups_of = itemgetter(*(groups.get(name, 0) for name in (*_TEXTS, *_LISTS)))
    return _Form(re.compile("".join(parts)).fullmatch, groups_of, tuple(others), keys)
