"""Define how Jekyll reads articles (https://jekyllrb.com/docs/posts/, jekyll/lib/jekyll/frontmatter_defaults.rb)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, ClassVar

from feedtool.articles.dialect import DRAFT, Dialect, Hidden, Sorted, with_values
from feedtool.articles.field_table import KNOWN_KEYS
from feedtool.articles.fields import Fields, texts
from feedtool.articles.frontmatter import as_text
from feedtool.articles.hidden import hidden
from feedtool.articles.yaml_fast import normal
from feedtool.dialects.config import Read, config_of, first_text, item, texts_of
from feedtool.dialects.globs import matches, matches_above
from feedtool.expressions import expression
from feedtool.frozen import frozen

if TYPE_CHECKING:
    from feedtool.articles.yaml import Value

FILES = ("_config.yml", "_config.yaml", "_config.toml")
STYLES = {
    "": "/:categories/:year/:month/:day/:title:output_ext",
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "none": "/:categories/:title:output_ext",
}
"""The patterns of the built-in names for `permalink` (https://jekyllrb.com/docs/permalinks/#built-in-formats)."""
_POST = expression(r"\d{2,4}-\d{1,2}-\d{1,2}-[^/]*\.[^.]+", re.ASCII)
_PLACEHOLDERS = {
    ":year": "{year}", ":month": "{month}", ":day": "{day}", ":hour": "{hour}", ":minute": "{minute}", ":second": "{second}",
    ":title": "{slug}", ":slug": "{slug}", ":name": "{slug}", ":categories": "{categories}", ":output_ext": ".html",
}  # fmt: skip
Scope = tuple[str, dict[str, "Value"]]
"""A path below Jekyll's folder, and the default values of the articles in it."""


@frozen
class Jekyll(Dialect):
    """Jekyll's rules. `below` is the articles folder below Jekyll's own, ending in a slash; `scopes` are the values of
    `defaults`, the strongest last; `excluded` and `included` are its settings `exclude` and `include`."""

    below: str = "_posts/"
    scopes: tuple[Scope, ...] = ()
    excluded: tuple[str, ...] = ()
    included: tuple[str, ...] = ()

    name: ClassVar[str] = "jekyll"
    sorts: ClassVar[bool] = True
    utc_dates: ClassVar[bool] = True
    splits_categories: ClassVar[bool] = True
    draft_keys: ClassVar[Mapping[str, str | bool]] = {"published": False}
    new_suffix: ClassVar[str] = ".md"

    @property
    def is_plain(self) -> bool:
        """True if heads can be read without calling this dialect."""
        return not self.scopes

    def sort(self, folder: str, names: Sequence[str], folders: list[str]) -> Sorted:
        """Exclude the names that Jekyll skips in a `_posts` folder: names without a date, special names, excluded paths."""
        if not f"/{self.below}{folder}".count("/_posts/"):
            return Sorted(list(names), folders)
        place = self.below + folder
        inner = place[place.index("_posts/") + len("_posts/") :]

        def is_taken(name: str) -> bool:
            return self._is_included(inner + name, place + name)

        kept = [name for name in names if _POST.fullmatch(name) and is_taken(name)]
        return Sorted(kept, [name for name in folders if name == "_drafts" or is_taken(name)])

    def _is_included(self, entry: str, path: str) -> bool:
        """Return True if Jekyll reads a path (`Jekyll::EntryFilter`); `entry` is the path below its folder of posts.

        In its patterns, `*` also matches `/` (Ruby's File.fnmatch).
        """
        if any(matches(entry, glob, crosses=True) or matches(path, glob, crosses=True) for glob in self.included):
            return True
        if entry[0] in "_.#~" or entry.endswith("~") or "node_modules" in path.split("/"):
            return False
        return not any(
            matches_above(one, glob, crosses=True) or path.startswith(f"{glob.strip('/')}/")
            for glob in self.excluded
            for one in (path, entry)
        )

    def completed(self, path: str, values: dict[str, Value]) -> dict[str, Value]:
        """Return values completed by the `defaults` of _config.yml; null counts as missing, and categories are combined."""
        defaults: dict[str, Value] = {}
        full = self.below + path
        for scope, scope_values in self.scopes:
            if _is_in(full, scope):
                defaults.update(scope_values)
        if not defaults:
            return values
        categories = list(_names(defaults.get("categories", ""))) if "categories" in defaults else []
        merged = with_values(values, defaults, empty_counts=False)
        own = _own_categories(values)
        if categories and own:
            merged = {**merged, "categories": list(dict.fromkeys([*categories, *own]))}
        return merged

    def hidden(self, fields: Fields, path: str) -> Hidden:
        """Return whether an article is kept out of feeds; to Jekyll, an empty `published` means false."""
        if fields.values.get("published") == "":
            return Hidden(DRAFT, "it is a draft (`published` is empty)")
        return hidden(fields)

    def date_text(self, moment: datetime, zone: tzinfo) -> str:
        """Return a moment with the offset of the site's zone: Jekyll reads a time without an offset as UTC."""
        return moment.astimezone(zone).isoformat(timespec="seconds")

    def reads_date(self, text: str) -> bool:
        """Return True for ASCII text: Ruby's Time.parse reads nearly any such text that contains a date."""
        return text.isascii()

    def file_title(self, title: str, published: datetime, zone: tzinfo) -> str:
        """Return a title with the date in front: Jekyll ignores posts without a date in their name.

        Punctuation at the end of a name is dropped. A title of punctuation alone would leave only the date, which is no post
        either, so the name is then `post`.
        """
        words = title if any(map(str.isalnum, title)) else "post"
        return f"{published.astimezone(zone):%Y-%m-%d}-{words}"

    def address_zone(self, fields: Fields, zone: tzinfo) -> tzinfo:
        """Return the site's zone: Jekyll counts days in `timezone` (https://github.com/jekyll/jekyll/issues/6033)."""
        return zone

    def address(self, values: Mapping[str, Value]) -> str:
        """Return the template of `permalink`, "" if it has unknown placeholders."""
        text = next(texts(values.get("permalink", "")), "").strip()
        if not text or text.startswith(("http:", "https:")):
            return ""
        return template_of(STYLES.get(text, text))


RULES = Jekyll


def template_of(pattern: str) -> str:
    """Return feedtool's template for a Jekyll pattern, "" if it has unknown placeholders."""
    placeholders = re.findall(r":[a-z_]+", pattern)
    if any(word not in _PLACEHOLDERS for word in placeholders) or re.search(r"[{}?#\s]", pattern):
        return ""
    filled = re.sub(r":[a-z_]+", lambda found: _PLACEHOLDERS[found[0]], pattern)
    return filled if filled.startswith("/") else f"/{filled}"


def load(read: Read, articles: str) -> Jekyll:
    """Return the rules with the settings of `_config.yml`; `articles` is the path of the posts below Jekyll's folder."""
    config = config_of(read, FILES)
    return Jekyll(
        below=_below(articles, first_text(config, "collections_dir").strip("/")),
        scopes=tuple(_scopes(item(config, "defaults"), first_text(config, "collections_dir").strip("/"))),
        excluded=texts_of(item(config, "exclude")),
        included=texts_of(item(config, "include")),
    )


def _below(articles: str, collections: str) -> str:
    path = articles.strip("/")
    path = path.removeprefix(f"{collections}/") if collections else path
    return f"{path}/" if path.strip(".") else ""


def _scopes(defaults: object, collections: str) -> list[Scope]:
    """Return the default values for articles, the strongest last: a longer path wins, then a scope with a type.

    `collections` is the folder of collections; Jekyll removes it from paths before it compares them.
    """
    scopes: list[tuple[int, bool, Scope]] = []
    for one in defaults if isinstance(defaults, list) else []:
        scope, values = item(one, "scope"), item(one, "values")
        if not isinstance(values, dict):
            continue
        kind = item(scope, "type") if isinstance(scope, dict) else None
        if kind not in (None, "posts", "post"):
            continue
        path = item(scope, "path") if isinstance(scope, dict) else ""
        path = path.strip().lstrip("/") if isinstance(path, str) else ""
        path = path.removeprefix(f"{collections}/") if collections else path
        known_values = _known_values(values)
        if known_values:
            scopes.append((len(path), kind is not None, (path, known_values)))
    return [scope for _, _, scope in sorted(scopes, key=lambda one: one[:2])]


def _known_values(values: Mapping[object, object]) -> dict[str, Value]:
    """Return the values of known keys, converted to text: a TOML file has typed values."""
    try:
        return {normal(str(key)): as_text(value) for key, value in values.items() if normal(str(key)) in KNOWN_KEYS}
    except RecursionError:
        return {}


def _is_in(path: str, scope: str) -> bool:
    """Return True if a path is in a scope: it begins with the scope, or with a path that the glob matches."""
    if "*" not in scope:
        return path.startswith(scope)
    return matches_above(path, scope)


def _own_categories(values: dict[str, Value]) -> list[str]:
    """Return an article's categories as Jekyll reads them: text in `category` is one name, text in `categories` is split."""
    if values.get("categories"):
        return _names(values["categories"])
    one = values.get("category", "")
    return [one] if isinstance(one, str) and one else list(texts(one)) if one else []


def _names(value: Value) -> list[str]:
    return value.split() if isinstance(value, str) else list(texts(value))
