"""What Pelican means by an article (https://docs.getpelican.com/en/latest/content.html, pelican/readers.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

from feedtool.articles.dialect import DRAFT, NOT_HIDDEN, WITHHELD, Dialect, Hidden, Sorted, with_values
from feedtool.articles.fields import KNOWN, TITLE, Fields, texts
from feedtool.articles.hidden import hidden
from feedtool.dialects.config import Read, config_of, first_text, is_quick, item, texts_of
from feedtool.dialects.literals import COMPUTED
from feedtool.frozen import frozen

if TYPE_CHECKING:
    from feedtool.articles.yaml import Value

FILES = ("pelicanconf.py", "publishconf.py")


ARTICLES = (".md", ".markdown", ".html", ".htm")
"""Endings of articles, as Pelican spells them."""


@frozen
class Pelican(Dialect):
    """Pelican's rules. `excluded` are folders below its content folder that hold no articles, `ignored` patterns of names;
    `below` is the articles folder there. `defaults` are values that its settings give to articles, by path, "" for all;
    `patterns` are its expressions that find values in paths and, marked so, in names."""

    below: str = ""
    excluded: tuple[str, ...] = ("pages",)
    ignored: tuple[str, ...] = (".*",)
    defaults: tuple[tuple[str, dict[str, Any]], ...] = ()
    patterns: tuple[tuple[bool, str], ...] = ()
    included: tuple[str, ...] = ()
    """Folders that alone hold articles, () where all do."""
    hides_by_default: bool = False
    """Settings that take running may make articles drafts."""

    name: ClassVar[str] = "pelican"
    is_metadata: ClassVar[bool] = True
    sorts: ClassVar[bool] = True
    example_date: ClassVar[str] = "2022-12-25 20:11"
    draft_keys: ClassVar[Mapping[str, str | bool]] = {"status": "draft"}
    new_suffix: ClassVar[str] = ".md"

    def sort(self, folder: str, names: Sequence[str], folders: list[str]) -> Sorted:
        """Leave out pages, excluded folders and ignored names."""
        place = self.below + folder
        inside = any(f"{place}/".startswith(f"{path}/") for path in self.included) or not self.included
        if not inside:
            above = [
                name for name in folders if any(f"{path}/".startswith(f"{place}{name}/") for path in self.included)
            ]
            return Sorted([], above)
        if any(f"{place}".startswith(f"{path}/") for path in self.excluded):
            return Sorted([], [])
        return Sorted(
            [name for name in names if name.endswith(ARTICLES) and not self._is_ignored(name)],
            [name for name in folders if place + name not in self.excluded and not self._is_ignored(name)],
        )

    def _is_ignored(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.ignored)

    def completed(self, path: str, values: dict[str, Value]) -> dict[str, Value]:
        """Return values with those of PATH_METADATA, FILENAME_METADATA, EXTRA_PATH_METADATA and DEFAULT_METADATA."""
        full = self.below + path
        for of_name, pattern in self.patterns:
            found = re.match(pattern, full.rpartition("/")[2].rpartition(".")[0] if of_name else full)
            if found is not None:
                named = {
                    key.lower(): value for key, value in found.groupdict().items() if value and key.lower() in KNOWN
                }
                values = with_values(values, named, empty_counts=False)
        for place, given in self.defaults:
            if not place or full == place or full.startswith(f"{place}/"):
                values = with_values(values, given, empty_counts=False)
        return values

    def hidden(self, fields: Fields, path: str) -> Hidden:
        """Return whether an article is kept out of feeds: only `Status: published`, or none, is in them."""
        status = next(texts(fields.values.get("status", "")), "").strip().lower()
        if status and status != "published":
            return Hidden(DRAFT if status == "draft" else WITHHELD, f"its status is {status[:40]}")
        if not fields.text(TITLE):
            return Hidden(WITHHELD, "Pelican takes no article without a title")
        if not status and self.hides_by_default:
            return Hidden(WITHHELD, "it has no Status, and the default in pelicanconf.py takes running to tell")
        return hidden(fields) if status != "published" else _protected(fields)

    def date_text(self, moment: datetime, zone: tzinfo) -> str:
        """Return a moment in TIMEZONE, as Pelican's own articles have it."""
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"

    def reads_date(self, text: str) -> bool:
        """Return True for whatever dateutil may read: nearly any text in ASCII with a date in it."""
        return text.isascii()


