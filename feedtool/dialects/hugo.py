"""Define how Hugo reads articles (https://gohugo.io/content-management/front-matter/ and /page-bundles/)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar

from feedtool.articles.dialect import (
    NO_FOLDER_VALUES,
    NOT_HIDDEN,
    WITHHELD,
    Dialect,
    FolderValues,
    Hidden,
    Sorted,
    both_hidden,
    with_values,
)
from feedtool.articles.field_table import KNOWN_KEYS
from feedtool.articles.fields import TRUE, Fields, texts
from feedtool.articles.frontmatter import as_text, parse_document
from feedtool.articles.hidden import hidden
from feedtool.articles.keys import STARTS
from feedtool.articles.yaml_fast import normal
from feedtool.dialects.config import Config, Read, config_of, first_text, is_safe_pattern, item, texts_of
from feedtool.dialects.globs import matches
from feedtool.digests import blake2b
from feedtool.expressions import expression
from feedtool.frozen import frozen

if TYPE_CHECKING:
    from feedtool.articles.yaml import Value

FILES = tuple(
    f"{folder}{name}.{kind}"
    for folder in ("", "config/_default/")
    for name in ("hugo", "config")
    for kind in ("toml", "yaml", "yml", "json")
)
_CASCADES = tuple(
    f"config/{place}/cascade.{kind}" for place in ("_default", "production") for kind in ("toml", "yaml", "yml", "json")
)
PAGES = (".md", ".markdown", ".html", ".htm")
"""Suffixes of pages; case matters to Hugo."""
_ENDINGS = ("md", "markdown", "html", "htm")
_BUNDLE = expression(r"index(?:\.[A-Za-z-]{2,12})?\.(?:md|markdown|html?)")
_SECTION = expression(r"_index(?:\.[A-Za-z-]{2,12})?\.(?:md|markdown|html?)")
_TARGETS = ("_target", "target")
# The date formats of github.com/spf13/cast, which Hugo uses.
_DATE = expression(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d)(?: [A-Z]{3,4})?)?)?"
    r"|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}|[A-Z]{3})|\d\d [A-Z][a-z]{2} \d{4}|\d{1,12}"
)


@frozen
class Hugo(Dialect):
    """Hugo's rules. `below` is the articles folder below the content folder; `above` are the values inherited from the site's
    settings and from the folders between these two; `ignored` are the expressions of `ignoreFiles`."""

    below: str = ""
    above: tuple[tuple[tuple[str, dict[str, Any]], ...], tuple[Any, ...], bytes] = ((), tuple(NOT_HIDDEN), b"")
    ignored: tuple[str, ...] = ()

    name: ClassVar[str] = "hugo"
    sorts: ClassVar[bool] = True
    inherits: ClassVar[bool] = True

    @property
    def start(self) -> FolderValues:
        """Return the values that the articles folder itself inherits."""
        values, hides, digest = self.above
        return FolderValues(values, Hidden(*hides), digest)

    def sort(self, folder: str, names: Sequence[str], folders: list[str]) -> Sorted:
        """Return the articles of a folder: only the index of a leaf bundle, and all pages but `_index.md` of other folders."""
        names = [name for name in names if not self.ignored or not self._is_ignored(self.below + folder + name)]
        bundle = [name for name in names if _BUNDLE.fullmatch(name)]
        if bundle:
            return Sorted(bundle, [])
        sections = tuple(name for name in names if _SECTION.fullmatch(name))
        return Sorted([name for name in names if name not in sections and name.endswith(PAGES)], folders, sections)

    def _is_ignored(self, path: str) -> bool:
        return any(re.search(pattern, path[:1000]) for pattern in self.ignored)

    def section(self, above: FolderValues, path: str, data: bytes, zone: tzinfo) -> FolderValues:
        """Return the values of a section: the `cascade` of its `_index` file, and whether the section is hidden.

        Hugo excludes all pages below a section that is a draft, under embargo or expired, whatever their own front matter.
        """
        document = parse_document(data, every_key=True)
        digest = blake2b(data + path.encode("utf-8", "surrogateescape"), digest_size=16, key=above.digest).digest()
        if (document.broken or document.recovered) and data.strip():
            unreadable = Hidden(WITHHELD, f"{path} cannot be read, and may hide the pages below it")
            return FolderValues(above.values, both_hidden(above.hidden, unreadable), digest)
        own_values = {normal(key): value for key, value in document.values.items()}
        cascade = _cascades(own_values.get("cascade"))
        inherited = own_values
        for target, values in (*cascade, *above.values):
            if _target_matches(f"/{self.below}{path}", target, section=True):
                inherited = with_values(inherited, values, empty_counts=True)
        inherited = {key: value for key, value in inherited.items() if key not in ("headless", "build", "_build")}
        if "date" in inherited and inherited.keys().isdisjoint(STARTS):
            inherited["publishdate"] = inherited["date"]  # Hugo does the same if there is no publishDate
        fields = Fields(inherited, zone, normalized=True)
        state = hidden(fields, starts=STARTS)
        if state.kind == WITHHELD and "date" not in state.reason:
            state = NOT_HIDDEN  # an unlisted or protected section does not hide its pages
        if state.reason:
            state = state._replace(reason=f"its section is hidden ({path}: {state.reason})")
        if not cascade and state == NOT_HIDDEN:
            return above
        return FolderValues((*cascade, *above.values), both_hidden(above.hidden, state), digest)

    def completed(self, path: str, values: dict[str, Value]) -> dict[str, Value]:
        """Return values completed by the cascades for the article at `path`; its own win, then the nearest section."""
        for target, folder_values in self.folder_values.values:
            if _target_matches(f"/{self.below}{path}", target, section=False):
                values = with_values(values, folder_values, empty_counts=True)
        return values

    def hidden(self, fields: Fields, path: str) -> Hidden:
        """Return whether the article is kept out of lists: drafts, embargoes, expiry, `headless`, `list`."""
        values = fields.values
        name = path.rpartition("/")[2]
        if "headless" in values and _text(values["headless"]) in TRUE and _BUNDLE.fullmatch(name):
            return Hidden(WITHHELD, "`headless: true` keeps the bundle out of lists")
        return hidden(fields, starts=STARTS, lists=True)

    def reads_date(self, text: str) -> bool:
        """Return True for the date formats that Hugo reads."""
        return _DATE.fullmatch(text) is not None


RULES = Hugo


def load(read: Read, articles: str) -> Hugo:
    """Return the rules with Hugo's settings; `articles` is the path of the articles below Hugo's folder."""
    config = config_of(read, FILES)
    content = (first_text(config, "contentDir") or "content").strip("/")
    inside = articles.strip("/") == content or articles.startswith(f"{content}/")
    below = articles.strip("/").removeprefix(content).strip("/") if inside else ""
    written_patterns = texts_of(item(config, "ignoreFiles"))
    patterns = tuple(one for one in written_patterns if is_safe_pattern(one))
    unsure = ("ignoreFiles has an expression that feedtool does not support",) if patterns != written_patterns else ()
    rules = Hugo(below=f"{below}/" if below else "", ignored=patterns, unsure=unsure)
    inherited = _site_cascade(read, config)
    bare = replace(rules, below="")
    # Articles also inherit from the sections between the content folder and the articles folder.
    parts = below.split("/") if below else []
    for depth in range(len(parts)):
        folder = "/".join(parts[:depth])
        for ending in _ENDINGS:
            path = f"{folder}/_index.{ending}".lstrip("/")
            data = read(f"{content}/{path}")
            if data is not None:
                inherited = bare.section(inherited, path, data, UTC)
                break
    return replace(rules, above=(inherited.values, tuple(inherited.hidden), inherited.digest))


def _site_cascade(read: Read, config: Config) -> FolderValues:
    cascade = item(config, "cascade")
    if cascade is None:
        parts = [config_of(read, [name]) for name in _CASCADES]
        cascade = next((part for part in parts if part), None)
    try:
        values = _cascades(as_text(cascade)) if cascade is not None else ()
    except RecursionError:
        values = ()
    return FolderValues(values) if values else NO_FOLDER_VALUES


def _cascades(cascade: Any) -> tuple[tuple[str, dict[str, Value]], ...]:
    """Return pairs of a cascade's target ("" for all pages) and values; the first that matches an article counts."""
    cascades = []
    for one in cascade if isinstance(cascade, list) else [cascade]:
        if not isinstance(one, dict):
            continue
        values = {normal(str(key)): value for key, value in one.items()}
        inner = values.get("params")
        values |= {normal(str(key)): value for key, value in inner.items()} if isinstance(inner, dict) else {}
        targets = (values[key] for key in _TARGETS if isinstance(values.get(key), dict))
        target: Mapping[str, Any] = {normal(str(key)): value for key, value in next(targets, {}).items()}
        known_values = {key: value for key, value in values.items() if key in KNOWN_KEYS}
        environment = _text(target.get("environment", ""))
        if known_values and (not environment or matches("production", environment)):
            cascades.append((_target(target), known_values))
    return tuple(cascades)


def _target(target: Mapping[str, Any]) -> str:
    """Return the kind and the path of a cascade's target as one text: `page:/blog/**`; "" for all pages."""
    kind, path = _text(target.get("kind", "")), next(texts(target.get("path", "")), "")
    return f"{kind}:{path}" if kind else path


def _target_matches(path: str, target: str, *, section: bool) -> bool:
    """Return True if a cascade's target matches the page at a path below the content folder."""
    kind, _, glob = target.rpartition(":")
    if kind and (kind == "page") == section:
        return False
    path, glob = path.lower(), glob.lower()
    bare = path.rpartition(".")[0]
    return not glob or matches(path, glob) or matches(bare, glob) or matches(bare.removesuffix("/index"), glob)


def _text(value: Any) -> str:
    return next(texts(value), "").strip().lower() if value else ""
