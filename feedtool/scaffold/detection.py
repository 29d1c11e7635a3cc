"""Detect the site of a generator (Hexo, Hugo, Jekyll or Pelican) in a folder, and read its settings."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from feedtool.articles.dialect import PLAIN
from feedtool.catalog.reading_rules import generator_file
from feedtool.config import validate
from feedtool.dialects import hugo, load
from feedtool.dialects.config import Config, Read, UnreadableError, first_existing, first_text, item, read_config, table
from feedtool.inputs import Files
from feedtool.scaffold import permalinks

HUGO_FILES = hugo.FILES
HUGO_TABLES = ("languages", "params", "permalinks")
SECTIONS = ("posts", "post", "blog", "articles")
UNREAD = {
    ".rst": "reStructuredText",
    ".adoc": "AsciiDoc",
    ".asciidoc": "AsciiDoc",
    ".org": "Org mode",
    ".textile": "Textile",
    ".ipynb": "notebooks",
}
BELOW = "feeds/"
"""The folder of the feeds within a generator's output, so that their files do not mix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedSite:
    """The known facts of a site before feedtool.toml is written; texts are "" if unknown.

    `generator` is its name as people write it, and `build` the command that makes its pages. `url` is that of
    feedtool's output.
    """

    generator: str = ""
    file: str = ""
    build: str = ""
    title: str = ""
    url: str = ""
    description: str = ""
    language: str = ""
    timezone: str = ""
    author: str = ""
    articles: str = "articles"
    dialect: str = ""
    permalink: str = ""
    output: str = "public"
    notes: tuple[str, ...] = ()


def detect(folder: str) -> DetectedSite:
    """Return the settings of the generator that is used in a folder, or the defaults if there is none.

    A setting that can't be used is left out, and a note says so. Nothing in the folder is executed.
    """
    for recognise in (_hexo, _jekyll, _hugo, _pelican):
        site = recognise(folder)
        if site is not None:
            return site
    return DetectedSite()


def _reader(folder: str) -> Read:
    return partial(generator_file, folder)


def _hexo(folder: str) -> DetectedSite | None:
    if not first_existing(_reader(folder), ("_config.yml",)) or not _has(folder, "source/_posts"):
        return None

    def read(config: Config) -> _Reading:
        articles = f"{first_text(config, 'source_dir') or 'source'}/_posts"
        parts = permalinks.HEXO_DATED if ":year" in first_text(config, "new_post_name") else permalinks.HEXO
        pattern = first_text(config, "permalink") or ":year/:month/:day/:title/"
        return _Reading(config, articles, first_text(config, "public_dir") or "public", pattern, parts, ("permalink",))

    return _detected(
        folder, DetectedSite(generator="Hexo", file="_config.yml", build="hexo generate", dialect="hexo"), read
    )


def _jekyll(folder: str) -> DetectedSite | None:
    if not first_existing(_reader(folder), ("_config.yml",)) or not _has(folder, "_posts"):
        return None

    def read(config: Config) -> _Reading:
        style = first_text(config, "permalink")
        pattern = permalinks.JEKYLL_STYLES.get(style, style)
        config = {
            **config,
            "url": first_text(config, "url").rstrip("/") + "/" + first_text(config, "baseurl").strip("/"),
        }
        output = first_text(config, "destination") or "_site"
        return _Reading(config, "_posts", output, pattern, permalinks.JEKYLL, ("permalink", "slug"))

    return _detected(
        folder, DetectedSite(generator="Jekyll", file="_config.yml", build="jekyll build", dialect="jekyll"), read
    )


