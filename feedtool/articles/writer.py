"""What a source says of an article in, the text of its file out: a new one, or an old one with what is to follow changed.

Each file carries a stamp (key `feedtool`): the source's name and a short hash of every value as it was last written. So
a later visit can tell what a person edited from what only upstream changed. It lies in the file and not in
`feedtool.state` because it must move, merge and be deleted with the file, and 100,000 articles would make 20 MB
of state that every commit rewrites.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Literal, NamedTuple

from feedtool.articles.editor import edit_front_matter, is_clock_time, quoted
from feedtool.articles.fences import split
from feedtool.articles.fields import FIRST_KEYS, ID, LINK, PUBLISHED, TITLE
from feedtool.articles.frontmatter import Document, parse_document
from feedtool.articles.metadata import by_feed_names, metadata_lines
from feedtool.articles.provenance import (
    STAMP,
    TRACKED,
    Stamp,
    Written,
    canonical,
    plain_body,
    quiet_parts,
    raw_hash,
    read_stamp,
    short_hash,
    stamp_text,
)
from feedtool.articles.reader import HEAD_SIZE
from feedtool.articles.yaml import MAXIMUM_SIZE, Value, load
from feedtool.dates.parse import parse_date
from feedtool.errors import FeedtoolError
from feedtool.html.urls import link_key

ORDER = (
    "title", "categories", "headimg", "author", "comments", "date", "thumbnail", "link", "guid", "source", "updated",
    "language", "summary", "enclosures", "tags", "rights", "date_guessed",
)  # fmt: skip
"""The keys of a new file, as the family of the seed has them and then what feeds add; the stamp comes last."""
FLAVOURS = ("hexo", "jekyll")
"""Generators that run a template language over bodies."""

Values = Mapping[str, Written]
"""What a file's front matter is to say. An empty value is that of a key that is not there."""
How = Literal["merge", "overwrite", "keep"]

_ALWAYS_QUOTED = frozenset(("title", "headimg", "thumbnail"))
# A letter first, and nothing in it that YAML gives a meaning.
_BARE = re.compile(
    r"[^\W\d_](?:[\w ./()+，。、：；！？（）《》“”’－—-]*[^\W_]|[)）》”])?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"
)
_SILENT = frozenset(("date", "updated"))
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"))
_DERIVED = frozenset(("body", "thumbnail", "summary"))
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]+")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")


class MatchingFields(NamedTuple):
    """What matching needs of a file; texts are "" where it does not say."""

    guid: str
    link: str
    title: str
    date: str
    stamp: Stamp


class FileForm(NamedTuple):
    """How the files of a site are written: with Python-Markdown metadata or front matter, and in which zone dates without
    one are."""

    metadata: bool = False
    zone: tzinfo = UTC


YAML_IN_UTC = FileForm()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A file's text after an update, None where nothing is to be written; `kept` are the keys that a person edited
    and upstream changed too, `changed` those that follow upstream."""

    text: str | None = None
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def stamp_for(values: Values, body: str, *, source: str, raw: str = "") -> Stamp:
    """Return the stamp of a file that a source writes: `raw` is a digest of what the body was made from."""
    hashes = (short_hash(_meaning(key, values, body)) for key in TRACKED)
    return Stamp(source, tuple(hashes), raw_hash(raw))


def new_file(values: Values, body: str, stamp: Stamp, *, metadata: bool = False) -> str:
    """Return the text of a new article file: front matter in the order of `ORDER`, quoted as the seed, and the body.

    Keys that are not in `ORDER` are left out, and so are empty values. `body` is as `body_text` makes it. With `metadata`,
    Python-Markdown metadata stands in place of front matter.
    """
    keys = [key for key in ORDER if key in values and values[key] not in ("", (), [], {})]
    if metadata:
        block = "".join(metadata_lines(key, values[key]) for key in keys)
        return f"{block}{metadata_lines(STAMP, stamp_text(stamp))}\n{body}\n"
    lines = [_lines(key, values[key]) for key in keys]
    lines.append(_lines(STAMP, stamp_text(stamp)))
    return f"---\n{''.join(lines)}---\n\n{body}\n"


def merge_file(
    data: bytes,
    values: Values,
    body: str,
    *,
    how: How,
    source: str = "",
    raw: str = "",
    derived: bool = True,
    form: FileForm = YAML_IN_UTC,
) -> Merged:
    """Return what becomes of a file when its source says `values` and `body` (as `body_text` makes it) now.

    "merge": what is still as it was last written follows; what a person edited stays. "overwrite": all follows. "keep":
    nothing does. A value that is missing in `values` is not touched, one that is empty goes. Changes that are noise are none.
    A file without a stamp is a person's own: under "merge" nothing in it follows. `source` is the name in the new stamp,
    "" for the old one's; under a `raw` that is the stamp's, what was made from it stays. Without `derived` it stays in any
    case, and the stamp gets this `raw`, if any. `form` is how the site's files are written.
    """
    document = parse_document(data, every_key=True, metadata=form.metadata)
    if document.broken or document.recovered or document.encoding != "utf-8":
        return Merged(kept=("file",))
    merging = _Merge(document, values, body, how, Stamp(source, raw=raw_hash(raw)), form)
    if not derived:
        merging.leave_derived()
    merged = merging.go()
    if merged.text is not None and data.startswith(codecs.BOM_UTF8):
        return replace(merged, text="\ufeff" + merged.text)
    return merged


def read_matching_fields(data: bytes, whole: Callable[[], bytes]) -> MatchingFields:
    """Return what matching needs of a file's first bytes (all of them are asked of `whole` when needed); never raises."""
    text = data.decode("utf-8-sig", "replace")
    found = split(text, FIRST_KEYS)
    if len(data) >= HEAD_SIZE and (found.unclosed or found.body >= len(text)):
        return read_all_matching_fields(whole())
    if found.form == "yaml" and found.end - found.start <= MAXIMUM_SIZE:
        try:
            return _matching_fields(load(text[found.start : found.end], _LOOKED_AT).values)
        except ValueError:
            pass
    return read_all_matching_fields(whole())


