"""Translate a generator's pattern of addresses to feedtool's permalink template.

A template that is right for some of the articles only would put dead links into feeds: it is refused, with the reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from feedtool import storage
from feedtool.articles import HEAD_SIZE, Rules, parse_document, read_head
from feedtool.articles.dialect import Dialect
from feedtool.config.validate import InvalidValueError
from feedtool.config.validate import permalink as checked

SAMPLE_SIZE = 300
"""The number of articles that are examined."""


class UntranslatableError(ValueError):
    """A pattern cannot be expressed as a template; `str()` says why."""


class Sample(NamedTuple):
    """Facts about some of the articles: paths, titles and categories, and for each front-matter key an article that has it."""

    paths: tuple[str, ...]
    titles: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    keys: Mapping[str, str] = MappingProxyType({})


Parts = Mapping[str, "str | Callable[[Sample], str]"]
"""The parts of a generator's addresses with their counterparts in feedtool's template, or functions that return them."""


def sample_of(root: str, dialect: Dialect) -> Sample:
    """Return the facts of the first articles below a folder; an empty sample if there is no such folder."""
    if not os.path.isdir(root):
        return Sample((), (), ())
    folders = storage.walk_articles(root, problems=[], prefix="", layout=dialect)
    paths_found = (folder.path + file[0] for folder in folders for file in folder.files)
    paths = list(islice(paths_found, SAMPLE_SIZE))
    full = [os.path.join(root, *path.split("/")) for path in paths]
    rules = Rules(dialect=dialect)
    heads = []
    keys: dict[str, str] = {}
    for path, where, data in zip(paths, full, storage.read_prefixes(full, HEAD_SIZE), strict=True):
        if not isinstance(data, bytes):
            continue
        head = read_head(path, data, lambda where=where: storage.read_article(where), rules)  # type: ignore[misc]
        if head.id and not head.hidden:
            heads.append(head)
            values = parse_document(data, every_key=True, metadata=dialect.is_metadata).values
            keys |= {key: path for key, value in values.items() if isinstance(value, str) and value.strip()}
    return Sample(
        tuple(head.path for head in heads),
        tuple(head.title for head in heads),
        tuple(head.categories for head in heads),
        keys,
    )


def translate(pattern: str, parts: Parts, sample: Sample, *, root: str = "/", own: Iterable[str] = ()) -> str:
    """Return feedtool's template for a pattern, below the site's `root`; raise UntranslatableError if there is none.

    `own` are the keys by which an article sets its own address.
    """
    for key in own:
        if key in sample.keys:
            raise UntranslatableError(f"{sample.keys[key]} sets its own ({key})")

    def ours(match: re.Match[str]) -> str:
        word = match.group()
        if word not in parts:
            raise UntranslatableError(f"feedtool has no {word}")
        part = parts[word]
        return part if isinstance(part, str) else part(sample)

    if re.search(r"[{}]", re.sub(_WORD, "", pattern)):
        raise UntranslatableError("it has braces of its own")
    filled = re.sub("/{2,}", "/", f"{root}/{re.sub(_WORD, ours, pattern)}")
    try:
        return checked(filled)
    except InvalidValueError as error:
        raise UntranslatableError(error.what) from None


_WORD = re.compile(r":[a-z_]+|\{[a-z_]+(?::%[A-Za-z])?\}")


def _hexo_category(sample: Sample) -> str:
    """Return the part for Hexo's category; Hexo's default for articles without one is also feedtool's."""
    return _single_category(sample) or "{category}"


def _jekyll_categories(sample: Sample) -> str:
    # Jekyll writes categories in lower case.
    if any(name != name.lower() for names in sample.categories for name in names):
        raise UntranslatableError("categories have capitals, which Jekyll's addresses do not")
    if not any(sample.categories):
        return ""
    _check_categories(sample)
    return "{categories}"


def _single_category(sample: Sample) -> str:
    if not any(sample.categories):
        return ""
    if any(len(names) > 1 for names in sample.categories):
        raise UntranslatableError("not every article has exactly one category")
    _check_categories(sample)
    return "{category}"


def _check_categories(sample: Sample) -> None:
    if not all(re.fullmatch(r"[\w-]+", name) for names in sample.categories for name in names):
        raise UntranslatableError("categories have characters that addresses do not")


def _path(sample: Sample) -> str:
    """Return the part for Hugo's file name: in lower case, and for a bundle the name of its folder."""
    if any(path != path.lower() or " " in path for path in sample.paths):
        raise UntranslatableError("files have capitals or spaces in their names, which Hugo's addresses do not")
    if any("." in path.rpartition("/")[2].rpartition(".")[0] for path in sample.paths):
        raise UntranslatableError("files have more than one dot in their names, which may name a language")
    bundles = [path for path in sample.paths if path.rpartition("/")[2].startswith(("index.", "_index."))]
    if bundles and any(path.count("/") > (path in bundles) for path in sample.paths):
        raise UntranslatableError("there are both bundles and articles in folders")
    return "{stem}" if bundles else "{path}"


def _dated(sample: Sample) -> str:
    """Return the part for Hexo's file name without the date of `new_post_name`; in a folder, Hexo takes the whole name."""
    if any("/" in path for path in sample.paths):
        raise UntranslatableError("there are articles in folders, which Hexo names differently")
    return "{slug}"


def _file(sample: Sample) -> str:
    """Return the part for Pelican's file name, if `slugify` leaves every name unchanged."""
    stems = [path.rpartition("/")[2].rpartition(".")[0] for path in sample.paths]
    if not all(re.fullmatch(r"[a-z0-9_]+(?:-[a-z0-9_]+)*", stem) for stem in stems):
        raise UntranslatableError("files have characters in their names that Pelican's addresses do not")
    return "{stem}"


def _title(sample: Sample) -> str:
    """Return the part for a title, if every title consists of words and spaces, which all generators write in the same way."""
    if not all(re.fullmatch(r"[^\W_]+(?: [^\W_]+)*", title) for title in sample.titles):
        raise UntranslatableError("it is made of titles, and some have characters that feedtool writes differently")
    return "{title}"


def _ascii_title(sample: Sample) -> str:
    if not all(title.isascii() for title in sample.titles):
        raise UntranslatableError("it is made of titles, and some are not in ASCII")
    return _title(sample)


_DATES = {f":{name}": f"{{{name}}}" for name in ("year", "month", "day", "hour", "minute", "second")}
HEXO: Parts = {**_DATES, ":title": "{path}", ":name": "{stem}", ":post_title": _title, ":category": _hexo_category}
HEXO_DATED: Parts = {**HEXO, ":title": _dated, ":name": _dated}
JEKYLL: Parts = {
    **_DATES,
    ":title": "{slug}",
    ":slug": "{slug}",
    ":name": "{slug}",
    ":output_ext": ".html",
    ":categories": _jekyll_categories,
}
JEKYLL_STYLES = {
    "": "/:categories/:year/:month/:day/:title:output_ext",
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "none": "/:categories/:title:output_ext",
}
HUGO: Parts = {
    **{word: part for word, part in _DATES.items() if word in (":year", ":month", ":day")},
    ":filename": _path,
    ":contentbasename": _path,
    ":slugorfilename": _path,
    ":slugorcontentbasename": _path,
    ":title": _title,
    ":slug": _title,
}
PELICAN: Parts = {
    "{slug}": _ascii_title,
    "{date:%Y}": "{year}",
    "{date:%m}": "{month}",
    "{date:%d}": "{day}",
    "{date:%H}": "{hour}",
    "{date:%M}": "{minute}",
}
PELICAN_BY_FILE: Parts = {**PELICAN, "{slug}": _file}