RULES = Pelican


def _protected(fields: Fields) -> Hidden:
    found = hidden(fields)
    return found if found.kind == WITHHELD else NOT_HIDDEN


def load(read: Read, articles: str) -> Pelican:
    """Return the rules as pelicanconf.py has them; `articles` is the path of the articles below Pelican's folder."""
    config = {**config_of(read, FILES[:1]), **config_of(read, FILES[1:])}
    content = (first_text(config, "PATH") or "content").strip("/").removeprefix("./")
    full = articles.strip("/")
    below = full.removeprefix(content).strip("/") if full == content or full.startswith(f"{content}/") else ""
    pages = texts_of(item(config, "PAGE_PATHS")) if "PAGE_PATHS" in config else ("pages",)
    excluded = (*pages, *texts_of(item(config, "ARTICLE_EXCLUDES")))
    ignored = texts_of(item(config, "IGNORE_FILES")) if "IGNORE_FILES" in config else ("**/.*",)
    patterns = tuple(_patterns(config))
    unsure = [name for name in _FOLLOWED if item(config, name) is COMPUTED]
    unsure += [name for name in _PATTERNS if isinstance(item(config, name), str) and not is_quick(item(config, name))]
    return Pelican(
        below=f"{below}/" if below else "",
        excluded=tuple(path.strip("/") for path in excluded if path.strip("/")),
        ignored=tuple(pattern.removeprefix("**/") for pattern in ignored),
        defaults=tuple(_defaults(config)),
        patterns=patterns,
        included=_included(config),
        unsure=tuple(f"{name} takes running pelicanconf.py to tell" for name in unsure),
        hides_by_default=not {"DEFAULT_METADATA", *_PATTERNS}.isdisjoint(unsure),
    )


_PATTERNS = {"FILENAME_METADATA": True, "PATH_METADATA": False}
"""Settings that hold expressions, and whether these are matched with a file's name alone."""
_FOLLOWED = ("DEFAULT_METADATA", *_PATTERNS, "PAGE_PATHS", "ARTICLE_PATHS", "ARTICLE_EXCLUDES")
"""Settings that decide what is an article, and what is a draft."""


def _included(config: Mapping[str, Any]) -> tuple[str, ...]:
    paths = item(config, "ARTICLE_PATHS") if "ARTICLE_PATHS" in config else ()
    found = [path.strip("/") for path in (paths if isinstance(paths, list | tuple) else ()) if isinstance(path, str)]
    return () if "" in found or "." in found else tuple(found)


def _patterns(config: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    """Yield the expressions by which settings find values in names and paths; that for dates in names is feedtool's own."""
    for key, of_name in _PATTERNS.items():
        pattern = item(config, key)
        if isinstance(pattern, str) and pattern and is_quick(pattern):
            yield of_name, pattern


def _defaults(config: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the values that settings give, the strongest first: those of the longest path, then DEFAULT_METADATA."""
    extra = item(config, "EXTRA_PATH_METADATA")
    found = [
        (str(path).strip("/"), _plain(values)) for path, values in (extra.items() if isinstance(extra, dict) else ())
    ]
    found.sort(key=lambda one: (-len(one[0]), one[0]))
    every = item(config, "DEFAULT_METADATA")
    return [one for one in [*found, ("", _plain(every))] if one[1]]


def _plain(values: Any) -> dict[str, Any]:
    """Return the values that feedtool knows, as texts and lists of texts."""
    try:
        values = dict(values or {})
    except (TypeError, ValueError):
        return {}
    known = {str(key).lower(): value for key, value in values.items() if str(key).lower() in KNOWN}
    return {
        key: value if isinstance(value, str) else [str(one) for one in value]
        for key, value in known.items()
        if isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(one, str) for one in value))
    }
