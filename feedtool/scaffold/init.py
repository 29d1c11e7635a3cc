"""Write the files of a new site: settings, their schema, an example article, .gitignore and the workflow for GitHub Pages.

Existing files stay as they are; only `.gitignore` gets the missing lines at its end.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from feedtool import storage
from feedtool.config import Settings, load_settings, parse_settings, settings_schema
from feedtool.config.load import FILE
from feedtool.errors import FeedtoolError, OutputError, SettingsError, remedy
from feedtool.protocols import Clock
from feedtool.scaffold.detection import DetectedSite
from feedtool.scaffold.new import NewArticle, article_text
from feedtool.scaffold.workflow_file import PLACE, UnfitError, branch_of, repository, workflow

SCHEMA = "feedtool.schema.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaffoldOptions:
    """Options that override the detected values; texts are "" if not set."""

    title: str = ""
    url: str = ""
    language: str = ""
    timezone: str = ""
    author: str = ""
    workflow: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaffoldResult:
    """The files that were handled, relative to the site folder: `written`, `kept` as they were, or `grown` by some lines."""

    settings: Settings
    written: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    grown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def scaffold(folder: str, detected: DetectedSite, options: ScaffoldOptions, *, clock: Clock) -> ScaffoldResult:
    """Make a folder a site, adding only what is missing; a second call changes nothing.

    Raise SettingsError if an existing feedtool.toml or an option can't be used, and OutputError if the folder can't be
    written.
    """
    overrides: dict[str, Any] = {name: value for name, value in _texts(options).items() if value}
    site = replace(detected, **overrides)
    try:
        return _Scaffold(folder, site, options).run(clock)
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else folder
        raise OutputError(f"cannot be written: {error.strerror or error}", where=where, hint=remedy(error)) from None


def _texts(options: ScaffoldOptions) -> Mapping[str, str]:
    return {name: getattr(options, name) for name in ("title", "url", "language", "timezone", "author")}


class _Scaffold:
    """One run, with the results so far."""

    def __init__(self, folder: str, site: DetectedSite, options: ScaffoldOptions) -> None:
        self.folder = folder
        self.site = site
        self.options = options
        self.written: list[str] = []
        self.kept: list[str] = []
        self.grown: list[str] = []
        self.notes: list[str] = list(site.notes)

    def run(self, clock: Clock) -> ScaffoldResult:
        settings = self._settings()
        self._put(SCHEMA, json.dumps(settings_schema(), indent=2) + "\n")
        self._example(settings, clock)
        self._ignore(settings)
        self._workflow(settings)
        return ScaffoldResult(
            settings=settings,
            written=tuple(self.written),
            kept=tuple(self.kept),
            grown=tuple(self.grown),
            notes=tuple(self.notes),
        )

    def _settings(self) -> Settings:
        path = os.path.join(self.folder, FILE)
        if os.path.lexists(path):
            self.kept.append(FILE)
            self.notes.clear()
            settings = load_settings(self.folder, environment={})
            if any(_texts(self.options).values()):
                self.notes.append(f"{FILE} existed already and was not changed")
            return settings
        text = settings_text(self.site)
        settings = parse_settings(text, file=FILE)
        self._put(FILE, text)
        return replace(settings, folder=self.folder, file=path)

    def _example(self, settings: Settings, clock: Clock) -> None:
        root = os.path.join(self.folder, settings.articles.path)
        first_folder = (
            next(iter(storage.walk_articles(root, problems=[], prefix="")), None) if os.path.isdir(root) else None
        )
        if first_folder is not None or self.site.generator:
            os.makedirs(root, exist_ok=True)
            return
        article = NewArticle(title="Hello", categories=("Notes",))
        text, _ = article_text(settings, article, "hello", now=clock())
        self._put(f"{settings.articles.path}/hello.md", text + "\n" + _shipped("hello.md"))

    def _ignore(self, settings: Settings) -> None:
        """Add the output folder and `.feedtool` to `.gitignore`, because a build makes them again."""
        path = os.path.join(self.folder, ".gitignore")
        if os.path.islink(path):
            self.kept.append(".gitignore")
            return
        old = (storage.read_or_none(path) or b"").decode("utf-8", "surrogateescape")
        lines_there = {line.strip().strip("/") for line in old.splitlines()}
        top = os.path.normpath(settings.output).replace(os.sep, "/").split("/")
        patterns = ["/".join(top), ".feedtool"]
        missing = [line for line in patterns if line not in lines_there and line.split("/")[0] not in lines_there]
        missing = [line for line in missing if not line.startswith(("..", "/"))]
        if missing:
            lines = "".join(f"{line}/\n" for line in missing)
            text = old + ("" if not old or old.endswith("\n") else "\n") + lines
            (self.grown if old else self.written).append(".gitignore")
            storage.write(path, text.encode("utf-8", "surrogateescape"))
        elif old:
            self.kept.append(".gitignore")

    def _workflow(self, settings: Settings) -> None:
        if not self.options.workflow:
            return
        if self.site.generator:
            # GitHub Pages shows one upload: a second workflow would replace the site by its feeds.
            self.notes.append(
                f"no workflow was written, because {self.site.generator} makes this site: "
                f"let your own workflow run `feedtool build` after `{self.site.build}`"
            )
            return
        top = repository(self.folder)
        place = os.path.relpath(os.path.join(top, *PLACE.split("/")), self.folder).replace(os.sep, "/")
        site = os.path.relpath(self.folder, top).replace(os.sep, "/")
        try:
            self._put(place, workflow(settings, site=site, branch=branch_of(top)))
        except UnfitError:
            self.notes.append("no workflow was written, because a path has characters that it cannot contain")

    def _put(self, path: str, text: str) -> None:
        full = os.path.normpath(os.path.join(self.folder, *path.split("/")))
        if os.path.lexists(full):
            self.kept.append(path)
            return
        storage.write(full, text.encode())
        self.written.append(path)


def settings_text(site: DetectedSite) -> str:
    """Return the feedtool.toml of a site: the shipped one with values filled in; lines without a value stay comments."""
    values = {
        "output": site.output,
        "site.title": site.title or "Feeds",
        "site.url": site.url,
        "site.description": site.description,
        "site.language": site.language,
        "site.timezone": site.timezone or "UTC",
        "site.author": site.author,
        "articles.path": site.articles,
        "articles.generator": site.dialect,
        "articles.permalink": site.permalink,
    }
    lines, table = [], ""
    for line in _shipped(FILE).splitlines():
        header = re.fullmatch(r"\[(\w+)\]", line)
        table = f"{header[1]}." if header else table
        match = _LINE.fullmatch(line)
        value = values.get(table + match[1]) if match else None
        if match and value is not None and (value or not line.startswith("#")):
            line = f"{match[1]} = {_toml(value)}"
            # A line with a value needs no example.
            comment = (match[2] or "").partition(", such as")[0] if value not in ("", "UTC") else match[2]
            line = f"{line.ljust(38)} {comment}" if comment else line
        lines.append(line)
    text = "".join(f"{line}\n" for line in lines)
    try:
        parse_settings(text, file=FILE)
    except FeedtoolError as error:
        raise SettingsError(error.what, where=FILE, hint=error.hint) from None
    return text


_LINE = re.compile(r'(?:# )?(\w+) = "[^"]*"\s*(#.*)?')


def _toml(text: str) -> str:
    # A JSON string is a basic string in TOML, except for DEL.
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")


def _shipped(name: str) -> str:
    return files("feedtool").joinpath(f"data/scaffold/{name}").read_text(encoding="utf-8")
