"""What Hugo means by an article (https://gohugo.io/content-management/front-matter/ and /page-bundles/)."""

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
from feedtool.articles.fields import KNOWN, TRUE, Fields, texts
from feedtool.articles.frontmatter import as_text, parse_document
from feedtool.articles.hidden import hidden
from feedtool.articles.keys import STARTS
from feedtool.articles.yaml_fast import normal
from feedtool.dialects.config import Config, Read, config_of, first_text, is_quick, item, texts_of
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
"""Endings of pages, as Hugo spells them."""
_ENDINGS = ("md", "markdown", "html", "htm")
_BUNDLE = expression(r"index(?:\.[A-Za-z-]{2,12})?\.(?:md|markdown|html?)")
_SECTION = expression(r"_index(?:\.[A-Za-z-]{2,12})?\.(?:md|markdown|html?)")
_TARGETS = ("_target", "target")
# The forms that github.com/spf13/cast reads, which Hugo reads dates with.
_DATE = expression(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d)(?: [A-Z]{3,4})?)?)?"
    r"|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}|[A-Z]{3})|\d\d [A-Z][a-z]{2} \d{4}|\d{1,12}"
)


@frozen
class Hugo(Dialect):
    """Hugo's rules. `below` is the articles folder below the content folder; `above` is what the site's settings and the
    folders between these two give; `ignored` are the expressions of `ignoreFiles`."""

    below: str = ""
    above: tuple[tuple[tuple[str, dict[str, Any]], ...], tuple[Any, ...], bytes] = ((), tuple(NOT_HIDDEN), b"")
    ignored: tuple[str, ...] = ()

    name: ClassVar[str] = "hugo"
    sorts: ClassVar[bool] = True
    inherits: ClassVar[bool] = True

    @property
    def start(self) -> FolderValues:
        """Return what is given to the articles folder itself."""
        values, hides, digest = self.above
        return FolderValues(values, Hidden(*hides), digest)

    def sort(self, folder: str, names: Sequence[str], folders: list[str]) -> Sorted:
        """Return the articles of a folder: of a leaf bundle its index alone, of others all but `_index.md`."""
        names = [name for name in names if not self.ignored or not self._is_ignored(self.below + folder + name)]
        bundle = [name for name in names if _BUNDLE.fullmatch(name)]
        if bundle:
            return Sorted(bundle, [])
        sections = tuple(name for name in names if _SECTION.fullmatch(name))
        return Sorted([name for name in names if name not in sections and name.endswith(PAGES)], folders, sections)

    def _is_ignored(self, path: str) -> bool:
        return any(re.search(pattern, path[:1000]) for pattern in self.ignored)

    def section(self, above: FolderValues, path: str, data: bytes, zone: tzinfo) -> FolderValues:
        """Return what a section gives: `cascade` of its `_index` file, and whether it is hidden itself.

        Hugo leaves out all pages below a section that is a draft, under embargo or expired, whatever they say themselves.
        """
        document = parse_document(data, every_key=True)
        digest = blake2b(data + path.encode("utf-8", "surrogateescape"), digest_size=16, key=above.digest).digest()
        if (document.broken or document.recovered) and data.strip():
            unread = Hidden(WITHHELD, f"{path} can't be read, and may hide what lies below it")
            return FolderValues(above.values, both_hidden(above.hidden, unread), digest)
        read = {normal(key): value for key, value in document.values.items()}
        cascade = _cascades(read.get("cascade"))
        own = read
        for target, values in (*cascade, *above.values):
            if _fits(f"/{self.below}{path}", target, section=True):
                own = with_values(own, values, empty_counts=True)
        own = {key: value for key, value in own.items() if key not in ("headless", "build", "_build")}
        if "date" in own and own.keys().isdisjoint(STARTS):
            own["publishdate"] = own["date"]  # which it is to Hugo where there is no other
        fields = Fields(own, zone, named=True)
        state = hidden(fields, starts=STARTS)
        if state.kind == WITHHELD and "date" not in state.reason:
            state = NOT_HIDDEN  # a section that is unlisted, or has a password, says nothing of its pages
        if state.reason:
            state = state._replace(reason=f"the section that it lies in is hidden ({path}: {state.reason})")
        if not cascade and state == NOT_HIDDEN:
            return above
        return FolderValues((*cascade, *above.values), both_hidden(above.hidden, state), digest)

    def completed(self, path: str, values: dict[str, Value]) -> dict[str, Value]:
        """Return values with what cascades down to the article at `path`; own ones win, the nearest section's next."""
        for target, given in self.folder_values.values:
            if _fits(f"/{self.below}{path}", target, section=False):
                values = with_values(values, given, empty_counts=True)
        return values

    def hidden(self, fields: Fields, path: str) -> Hidden:
        """Return whether Hugo, or the article itself, keeps it out of lists: drafts, embargoes, expiry, `headless`, `list`."""
        values = fields.values
        name = path.rpartition("/")[2]
        if "headless" in values and _text(values["headless"]) in TRUE and _BUNDLE.fullmatch(name):
            return Hidden(WITHHELD, "`headless: true` keeps the bundle out of lists")
        return hidden(fields, starts=STARTS, lists=True)

    def reads_date(self, text: str) -> bool:
        """Return True for the forms that Hugo reads."""
        return _DATE.fullmatch(text) is not None


