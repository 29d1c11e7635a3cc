"""What a site is to be in, its files in a folder out: settings, their schema, an article, .gitignore, the Pages workflow.

A file that is there stays as it is; `.gitignore` alone gets the lines that it lacks, at its end.
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
    """What a person wants instead of what was found; texts are "" where nothing is."""

    title: str = ""
    url: str = ""
    language: str = ""
    timezone: str = ""
    author: str = ""
    workflow: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaffoldResult:
    """What was done, in files as seen from the site folder: `written`, `kept` as they were, `grown` by some lines."""

    settings: Settings
    written: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    grown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def scaffold(folder: str, found: DetectedSite, wishes: ScaffoldOptions, *, clock: Clock) -> ScaffoldResult:
    """Make a folder a site, as far as it is none yet; a second time changes nothing.

    Raises SettingsError where a feedtool.toml is there already and can't be used or a wish can't be, OutputError where
    the folder can't be written to.
    """
    wanted: dict[str, Any] = {name: value for name, value in _texts(wishes).items() if value}
    site = replace(found, **wanted)
    try:
        return _Scaffold(folder, site, wishes).go(clock)
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else folder
        raise OutputError(f"cannot be written: {error.strerror or error}", where=where, hint=remedy(error)) from None


def _texts(wishes: ScaffoldOptions) -> Mapping[str, str]:
    return {name: getattr(wishes, name) for name in ("title", "url", "language", "timezone", "author")}


class _Scaffold:
    """One run: what was done so far."""

    def __init__(self, folder: str, site: DetectedSite, wishes: ScaffoldOptions) -> None:
        self.folder = folder
        self.site = site
        self.wishes = wishes
        self.written: list[str] = []
        self.kept: list[str] = []
        self.grown: list[str] = []
        self.notes: list[str] = list(site.notes)

    def go(self, clock: Clock) -> ScaffoldResult:
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
            if any(_texts(self.wishes).values()):
                self.notes.append(f"{FILE} was there already, so it says what it said before")
            return settings
        text = settings_text(self.site)
        settings = parse_settings(text, file=FILE)
        self._put(FILE, text)
        return replace(settings, folder=self.folder, file=path)

    def _example(self, settings: Settings, clock: Clock) -> None:
        root = os.path.join(self.folder, settings.articles.path)
        listed = next(iter(storage.walk_articles(root, problems=[], prefix="")), None) if os.path.isdir(root) else None
        if listed is not None or self.site.generator:
            os.makedirs(root, exist_ok=True)
            return
        wanted = NewArticle(title="Hello", categories=("Notes",))
        text, _ = article_text(settings, wanted, "hello", now=clock())
        self._put(f"{settings.articles.path}/hello.md", text + "\n" + _shipped("hello.md"))

    def _ignore(self, settings: Settings) -> None:
        """Git need not track what can be made anew."""
        path = os.path.join(self.folder, ".gitignore")
        if os.path.islink(path):
            self.kept.append(".gitignore")
            return
        old = (storage.read_or_none(path) or b"").decode("utf-8", "surrogateescape")
        there = {line.strip().strip("/") for line in old.splitlines()}
        top = os.path.normpath(settings.output).replace(os.sep, "/").split("/")
        wanted = ["/".join(top), ".feedtool"]
        missing = [line for line in wanted if line not in there and line.split("/")[0] not in there]
        missing = [line for line in missing if not line.startswith(("..", "/"))]
        if missing:
            lines = "".join(f"{line}/\n" for line in missing)
            text = old + ("" if not old or old.endswith("\n") else "\n") + lines
            (self.grown if old else self.written).append(".gitignore")
            storage.write(path, text.encode("utf-8", "surrogateescape"))
        elif old:
            self.kept.append(".gitignore")

    def _workflow(self, settings: Settings) -> None:
        if not self.wishes.workflow:
            return
        if self.site.generator:
            # Pages shows one upload: a second workflow would put the feeds in the place of the site.
            self.notes.append(
                f"no workflow was written, since {self.site.generator} makes this site: "
                f"let yours run `feedtool build` after `{self.site.build}`"
            )
            return
        top = repository(self.folder)
        place = os.path.relpath(os.path.join(top, *PLACE.split("/")), self.folder).replace(os.sep, "/")
        site = os.path.relpath(self.folder, top).replace(os.sep, "/")
        try:
            self._put(place, workflow(settings, site=site, branch=branch_of(top)))
        except UnfitError:
            self.notes.append("no workflow was written, since a path has signs that it could not hold")

    def _put(self, path: str, text: str) -> None:
        full = os.path.normpath(os.path.join(self.folder, *path.split("/")))
        if os.path.lexists(full):
            self.kept.append(path)
            return
        storage.write(full, text.encode())
        self.written.append(path)


def settings_text(site: DetectedSite) -> str:
    """Return the feedtool.toml of a site: the shipped one, its lines filled in, those that stay empty as comments."""
    values = {
        "output": site.output,
        "site.title": site.title or "Feeds",
        "site.url": site.url,
        "site.description": site.description,
        "site.language": site.language,
        "site.timezone": site.timezone or "UTC",
        "site.author": site.author,
        "articles.path": site.articles,
        "articles.flavour": site.flavour,
        "articles.permalink": site.permalink,
    }
    lines, table = [], ""
    for line in _shipped(FILE).splitlines():
        header = re.fullmatch(r"\[(\w+)\]", line)
        table = f"{header[1]}." if header else table
        found = _LINE.fullmatch(line)
        value = values.get(table + found[1]) if found else None
        if found and value is not None and (value or not line.startswith("#")):
            line = f"{found[1]} = {_toml(value)}"
            # Who has an answer needs no example of one.
            comment = (found[2] or "").partition(", such as")[0] if value not in ("", "UTC") else found[2]
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
    # A JSON string is a basic string of TOML, but for DEL.
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")


def _shipped(name: str) -> str:
    return files("feedtool").joinpath(f"data/scaffold/{name}").read_text(encoding="utf-8")
