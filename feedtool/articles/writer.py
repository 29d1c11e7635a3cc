"""Write article files from a source's values: new files, and updates of old ones that keep what a person edited.

Each file has a stamp (key `feedtool`): the name of the source and a short hash of every value as it was last written. A later
visit uses the hashes to tell a person's edits from changes of the source. The stamp is in the file and not in
`feedtool.state` because it must move, merge and be deleted with the file; besides, 100,000 articles would add 20 MB to a
state file that every commit rewrites.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Literal, NamedTuple

from feedtool.articles.editor import edit_front_matter
from feedtool.articles.fences import split
from feedtool.articles.field_table import FIRST_KEYS
from feedtool.articles.fields import ID, LINK, PUBLISHED, TITLE
from feedtool.articles.frontmatter import Document, parse_document
from feedtool.articles.key_lines import nested_yaml_lines
from feedtool.articles.pelican_metadata import by_feed_names, metadata_lines
from feedtool.articles.provenance import (
    STAMP,
    TRACKED,
    Stamp,
    WrittenValue,
    canonical,
    parts_without_noise,
    plain_body,
    raw_hash,
    read_stamp,
    short_hash,
    stamp_text,
)
from feedtool.articles.rules import HEAD_SIZE
from feedtool.articles.yaml import MAXIMUM_SIZE, Value
from feedtool.articles.yaml_loader import load
from feedtool.dates.parse import parse_date
from feedtool.errors import FeedtoolError
from feedtool.html.urls import link_key

ORDER = (
    "title", "categories", "headimg", "author", "comments", "date", "thumbnail", "link", "guid", "source", "updated",
    "language", "summary", "enclosures", "tags", "rights", "date_guessed",
)  # fmt: skip
"""The keys of a new file in order: first those of Hexo articles, then those that only feeds have. The stamp comes last."""
TEMPLATE_GENERATORS = ("hexo", "jekyll")
"""Generators that run a template language over article bodies."""

Values = Mapping[str, WrittenValue]
"""The intended values of a file's front matter. An empty value means that the key is absent."""
MergeMode = Literal["merge", "overwrite", "keep"]

_DATES = frozenset(("date", "updated"))
_DERIVED = frozenset(("body", "thumbnail", "summary"))
_TEMPLATE_OPENING = re.compile(r"\{\{|\{%|\{#")


class MatchingFields(NamedTuple):
    """The values of a file that matching compares; a text is "" if the file does not have it."""

    guid: str
    link: str
    title: str
    date: str
    stamp: Stamp


class FileForm(NamedTuple):
    """How a site writes its files: `metadata` is True for Python-Markdown metadata, and `zone` is that of dates without one."""

    metadata: bool = False
    zone: tzinfo = UTC


YAML_IN_UTC = FileForm()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """The text of a file after an update, None if there is nothing to write.

    `changed` are the keys that took the source's new value, `kept` those that both a person and the source changed.
    """

    text: str | None = None
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def stamp_for(values: Values, body: str, *, source: str, raw: str = "") -> Stamp:
    """Return the stamp of a file that a source writes; `raw` is the digest of the text that the body was made from."""
    hashes = (short_hash(_canonical_value(key, values, body)) for key in TRACKED)
    return Stamp(source, tuple(hashes), raw_hash(raw))


def new_file(values: Values, body: str, stamp: Stamp, *, metadata: bool = False) -> str:
    """Return the text of a new article file: front matter in the order of `ORDER`, quoted as in Hexo articles, and the body.

    Keys that are not in `ORDER` and empty values are left out. `body` comes from `body_text`. With `metadata`, the file has
    Python-Markdown metadata instead of front matter.
    """
    keys = [key for key in ORDER if key in values and values[key] not in ("", (), [], {})]
    if metadata:
        block = "".join(metadata_lines(key, values[key]) for key in keys)
        return f"{block}{metadata_lines(STAMP, stamp_text(stamp))}\n{body}\n"
    lines = [nested_yaml_lines(key, values[key]) for key in keys]
    lines.append(nested_yaml_lines(STAMP, stamp_text(stamp)))
    return f"---\n{''.join(lines)}---\n\n{body}\n"