def _hugo(folder: str) -> DetectedSite | None:
    file = first_existing(_reader(folder), HUGO_FILES)
    if not file or not _has(folder, "content"):
        return None

    def read(config: Config) -> _Reading:
        if first_text(config, "base_url") and not first_text(config, "baseURL"):
            raise UnreadableError("is that of Zola")  # its config.toml and content/ look like Hugo's
        config = _with_parts(folder, config) if file.startswith("config/") else config
        language = first_text(config, "defaultContentLanguage") or "en"
        config = {**config, **table(config, f"languages.{language}")}
        content = first_text(config, "contentDir") or "content"
        section = _section(folder, content, config)
        patterns = {**table(config, "permalinks"), **table(config, "permalinks.page")}
        chosen = first_text(patterns, section)
        pattern = chosen or (f"/{section}/:filename/" if section else "/:filename/")
        if item(config, "defaultContentLanguageInSubdir") is True and len(table(config, "languages")) > 1:
            pattern = f"/{language}/{pattern}"
        articles = f"{content}/{section}" if section else content
        own = ("url",) if re.search(":filename|:contentbasename|:title", chosen) else ("url", "slug")
        return _Reading(config, articles, first_text(config, "publishDir") or "public", pattern, permalinks.HUGO, own)

    return _detected(folder, DetectedSite(generator="Hugo", file=file, build="hugo", dialect="hugo"), read)


def _with_parts(folder: str, config: Config) -> Config:
    """Return the configuration with the files of Hugo's configuration directory: one for each table and environment.

    A site is published in the environment `production`.
    """
    for environment in ("_default", "production"):
        for part in ("hugo", "config", *HUGO_TABLES):
            places = (f"config/{environment}/{part}.{kind}" for kind in ("toml", "yaml", "yml", "json"))
            file = first_existing(_reader(folder), places)
            if not file or (environment == "_default" and part not in HUGO_TABLES):
                continue
            try:
                values = read_config(_reader(folder), file)
            except UnreadableError:
                continue
            config = {**config, **({part: values} if part in HUGO_TABLES else values)}
    return config


def _section(folder: str, content: str, config: Config) -> str:
    """Return the section of a Hugo site that holds its articles, "" for the whole site."""
    main = first_text(config, "params.mainSections.0", "mainSections.0")
    return next((name for name in (main, *SECTIONS) if name and _has(folder, f"{content}/{name}")), "")


def _pelican(folder: str) -> DetectedSite | None:
    file = first_existing(_reader(folder), ("pelicanconf.py",))
    if not file:
        return None

    def read(config: Config) -> _Reading:
        published = _published(folder)
        config = {**config, "SITEURL": first_text(published, "SITEURL") or first_text(config, "SITEURL")}
        content = (first_text(config, "PATH") or "content").strip("/")
        below = first_text(config, "ARTICLE_PATHS.0").strip("/")
        by_file = first_text(config, "SLUGIFY_SOURCE") == "basename"
        parts = permalinks.PELICAN_BY_FILE if by_file else permalinks.PELICAN
        pattern = first_text(config, "ARTICLE_URL") or "{slug}.html"
        output = first_text(config, "OUTPUT_PATH") or "output"
        articles = f"{content}/{below}".rstrip("/")
        return _Reading(config, articles, output, pattern, parts, ("slug", "url", "save_as"))

    site = DetectedSite(generator="Pelican", file=file, build="pelican content", dialect="pelican")
    return _detected(folder, site, read)


def _published(folder: str) -> Config:
    """Return Pelican's second settings file, which holds the public address."""
    try:
        return (
            read_config(_reader(folder), "publishconf.py")
            if first_existing(_reader(folder), ("publishconf.py",))
            else {}
        )
    except UnreadableError:
        return {}


@dataclass(frozen=True, slots=True)
class _Reading:
    """A generator's settings in its own terms; `own` are the keys by which an article sets its own address."""

    config: Config
    articles: str
    output: str
    pattern: str
    parts: permalinks.Parts
    own: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _detected(folder: str, site: DetectedSite, read: Callable[[Config], _Reading]) -> DetectedSite | None:
    try:
        reading = read(read_config(_reader(folder), site.file))
    except UnreadableError as error:
        if "Zola" in str(error):
            return None
        reading = read({})
        site = replace(site, notes=(f"{site.file} {error}; the defaults of {site.generator} are used",))
    return _with_unread(folder, _with_permalink(folder, _with_values(site, reading), reading))


