"""Examine the installation and a site: versions, settings, folders, lock and index. Nothing is changed."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from feedtool import __version__, storage
from feedtool.catalog.git import is_tracked
from feedtool.catalog.index import VERSION, is_owned, lock, table_with_wrong_checksum
from feedtool.catalog.signing import user_signer
from feedtool.config import Settings
from feedtool.errors import FeedtoolError, LockedError, OutputError
from feedtool.models import Problem
from feedtool.publish.writer import manifest
from feedtool.state import FILE as STATE
from feedtool.state import parse_state

LIBRARIES = ("click", "lxml", "nh3", "selectolax", "PyYAML", "py-yaml12", "pyromark", "Jinja2", "charset-normalizer")
INGESTING = ("aiohttp", "feedparser", "brotli")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding. `well` is True if it is good, False if it is bad, and None if it is neither; `hint` says how to fix it."""

    group: str
    name: str
    value: str
    well: bool | None = None
    hint: str = ""
    detail: bool = False


def examine(settings: Settings | None) -> Iterator[Finding]:
    """Yield the findings, about the installation only if there are no settings. `detail` marks those that few people need."""
    yield from _installation()
    if settings is not None:
        yield from _settings(settings)
        yield from _folders(settings)
        yield _lock(settings)
        yield _key()
        yield from _index(settings)
        yield from _counts(settings)


def _installation() -> Iterator[Finding]:
    yield Finding(group="versions", name="feedtool", value=__version__)
    yield Finding(group="versions", name="Python", value=f"{platform.python_version()} on {platform.system()}")
    yield Finding(group="versions", name="SQLite", value=sqlite3.sqlite_version, detail=True)
    for name in LIBRARIES:
        installed = _installed_version(name)
        hint = "" if installed else "install feedtool again"
        yield Finding(group="versions", name=name, value=installed or "missing", well=bool(installed), hint=hint)
    for name in INGESTING:
        installed = _installed_version(name)
        hint = "" if installed else 'to read feeds: pip install "feedtool[ingest]"'
        yield Finding(group="versions", name=name, value=installed or "not installed", hint=hint)


def _installed_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _settings(settings: Settings) -> Iterator[Finding]:
    shown = settings.file or "none: the defaults are used"
    yield Finding(group="site", name="folder", value=settings.folder)
    yield Finding(group="site", name="settings", value=shown)
    for key, origin in settings.origins.items():
        value: object = settings
        for word in key.split("."):
            value = getattr(value, word, None)
        # Only the origin is shown of rows and named tables, because they may hold headers with secrets.
        text = "" if value is None else _written(value)
        name = f"{key} ({origin})"
        yield Finding(group="settings", name=name, value=text, detail=origin == "default")
    if not settings.base_url:
        yield Finding(
            group="settings",
            name="site.url",
            value="not set: links lead to http://localhost/",
            hint="set [site] url",
        )


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    name = getattr(value, "name", None)
    return str(name if isinstance(name, str) else value)


def _folders(settings: Settings) -> Iterator[Finding]:
    places = {
        "site": settings.folder,
        "articles": os.path.join(settings.folder, settings.articles.path),
        "output": os.path.join(settings.folder, settings.output),
        ".feedtool": os.path.join(settings.folder, ".feedtool"),
    }
    for name, place in places.items():
        yield _folder(name, os.path.normpath(place), is_needed=name in ("site", "articles"))


def _folder(name: str, place: str, *, is_needed: bool) -> Finding:
    if os.path.exists(place) and not os.path.isdir(place):
        return Finding(group="folders", name=name, value=f"{place} is not a folder", well=False, hint="move it away")
    if not os.path.isdir(place):
        if is_needed:
            return Finding(group="folders", name=name, value=f"there is no {place}", well=False, hint="make it")
        above = os.path.dirname(place)
        while not os.path.exists(above):
            above = os.path.dirname(above)
        well = os.access(above, os.W_OK | os.X_OK)
        return Finding(group="folders", name=name, value="will be made", well=well, hint=_permit(above, well))
    well = os.access(place, os.W_OK | os.X_OK)
    return Finding(
        group="folders", name=name, value="writable" if well else "not writable", well=well, hint=_permit(place, well)
    )


def _permit(place: str, well: bool) -> str:
    return "" if well else f"make {place} writable"