def merge_file(
    data: bytes,
    values: Values,
    body: str,
    *,
    mode: MergeMode,
    source: str = "",
    raw: str = "",
    derived: bool = True,
    form: FileForm = YAML_IN_UTC,
) -> MergeResult:
    """Return a file updated to the `values` and the `body` (from `body_text`) that its source has now.

    The mode "merge" updates values that are still as they were last written and keeps those that a person edited;
    "overwrite" updates all values; "keep" updates none. A key that is missing in `values` stays, a key with an empty value is
    removed. Noise, such as cache busters in addresses, does not count as a change. A file without a stamp belongs to a
    person: "merge" changes nothing in it.

    `source` is the name in the new stamp; "" keeps the old name. If `raw` equals the stamp's, the values derived from the
    entry's text (body, thumbnail, summary) stay. They also stay without `derived`; the stamp then gets this `raw`, if any.
    `form` is how the site writes its files.
    """
    document = parse_document(data, every_key=True, metadata=form.metadata)
    if document.broken or document.recovered or document.encoding != "utf-8":
        return MergeResult(kept=("file",))
    merging = _Merge(document, values, body, mode, Stamp(source, raw=raw_hash(raw)), form)
    if not derived:
        merging.leave_derived()
    merged = merging.run()
    if merged.text is not None and data.startswith(codecs.BOM_UTF8):
        return replace(merged, text="\ufeff" + merged.text)
    return merged


def read_matching_fields(data: bytes, read_all: Callable[[], bytes]) -> MatchingFields:
    """Return the matching fields in a file's first bytes; call `read_all` for all bytes if these are not enough. Never raises."""
    text = data.decode("utf-8-sig", "replace")
    parts = split(text, FIRST_KEYS)
    if len(data) >= HEAD_SIZE and (parts.unclosed or parts.body >= len(text)):
        return read_all_matching_fields(read_all())
    if parts.form == "yaml" and parts.end - parts.start <= MAXIMUM_SIZE:
        try:
            return _matching_fields(load(text[parts.start : parts.end], _MATCHING_KEYS).values)
        except ValueError:
            pass
    return read_all_matching_fields(read_all())


def read_all_matching_fields(data: bytes) -> MatchingFields:
    """Return the matching fields of a whole file, with front matter of any form. Never raises."""
    return _matching_fields(parse_document(data, every_key=True).values)


def same_as_written(stamp: Stamp, values: Values, body: str, *, raw: str = "", derived: bool = True) -> bool:
    """Return True if a source has the same values as when the stamp was made, so that there is nothing to merge.

    Changes of dates alone do not count, nor, without `derived`, changes of values derived from the entry's text.
    """
    if len(stamp.hashes) != len(TRACKED) or (not derived and raw and not matches_raw(stamp, raw)):
        return False
    ignored = _DATES | _DERIVED if not derived or matches_raw(stamp, raw) else _DATES
    return all(
        key in ignored
        or (key != "body" and key not in values)
        or old == short_hash(_canonical_value(key, values, body))
        for key, old in zip(TRACKED, stamp.hashes, strict=True)
    )


def matches_raw(stamp: Stamp, raw: str) -> bool:
    """Return True if a file's body was made from the text with this digest."""
    return bool(raw) and stamp.raw == raw_hash(raw)


def is_untouched(data: bytes, *keys: str, metadata: bool = False) -> bool:
    """Return True if all values of a file, or those of `keys`, are as its source wrote them; False without a stamp."""
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


def body_text(body: str, generator: str = "plain", *, starts_with_tag: bool = False) -> str:
    """Return HTML for the body of a file, with braces that the generator's templates would run as character references.

    With `starts_with_tag`, text that does not begin with a tag is put into a `div`, so that Markdown leaves it alone.
    """
    body = body.strip("\r\n")
    if starts_with_tag and body and not body.lstrip().startswith("<"):
        body = f"<div>{body}</div>"
    if generator in TEMPLATE_GENERATORS:
        body = _TEMPLATE_OPENING.sub(lambda match: match.group().replace("{", "&#123;"), body)
    return body