# The keys of each generator for one setting; none of them means something else in another generator.
_KEYS: dict[str, tuple[str, ...]] = {
    "title": ("title", "SITENAME"),
    "url": ("url", "baseURL", "SITEURL"),
    "description": ("description", "params.description", "SITESUBTITLE"),
    "language": ("language", "language.0", "lang", "DEFAULT_LANG", "locale", "languageCode", "defaultContentLanguage"),
    "timezone": ("timezone", "TIMEZONE"),
    "author": ("author", "author.name", "params.author", "params.author.name", "authors.0", "AUTHOR"),
}


def _with_values(site: DetectedSite, reading: _Reading) -> DetectedSite:
    notes = [*site.notes, *reading.notes]
    values = {name: first_text(reading.config, *paths) for name, paths in _KEYS.items()}
    values["url"] = "" if _PLACEHOLDER_URL.search(values["url"]) else values["url"]
    language = values["language"].partition(".")[0].replace("_", "-")  # a POSIX locale also names an encoding
    values["language"] = language if language != "default" else ""
    for name, check in (("url", validate.site_url), ("language", validate.language), ("timezone", validate.zone)):
        try:
            values[name] = check(values[name]) if values[name] else ""
        except validate.InvalidValueError as error:
            notes.append(f'{site.file}: {name} "{values[name]}" {error.what}; it was left out')
            values[name] = ""
    if values["url"]:
        values["url"] += BELOW
    if site.generator in ("Hexo", "Jekyll") and not values["timezone"]:
        notes.append(
            f"{site.file} sets no timezone, so {site.generator} uses that of the machine: set it there and in [site] timezone"
        )
    output = f"{reading.output.strip('/')}/{BELOW}".rstrip("/")
    return replace(
        site, **values, articles=_inside_site(reading.articles), output=_inside_site(output), notes=tuple(notes)
    )


# Addresses in starter templates, and those of local previews.
_PLACEHOLDER_URL = re.compile(
    r"^https?://((www\.)?example\.(com|org|net)|localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\])(?![\w.-])|^/*$", re.I
)


def _inside_site(path: str) -> str:
    """Return a path below the site folder, or "." for a path that leads out of it."""
    return os.path.normpath(path).replace(os.sep, "/") if path and ".." not in path.split("/") else "."


def _with_permalink(folder: str, site: DetectedSite, reading: _Reading) -> DetectedSite:
    try:
        dialect, _ = load(site.dialect, site.articles, Files(_reader(folder), lambda _: None))
    except UnreadableError:
        dialect = PLAIN  # a note about the unreadable settings exists already
    sample = permalinks.sample_of(os.path.join(folder, *site.articles.split("/")), dialect)
    root = urlsplit(site.url).path.removesuffix(BELOW) or "/"
    try:
        return replace(
            site, permalink=permalinks.translate(reading.pattern, reading.parts, sample, root=root, own=reading.own)
        )
    except permalinks.UntranslatableError as error:
        note = f'the addresses "{reading.pattern}" of {site.generator} cannot be expressed as a template: {error}'
        hint = "set [articles] permalink by hand; otherwise feedtool makes its own pages for the articles"
        return replace(site, notes=(*site.notes, f"{note}; {hint}"))


def _with_unread(folder: str, site: DetectedSite) -> DetectedSite:
    """Add notes of how many articles are written in markup that feedtool does not read."""
    root = os.path.join(folder, *site.articles.split("/"))
    counts = Counter(
        os.path.splitext(name)[1].lower() for _, _, names in os.walk(root) for name in names if name[:1] not in "._"
    )
    notes = [
        f"files in {markup} ({suffix}), which feedtool does not read: {counts[suffix]:,}"
        for suffix, markup in UNREAD.items()
        if counts[suffix]
    ]
    return replace(site, notes=(*site.notes, *notes))


def _has(folder: str, path: str) -> bool:
    return os.path.isdir(os.path.join(folder, *path.split("/")))