def _lock(settings: Settings) -> Finding:
    folder = os.path.join(settings.folder, ".feedtool")
    if not os.path.exists(os.path.join(folder, "lock")):
        return Finding(group="state", name="lock", value="free", well=True)
    try:
        with lock(folder):
            return Finding(group="state", name="lock", value="free", well=True)
    except LockedError:
        return Finding(group="state", name="lock", value="held: another run is working on this site")
    except (OutputError, sqlite3.Error):
        hint = f"make {folder} writable"
        return Finding(group="state", name="lock", value="cannot be taken", well=False, hint=hint)


def _key() -> Finding:
    signer = user_signer(create=False)
    value = (
        f"in {signer.key_path}"
        if signer.is_persistent
        else f"{signer.reason}: {signer.key_path}"
        if signer.key_path
        else signer.reason
    )
    well = True if signer.is_persistent else None
    hint = "" if signer.is_persistent else "the first build makes one; without it, no build can use the index"
    return Finding(group="state", name="key", value=value, well=well, hint=hint, detail=signer.is_persistent)


def _index(settings: Settings) -> Iterator[Finding]:
    path = os.path.join(settings.folder, ".feedtool", "index")
    if not os.path.exists(path):
        yield Finding(group="state", name="index", value="none yet: the first build makes it")
        return
    if is_tracked(os.path.dirname(path)):
        value = "tracked by git, so it is not used"
        hint = "git rm -r --cached .feedtool"
        yield Finding(group="state", name="index", value=value, well=False, hint=hint)
        return
    sizes = sum(os.path.getsize(path + end) for end in ("", "-wal") if os.path.exists(path + end))
    yield Finding(group="state", name="index size", value=f"{sizes:,} bytes")
    try:
        # Without a write-ahead log nobody is writing; opening it as immutable leaves no files behind.
        how = "mode=ro" if os.path.exists(path + "-wal") else "immutable=1"
        connection = sqlite3.connect(f"file:{_quoted(path)}?{how}", uri=True, timeout=1)
        try:
            yield from _index_contents(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        yield _damaged(str(error))


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(os.fsencode(path))


def _index_contents(index: sqlite3.Connection) -> Iterator[Finding]:
    if index.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        yield Finding(group="state", name="index", value="of another version: the next build makes a new one")
        return
    judged = index.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if judged != "ok":
        yield _damaged(judged)
        return
    signer = user_signer(create=False)
    if not is_owned(index, signer):
        value = "not made by this user on this machine: the next build makes a new one"
        yield Finding(group="state", name="index", value=value)
        return
    if table := table_with_wrong_checksum(index, signer):
        yield _damaged(f"a checksum in {table} is wrong")
        return
    tables = ("folders", "entries")
    counts = {name: index.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608 - ours
    text = f"{counts['folders']:,} folders, {counts['entries']:,} entries; intact"
    yield Finding(group="state", name="index", value=text, well=True)


def _damaged(why: str) -> Finding:
    hint = "delete .feedtool/index; the next build makes a new one"
    return Finding(group="state", name="index", value=f"damaged: {why}", well=False, hint=hint)


def _counts(settings: Settings) -> Iterator[Finding]:
    problems: list[Problem] = []
    root = os.path.join(settings.folder, settings.articles.path)
    files = (
        sum(len(one.files) for one in storage.walk_articles(root, problems=problems, prefix=""))
        if os.path.isdir(root)
        else 0
    )
    yield Finding(group="counts", name="article files", value=f"{files:,}")
    if problems:
        hint = "feedtool check lists them"
        yield Finding(group="counts", name="not readable", value=f"{len(problems):,}", well=False, hint=hint)
    yield Finding(group="counts", name="sources", value=f"{len(settings.sources):,}")
    yield _count_of("deleted articles remembered", lambda: _tombstones(os.path.join(settings.folder, STATE)))
    yield _count_of("output files", lambda: len(manifest(os.path.join(settings.folder, settings.output))))


def _tombstones(path: str) -> int:
    return sum(kind == "tombstone" for kind, _ in parse_state(_text(path)))


def _count_of(name: str, count: Callable[[], int]) -> Finding:
    """Return the finding of a number, or of the reason why it cannot be counted."""
    try:
        return Finding(group="counts", name=name, value=f"{count():,}")
    except OSError:
        return Finding(group="counts", name=name, value="0")
    except FeedtoolError as error:
        return Finding(group="counts", name=name, value=error.what, well=False, hint=error.hint)


def _text(path: str) -> str:
    try:
        return (storage.read_or_none(path) or b"").decode("utf-8", "replace")
    except OSError:
        return ""