_MATCHING_KEYS = frozenset((*TITLE, *ID, *LINK, *PUBLISHED, STAMP))


class _Merge:
    """The update of one file."""

    def __init__(
        self, document: Document, values: Values, body: str, mode: MergeMode, new: Stamp, form: FileForm = YAML_IN_UTC
    ) -> None:
        self.document = document
        self.form = form
        self.values = values
        self.body = body
        self.mode = mode
        self.local = {key.lower().replace("-", "_"): value for key, value in document.values.items()}
        self.names = {key.lower().replace("-", "_"): key for key in document.values}
        if form.metadata:
            self.local, self.names = by_feed_names(self.local), {}
        self.stamp = read_stamp(_first(self.local, STAMP))
        self.new = new
        # An explicit "overwrite" updates derived values too.
        same = bool(new.raw) and new.raw == self.stamp.raw and mode != "overwrite"
        self.ignored = _DERIVED if same else frozenset[str]()
        self.restamped = False
        self.changed: list[str] = []
        self.kept: list[str] = []

    def leave_derived(self) -> None:
        """Keep the values derived from the entry's text, whatever the text is now."""
        self.ignored = _DERIVED
        self.restamped = bool(self.stamp.hashes and self.new.raw) and self.new.raw != self.stamp.raw

    def run(self) -> MergeResult:
        hashes = list(self.stamp.hashes) + [""] * (len(TRACKED) - len(self.stamp.hashes))
        for index, key in enumerate(TRACKED):
            if key in self.ignored or key == "updated" or (key != "body" and key not in self.values):
                continue
            if self._is_later_date(key):
                continue
            hashes[index] = self._merge_key(key, hashes[index])
        if not self.changed and not self.restamped:
            return MergeResult(kept=tuple(self.kept))
        # A new date alone is no change: many feeds change their dates at every visit.
        for key in ("date", "updated"):
            if key in self.values and key not in self.changed:
                index, kept_before = TRACKED.index(key), len(self.kept)
                hashes[index] = self._merge_key(key, hashes[index])
                del self.kept[kept_before:]
        return self._result(tuple(hashes))

    def _is_later_date(self, key: str) -> bool:
        """Return True if the source's date is not earlier than the file's."""
        if key != "date":
            return False
        old, new = self._moments(key)
        return old is not None and new is not None and new >= old

    def _moments(self, key: str) -> tuple[datetime | None, datetime | None]:
        zone = self.form.zone
        return parse_date(self._old_value(key), zone=zone), parse_date(self._new_value(key), zone=zone)

    def _merge_key(self, key: str, base: str) -> str:
        """Update or keep one key; return its hash for the new stamp."""
        new, old = self._new_value(key), self._old_value(key)
        if new == old:
            # The person and the source made the same edit: the stamp must show the value as the source's.
            self.restamped |= bool(self.stamp.hashes) and base != short_hash(new)
            return short_hash(new)
        if key in _DATES and (moments := self._moments(key))[0] is not None and moments[0] == moments[1]:
            return base  # the same moment in another form must not move the page of an article
        edited_here = base != short_hash(old)
        if self.mode == "keep" or (edited_here and self.mode == "merge"):
            if base != short_hash(new):
                self.kept.append(key)
            return base
        if (
            (key == "body" and not new)
            or parts_without_noise(new) == parts_without_noise(old)
            or (key == "link" and _same_page(old, new))
        ):
            return base
        self.changed.append(key)
        return short_hash(new)

    def _new_value(self, key: str) -> str:
        return plain_body(self.body) if key == "body" else canonical(self.values[key])

    def _old_value(self, key: str) -> str:
        return plain_body(self.document.body) if key == "body" else canonical(self.local.get(key, ""))

    def _result(self, hashes: tuple[str, ...]) -> MergeResult:
        text, document = self.document.text, self.document
        if "body" in self.changed:
            newline = "\r\n" if "\r\n" in text[: document.split.body] else "\n"
            body = self.body.replace("\n", newline)
            head = text[: document.split.body]
            text = f"{head}{'' if head.endswith(newline) else newline}{newline}{body}{newline}"
        changes: dict[str, WrittenValue | None] = {
            self.names.get(key, key): self.values[key] or None for key in self.changed if key != "body"
        }
        if "thumbnail" in self.changed and "headimg" in self.local:
            changes[self.names["headimg"]] = self.values["thumbnail"] or None
        if "date" in self.changed and "date_guessed" in self.local:
            changes[self.names["date_guessed"]] = None
        if self.stamp.hashes or self.mode == "overwrite":
            # Hashes are positional in the stamp: a value that no source ever gave counts as an empty one.
            hashes = tuple(value or short_hash("") for value in hashes)
            stamp = Stamp(self.new.source or self.stamp.source, hashes, self.new.raw or self.stamp.raw)
            changes[STAMP] = stamp_text(stamp)
        try:
            metadata = self.form.metadata
            text = edit_front_matter(text, changes, metadata=True) if metadata else edit_nested(text, changes)  # type: ignore[arg-type]
        except FeedtoolError:
            return MergeResult(kept=(*self.kept, *self.changed))
        if not self._reads_back(text, changes):
            return MergeResult(kept=(*self.kept, *self.changed))
        return MergeResult(text=text, changed=tuple(self.changed), kept=tuple(self.kept))

    def _reads_back(self, text: str, changes: Mapping[str, WrittenValue | None]) -> bool:
        """Return True if the edited text reads back with the intended values: a failed edit must not be written."""
        metadata = self.form.metadata
        after = parse_document(text.encode("utf-8", "replace"), every_key=True, metadata=metadata)
        if after.broken or after.recovered:
            return False
        old = by_feed_names(self.document.values) if metadata else self.document.values
        new = by_feed_names(after.values) if metadata else after.values
        expected = {key: canonical(value) for key, value in old.items() if key not in changes}
        expected |= {key: canonical(value) for key, value in changes.items() if value}
        return {key: canonical(value) for key, value in new.items()} == expected