def read_all_matching_fields(data: bytes) -> MatchingFields:
    """Return what matching needs of a whole file, however its front matter is written; never raises."""
    return _matching_fields(parse_document(data, every_key=True).values)


def same_as_written(stamp: Stamp, values: Values, body: str, *, raw: str = "", derived: bool = True) -> bool:
    """Say whether a source says what it said when the stamp was made: then there is nothing to merge, whatever a
    person did to the file. Dates alone say nothing, and without `derived` what is made from the entry's text neither."""
    if len(stamp.hashes) != len(TRACKED) or (not derived and raw and not is_raw(stamp, raw)):
        return False
    passed = _SILENT | _DERIVED if not derived or is_raw(stamp, raw) else _SILENT
    return all(
        key in passed or (key != "body" and key not in values) or old == short_hash(_meaning(key, values, body))
        for key, old in zip(TRACKED, stamp.hashes, strict=True)
    )


def is_raw(stamp: Stamp, raw: str) -> bool:
    """Say whether a file's body was made from what has this digest."""
    return bool(raw) and stamp.raw == raw_hash(raw)


def is_untouched(data: bytes, *keys: str, metadata: bool = False) -> bool:
    """Say whether every value of a file, or of these `keys`, is still as a source wrote it; False of a file without a stamp."""
    document = parse_document(data, every_key=True, metadata=metadata)
    local = {key.lower(): value for key, value in document.values.items()}
    local = by_feed_names(local) if metadata else local
    stamp = read_stamp(_first(local, STAMP))
    if not stamp.hashes or document.broken:
        return False
    return all(
        short_hash(plain_body(document.body) if key == "body" else canonical(local.get(key, ""))) == written
        for key, written in zip(TRACKED, stamp.hashes, strict=False)
        if not keys or key in keys
    )


def body_text(body: str, flavour: str = "plain", *, starts_with_tag: bool = False) -> str:
    """Return HTML as it stands in a file: braces that a generator's templates would run become references.

    `starts_with_tag` wraps text that begins without one, which Markdown would take for its own.
    """
    body = body.strip("\r\n")
    if starts_with_tag and body and not body.lstrip().startswith("<"):
        body = f"<div>{body}</div>"
    if flavour in FLAVOURS:
        body = _TEMPLATE.sub(lambda match: match.group().replace("{", "&#123;"), body)
    return body


_LOOKED_AT = frozenset((*TITLE, *ID, *LINK, *PUBLISHED, STAMP))