RULES = Hugo


def load(read: Read, articles: str) -> Hugo:
    """Return the rules as Hugo's settings have them; `articles` is the path of the articles below Hugo's folder."""
    config = config_of(read, FILES)
    content = (first_text(config, "contentDir") or "content").strip("/")
    inside = articles.strip("/") == content or articles.startswith(f"{content}/")
    below = articles.strip("/").removeprefix(content).strip("/") if inside else ""
    given_patterns = texts_of(item(config, "ignoreFiles"))
    patterns = tuple(one for one in given_patterns if is_quick(one))
    unsure = ("ignoreFiles has an expression that feedtool does not follow",) if patterns != given_patterns else ()
    rules = Hugo(below=f"{below}/" if below else "", ignored=patterns, unsure=unsure)
    given = _of_site(read, config)
    bare = replace(rules, below="")
    # The sections between the content folder and the articles: what they give comes down, too.
    parts = below.split("/") if below else []
    for depth in range(len(parts)):
        folder = "/".join(parts[:depth])
        for ending in _ENDINGS:
            path = f"{folder}/_index.{ending}".lstrip("/")
            data = read(f"{content}/{path}")
            if data is not None:
                given = bare.section(given, path, data, UTC)
                break
    return replace(rules, above=(given.values, tuple(given.hidden), given.digest))


def _of_site(read: Read, config: Config) -> FolderValues:
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
    """Return the values of a cascade with the path that each is for, "" for all; the first that fits an article counts."""
    found = []
    for one in cascade if isinstance(cascade, list) else [cascade]:
        if not isinstance(one, dict):
            continue
        values = {normal(str(key)): value for key, value in one.items()}
        inner = values.get("params")
        values |= {normal(str(key)): value for key, value in inner.items()} if isinstance(inner, dict) else {}
        targets = (values[key] for key in _TARGETS if isinstance(values.get(key), dict))
        target: Mapping[str, Any] = {normal(str(key)): value for key, value in next(targets, {}).items()}
        known = {key: value for key, value in values.items() if key in KNOWN}
        environment = _text(target.get("environment", ""))
        if known and (not environment or matches("production", environment)):
            found.append((_target(target), known))
    return tuple(found)


def _target(target: Mapping[str, Any]) -> str:
    """Return the kind and the path of a cascade's target as one text: `page:/blog/**`, "" for all pages."""
    kind, path = _text(target.get("kind", "")), next(texts(target.get("path", "")), "")
    return f"{kind}:{path}" if kind else path


def _fits(path: str, target: str, *, section: bool) -> bool:
    """Return True if a cascade's target takes in the page at a path below the content folder."""
    kind, _, glob = target.rpartition(":")
    if kind and (kind == "page") == section:
        return False
    path, glob = path.lower(), glob.lower()
    bare = path.rpartition(".")[0]
    return not glob or matches(path, glob) or matches(bare, glob) or matches(bare.removesuffix("/index"), glob)


def _text(value: Any) -> str:
    return next(texts(value), "").strip().lower() if value else ""