def edit_nested(text: str, changes: Mapping[str, WrittenValue | None]) -> str:
    """Return the text edited as by `edit_front_matter`, which has no nested values; here they are supported in YAML."""
    plain: dict[str, str | Sequence[str] | bool | None] = {}
    nested: dict[str, str] = {}
    for number, (key, value) in enumerate(changes.items()):
        if isinstance(value, Mapping) or (
            not isinstance(value, (str, bool)) and value and isinstance(value[0], Mapping)
        ):
            # Insert a placeholder word first, since edit_front_matter supports no nested values.
            nested[key] = plain[key] = f"feedtoolplaceholder{number}x"
        else:
            plain[key] = value  # type: ignore[assignment]
    form = split(text, FIRST_KEYS).form
    if nested and form != "yaml":
        raise FeedtoolError("feedtool writes nested values to YAML front matter only", hint="change it by hand")
    result = edit_front_matter(text, plain)
    newline = "\r\n" if "\r\n" in result[: split(result, FIRST_KEYS).body] else "\n"
    for key, placeholder in nested.items():
        lines = nested_yaml_lines(key, changes[key] or "").replace("\n", newline)
        before, _, after = result.partition(f"{key}: {placeholder}")
        # A comment after the old value moves to the line above the new one.
        comment, _, after = after.partition(newline)
        kept = f"{comment.strip()}{newline}" if comment.strip() else ""
        result = f"{before}{kept}{lines}{after}"
    return result


def _canonical_value(key: str, values: Values, body: str) -> str:
    return plain_body(body) if key == "body" else canonical(values.get(key, ""))


def _same_page(old: str, new: str) -> bool:
    """Return True if two links differ in spelling only, as they do from visit to visit; a change to https does count."""
    is_upgrade = new.startswith("https:") and not old.startswith("https:")
    return link_key(old) == link_key(new) and not is_upgrade


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