class _Merge:
    """One update of one file."""

    def __init__(
        self, document: Document, values: Values, body: str, how: How, new: Stamp, form: FileForm = YAML_IN_UTC
    ) -> None:
        self.document = document
        self.form = form
        self.values = values
        self.body = body
        self.how = how
        self.local = {key.lower().replace("-", "_"): value for key, value in document.values.items()}
        self.names = {key.lower().replace("-", "_"): key for key in document.values}
        if form.metadata:
            self.local, self.names = by_feed_names(self.local), {}
        self.stamp = read_stamp(_first(self.local, STAMP))
        self.new = new
        # What a person asks to be overwritten follows in any case.
        same = bool(new.raw) and new.raw == self.stamp.raw and how != "overwrite"
        self.passed = _DERIVED if same else frozenset[str]()
        self.agreed = False
        self.changed: list[str] = []
        self.kept: list[str] = []

    def leave_derived(self) -> None:
        """Leave alone what was made from the entry's text, whatever that is now."""
        self.passed = _DERIVED
        self.agreed = bool(self.stamp.hashes and self.new.raw) and self.new.raw != self.stamp.raw

    def go(self) -> Merged:
        hashes = list(self.stamp.hashes) + [""] * (len(TRACKED) - len(self.stamp.hashes))
        for place, key in enumerate(TRACKED):
            if key in self.passed or key == "updated" or (key != "body" and key not in self.values):
                continue
            if self._is_bump(key):
                continue
            hashes[place] = self._judge(key, hashes[place])
        if not self.changed and not self.agreed:
            return Merged(kept=tuple(self.kept))
        # These two say nothing by themselves: many feeds are dated anew at every visit.
        for key in ("date", "updated"):
            if key in self.values and key not in self.changed:
                place, before = TRACKED.index(key), len(self.kept)
                hashes[place] = self._judge(key, hashes[place])
                del self.kept[before:]
        return self._written(tuple(hashes))

    def _is_bump(self, key: str) -> bool:
        """Say whether a date merely moved on."""
        if key != "date":
            return False
        old, new = self._moments(key)
        return old is not None and new is not None and new >= old

    def _moments(self, key: str) -> tuple[datetime | None, datetime | None]:
        zone = self.form.zone
        return parse_date(self._old(key), zone=zone), parse_date(self._new(key), zone=zone)

    def _judge(self, key: str, base: str) -> str:
        """Decide about one key; return the hash that the stamp is to hold for it."""
        new, old = self._new(key), self._old(key)
        if new == old:
            # Both made the same edit: the value is upstream's again, and has to be stamped as such.
            self.agreed |= bool(self.stamp.hashes) and base != short_hash(new)
            return short_hash(new)
        if key in _SILENT and (moments := self._moments(key))[0] is not None and moments[0] == moments[1]:
            return base  # the same moment, written otherwise: the page of an article must not move for that
        touched = base != short_hash(old)
        if self.how == "keep" or (touched and self.how == "merge"):
            if base != short_hash(new):
                self.kept.append(key)
            return base
        if (
            (key == "body" and not new)
            or quiet_parts(new) == quiet_parts(old)
            or (key == "link" and _same_page(old, new))
        ):
            return base
        self.changed.append(key)
        return short_hash(new)

    def _new(self, key: str) -> str:
        return plain_body(self.body) if key == "body" else canonical(self.values[key])

    def _old(self, key: str) -> str:
        return plain_body(self.document.body) if key == "body" else canonical(self.local.get(key, ""))

    def _written(self, hashes: tuple[str, ...]) -> Merged:
        text, document = self.document.text, self.document
        if "body" in self.changed:
            newline = "\r\n" if "\r\n" in text[: document.split.body] else "\n"
            body = self.body.replace("\n", newline)
            head = text[: document.split.body]
            text = f"{head}{'' if head.endswith(newline) else newline}{newline}{body}{newline}"
        changes: dict[str, Written | None] = {
            self.names.get(key, key): self.values[key] or None for key in self.changed if key != "body"
        }
        if "thumbnail" in self.changed and "headimg" in self.local:
            changes[self.names["headimg"]] = self.values["thumbnail"] or None
        if "date" in self.changed and "date_guessed" in self.local:
            changes[self.names["date_guessed"]] = None
        if self.stamp.hashes or self.how == "overwrite":
            stamp = Stamp(self.new.source or self.stamp.source, hashes, self.new.raw or self.stamp.raw)
            changes[STAMP] = stamp_text(stamp)
        try:
            metadata = self.form.metadata
            text = edit_front_matter(text, changes, metadata=True) if metadata else edited(text, changes)  # type: ignore[arg-type]
        except FeedtoolError:
            return Merged(kept=(*self.kept, *self.changed))
        if not self._says(text, changes):
            return Merged(kept=(*self.kept, *self.changed))
        return Merged(text=text, changed=tuple(self.changed), kept=tuple(self.kept))

    def _says(self, text: str, changes: Mapping[str, Written | None]) -> bool:
        """Say whether the edited text reads back as meant: an edit that went wrong must not be written."""
        metadata = self.form.metadata
        after = parse_document(text.encode("utf-8", "replace"), every_key=True, metadata=metadata)
        if after.broken or after.recovered:
            return False
        old = by_feed_names(self.document.values) if metadata else self.document.values
        new = by_feed_names(after.values) if metadata else after.values
        expected = {key: canonical(value) for key, value in old.items() if key not in changes}
        expected |= {key: canonical(value) for key, value in changes.items() if value}
        return {key: canonical(value) for key, value in new.items()} == expected


