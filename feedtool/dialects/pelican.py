"""Define how Pelican reads articles (https://docs.getpelican.com/en/latest/content.html, pelican/readers.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

from feedtool.articles.dialect import DRAFT, NOT_HIDDEN, WITHHELD, Dialect, Hidden, Sorted, with_values
from feedtool.articles.field_table import KNOWN_KEYS
from feedtool.articles.fields import TITLE, Fields, texts
from feedtool.articles.hidden import hidden
from feedtool.dialects.config import Read, config_of, first_text, is_safe_pattern, item, texts_of
from feedtool.dialects.literals import COMPUTED
from feedtool.frozen import frozen

if TYPE_CHECKING:
    from feedtool.articles.yaml import Value

FILES = ("pelicanconf.py", "publishconf.py")


ARTICLES = (".md", ".markdown", ".html", ".htm")
"""Suffixes of articles; case matters to Pelican."""


@frozen
class Pelican(Dialect):
    """Pelican's rules.

    `below` is the articles folder below its content folder, `excluded` are folders there without articles, and `ignored` are
    patterns of names. `defaults` are values that the settings give to articles, by path, "" for all. `patterns` are regular
    expressions that find values in paths or, if the first item is True, in names.
    """

    below: str = ""
    excluded: tuple[str, ...] = ("pages",)
    ignored: tuple[str, ...] = (".*",)
    defaults: tuple[tuple[str, dict[str, Any]], ...] = ()
    patterns: tuple[tuple[bool, str], ...] = ()
    included: tuple[str, ...] = ()
    """The only folders with articles, () for all."""
    hides_by_default: bool = False
    """True if settings that are known only after running the file may make articles drafts."""

    name: ClassVar[str] = "pelican"
    is_metadata: ClassVar[bool] = True
    sorts: ClassVar[bool] = True
    example_date: ClassVar[str] = "2022-12-25 20:11"
    draft_keys: ClassVar[Mapping[str, str | bool]] = {"status": "draft"}
    new_suffix: ClassVar[str] = ".md"

    def sort(self, folder: str, names: Sequence[str], folders: list[str]) -> Sorted:
        """Exclude pages, excluded folders and ignored names."""
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
        """Return values completed by PATH_METADATA, FILENAME_METADATA, EXTRA_PATH_METADATA and DEFAULT_METADATA."""
        full = self.below + path
        for of_name, pattern in self.patterns:
            match = re.match(pattern, full.rpartition("/")[2].rpartition(".")[0] if of_name else full)
            if match is not None:
                named = {
                    key.lower(): value
                    for key, value in match.groupdict().items()
                    if value and key.lower() in KNOWN_KEYS
                }
                values = with_values(values, named, empty_counts=False)
        for default_path, default_values in self.defaults:
            if not default_path or full == default_path or full.startswith(f"{default_path}/"):
                values = with_values(values, default_values, empty_counts=False)
        return values

    def hidden(self, fields: Fields, path: str) -> Hidden:
        """Return whether an article is kept out of feeds: any status but `published`, or none, hides it."""
        status = next(texts(fields.values.get("status", "")), "").strip().lower()
        if status and status != "published":
            return Hidden(DRAFT if status == "draft" else WITHHELD, f"its status is {status[:40]}")
        if not fields.text(TITLE):
            return Hidden(WITHHELD, "Pelican ignores articles without a title")
        if not status and self.hides_by_default:
            return Hidden(
                WITHHELD, "it has no Status, and the default in pelicanconf.py is known only after running it"
            )
        return hidden(fields) if status != "published" else _protection(fields)

    def date_text(self, moment: datetime, zone: tzinfo) -> str:
        """Return a moment in TIMEZONE, in the form of Pelican's own articles."""
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"

    def reads_date(self, text: str) -> bool:
        """Return True for ASCII text: dateutil reads nearly any such text that contains a date."""
        return text.isascii()


RULES = Pelican


def _protection(fields: Fields) -> Hidden:
    result = hidden(fields)
    return result if result.kind == WITHHELD else NOT_HIDDEN


def load(read: Read, articles: str) -> Pelican:
    """Return the rules with the settings of pelicanconf.py; `articles` is the path of the articles below Pelican's folder."""
    config = {**config_of(read, FILES[:1]), **config_of(read, FILES[1:])}
    content = (first_text(config, "PATH") or "content").strip("/").removeprefix("./")
    full = articles.strip("/")
    below = full.removeprefix(content).strip("/") if full == content or full.startswith(f"{content}/") else ""
    pages = texts_of(item(config, "PAGE_PATHS")) if "PAGE_PATHS" in config else ("pages",)
    excluded = (*pages, *texts_of(item(config, "ARTICLE_EXCLUDES")))
    ignored = texts_of(item(config, "IGNORE_FILES")) if "IGNORE_FILES" in config else ("**/.*",)
    patterns = tuple(_patterns(config))
    unsure = [name for name in _READ_SETTINGS if item(config, name) is COMPUTED]
    unsure += [
        name for name in _PATTERNS if isinstance(item(config, name), str) and not is_safe_pattern(item(config, name))
    ]
    return Pelican(
        below=f"{below}/" if below else "",
        excluded=tuple(path.strip("/") for path in excluded if path.strip("/")),
        ignored=tuple(pattern.removeprefix("**/") for pattern in ignored),
        defaults=tuple(_defaults(config)),
        patterns=patterns,
        included=_included(config),
        unsure=tuple(f"the value of {name} is known only after running pelicanconf.py" for name in unsure),
        hides_by_default=not {"DEFAULT_METADATA", *_PATTERNS}.isdisjoint(unsure),
    )


_PATTERNS = {"FILENAME_METADATA": True, "PATH_METADATA": False}
"""Settings with regular expressions; True if they are matched with a file's name only."""
_READ_SETTINGS = ("DEFAULT_METADATA", *_PATTERNS, "PAGE_PATHS", "ARTICLE_PATHS", "ARTICLE_EXCLUDES")
"""Settings that decide which files are articles and which of these are drafts."""


def _included(config: Mapping[str, Any]) -> tuple[str, ...]:
    paths = item(config, "ARTICLE_PATHS") if "ARTICLE_PATHS" in config else ()
    folders = [path.strip("/") for path in (paths if isinstance(paths, list | tuple) else ()) if isinstance(path, str)]
    return () if "" in folders or "." in folders else tuple(folders)


def _patterns(config: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    """Yield the expressions that find values in names and paths; feedtool has its own for dates in names."""
    for key, of_name in _PATTERNS.items():
        pattern = item(config, key)
        if isinstance(pattern, str) and pattern and is_safe_pattern(pattern):
            yield of_name, pattern


def _defaults(config: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the values that settings give, the strongest first: the longest path, and DEFAULT_METADATA last."""
    extra = item(config, "EXTRA_PATH_METADATA")
    defaults = [
        (str(path).strip("/"), _known_texts(values))
        for path, values in (extra.items() if isinstance(extra, dict) else ())
    ]
    defaults.sort(key=lambda one: (-len(one[0]), one[0]))
    every = item(config, "DEFAULT_METADATA")
    return [one for one in [*defaults, ("", _known_texts(every))] if one[1]]


def _known_texts(values: Any) -> dict[str, Any]:
    """Return the values of known keys that are texts or lists of texts."""
    try:
        values = dict(values or {})
    except (TypeError, ValueError):
        return {}
    known_values = {str(key).lower(): value for key, value in values.items() if str(key).lower() in KNOWN_KEYS}
    return {
        key: value if isinstance(value, str) else [str(one) for one in value]
        for key, value in known_values.items()
        if isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(one, str) for one in value))
    }