def edited(text: str, changes: Mapping[str, Written | None]) -> str:
    """Return the text with keys set or (None) removed, as `edit_front_matter`, for values that hold values, too."""
    plain: dict[str, str | Sequence[str] | bool | None] = {}
    nested: dict[str, str] = {}
    for number, (key, value) in enumerate(changes.items()):
        if isinstance(value, Mapping) or (
            not isinstance(value, (str, bool)) and value and isinstance(value[0], Mapping)
        ):
            # edit_front_matter knows no values inside values: a word holds their place.
            nested[key] = plain[key] = f"feedtoolplaceholder{number}x"
        else:
            plain[key] = value  # type: ignore[assignment]
    form = split(text, FIRST_KEYS).form
    if nested and form != "yaml":
        raise FeedtoolError("only YAML front matter is given nested values", hint="change it by hand")
    done = edit_front_matter(text, plain)
    newline = "\r\n" if "\r\n" in done[: split(done, FIRST_KEYS).body] else "\n"
    for key, word in nested.items():
        lines = _lines(key, changes[key] or "").replace("\n", newline)
        before, _, after = done.partition(f"{key}: {word}")
        # A comment that stood behind the old value stands above the new one.
        comment, _, after = after.partition(newline)
        kept = f"{comment.strip()}{newline}" if comment.strip() else ""
        done = f"{before}{kept}{lines}{after}"
    return done


def _lines(key: str, value: Written) -> str:
    """Return a key's lines of YAML."""
    if isinstance(value, bool):
        return f"{key}: {'true' if value else 'false'}\n"
    if isinstance(value, str):
        return f"{key}: {value if is_clock_time(key, value) else _quoted(value, always=key in _ALWAYS_QUOTED)}\n"
    if isinstance(value, Mapping):
        return f"{key}:\n" + "".join(f"  {name}: {_quoted(part)}\n" for name, part in value.items())
    lines = [f"{key}:\n"]
    for item in value:
        if isinstance(item, Mapping):
            parts = [f"{name}: {_quoted(part)}\n" for name, part in item.items()]
            lines.append(" - " + "   ".join(parts))
        else:
            lines.append(f" - {_quoted(item)}\n")
    return "".join(lines)


def _quoted(text: str, *, always: bool = False) -> str:
    # What prints on one line is safe in single quotes in every YAML; `quoted` proves it by parsing, which costs 50 us.
    if text.isprintable():
        bare = not always and _BARE.fullmatch(text) and text.lower() not in _WORDS
        return text if bare else "'" + text.replace("'", "''") + "'"
    # Nothing that ends a line or that YAML forbids belongs into one line of text.
    return quoted(_FORBIDDEN.sub(" ", text).strip())


def _meaning(key: str, values: Values, body: str) -> str:
    return plain_body(body) if key == "body" else canonical(values.get(key, ""))


def _same_page(old: str, new: str) -> bool:
    """Say whether a link is only written otherwise: feeds change that from visit to visit. To https it follows."""
    better = new.startswith("https:") and not old.startswith("https:")
    return link_key(old) == link_key(new) and not better


def _matching_fields(values: Mapping[str, Value]) -> MatchingFields:
    lower = {key.lower(): value for key, value in values.items()}
    title, guid, stamp, link, date = (_first(lower, *keys) for keys in (TITLE, ID, (STAMP,), LINK, PUBLISHED))
    return MatchingFields(guid, link if "://" in link else "", title, date, read_stamp(stamp))


def _first(values: Mapping[str, Value], *keys: str) -> str:
    for key in keys:
        value = values.get(key, "")
        if isinstance(value, str) and value.strip():
            return canonical(value)
    return ""
