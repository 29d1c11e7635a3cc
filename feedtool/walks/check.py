"""The check: settings in, every Problem over articles and settings out; and the mending of what is safe to mend."""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from typing import Any

from feedtool import index as index_room
from feedtool import store
from feedtool.article import Rules, edit_front_matter, parse_document, read_article
from feedtool.article.fields import ID, PUBLISHED, THUMBNAIL, UPDATED, Fields
from feedtool.article.recovery import broken_keys
from feedtool.dates import iso, parse_date
from feedtool.entries import EntryRules, entry_of
from feedtool.errors import FeedtoolError
from feedtool.feeds import base_url
from feedtool.html import is_placeholder
from feedtool.model import Article, Problem
from feedtool.ports import Mapper
from feedtool.settings import Settings
from feedtool.walks.build.heads import packed, unpacked, unreadable
from feedtool.walks.build.rules import making_rules, reading_rules
from feedtool.walks.build.winners import url_of

BATCH = 128
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: the problems that remain, how many articles were read, and the files that were mended."""

    problems: tuple[Problem, ...] = ()
    articles: int = 0
    fixed: tuple[str, ...] = ()
    without_id: int = 0


def check(settings: Settings, *, mapper: Mapper, fix: bool = False) -> Checked:
    """Read every article whole and say what is wrong with it or with the settings.

    `fix` adds ids, mends broken YAML, writes dates as ISO 8601 and clears placeholder thumbnails, changing only
    those lines. Raises SettingsError where there is no articles folder, and LockedError while another run is at work.
    """
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    if not os.path.isdir(root):
        raise FeedtoolError("there is no such folder of articles", where=root, hint="make it, or set [articles] path")
    if not fix:
        return _checked(settings, root, mapper, fix=False)
    with index_room.lock(os.path.join(settings.folder, ".feedtool")):
        return _checked(settings, root, mapper, fix=True)


def _checked(settings: Settings, root: str, mapper: Mapper, *, fix: bool) -> Checked:
    reading = reading_rules(settings)
    making = making_rules(settings, base_url(settings))
    problems: list[Problem] = []
    fixed: list[str] = []
    owners: dict[str, tuple[float, str]] = {}
    categories: set[str] = set()
    articles = without_id = 0
    work = partial(_check_batch, root, reading, making, fix)
    for result in mapper(work, _batches(store.walk(root, problems=problems, prefix=reading.prefix))):
        for path, identity, published, names, mended, lacks_id, found in marshal.loads(result):  # noqa: S302
            problems.extend(map(unpacked, found))
            articles += bool(identity)
            without_id += lacks_id
            categories.update(names)
            if mended:
                fixed.append(path)
            if identity:
                _claim(owners, identity, (published, path), reading.prefix, problems)
    problems.extend(_settings_problems(settings, categories))
    ordered = sorted(set(problems), key=lambda one: (one.file, one.line or 0, one.code, one.message))
    return Checked(problems=tuple(ordered), articles=articles, fixed=tuple(sorted(fixed)), without_id=without_id)


def _batches(folders: Iterator[store.Folder]) -> Iterator[list[str]]:
    batch: list[str] = []
    for folder in folders:
        for found in folder.files:
            batch.append(folder.path + found[0])
            if len(batch) == BATCH:
                yield batch
                batch = []
    yield batch


def _claim(
    owners: dict[str, tuple[float, str]], identity: str, one: tuple[float, str], prefix: str, problems: list[Problem]
) -> None:
    other = owners.setdefault(identity, one)
    if other[1] == one[1]:
        return
    newer = max((other, one), key=lambda pair: (pair[0], [-ord(character) for character in pair[1]]))
    older = one if newer is other else other
    owners[identity] = newer
    message = f"claims the same id as {prefix}{newer[1]} ({identity[:80]}); the newer one is published"
    hint = "give it a `guid` of its own, or delete one of them"
    problems.append(
        Problem(file=prefix + older[1], code="FT014", message=message, hint=hint, severity="warning", line=1)
    )


def _settings_problems(settings: Settings, categories: set[str]) -> Iterator[Problem]:
    file = os.path.relpath(settings.file, settings.folder) if settings.file else "feedtool.toml"
    if not settings.base_url:
        hint = 'set url = "https://…" in [site]'
        message = "no address of the site is set, so links in feeds lead to http://localhost/"
        yield Problem(file=file, code="FT101", message=message, hint=hint, severity="warning")
    for one in settings.categories:
        if one.name not in categories:
            origin = next((o for key, o in settings.origins.items() if key.startswith(f"categories.{one.name}.")), "")
            line = origin.rpartition(":")[2]
            yield Problem(
                file=file,
                code="FT102",
                message=f'[categories."{one.name}"]: no article has this category',
                hint="look for a slip of the pen",
                severity="warning",
                line=int(line) if line.isdigit() else None,
            )


def _check_batch(root: str, reading: Rules, making: EntryRules, fix: bool, paths: list[str]) -> bytes:
    return marshal.dumps([_check_one(root, reading, making, fix, path) for path in paths])


def _check_one(root: str, reading: Rules, making: EntryRules, fix: bool, path: str) -> Row:
    full = f"{root}/{path}"
    mended = False
    try:
        data = store.read(full)
        if fix:
            data, mended = _mended(full, path, data, reading)
    except OSError as error:
        return (path, "", 0.0, (), False, False, (packed(unreadable(reading.prefix + path, error)),))
    article, problems = read_article(path, data, reading)
    if article is None:
        hidden = () if all(problem.severity == "warning" for problem in problems) and "_drafts/" in path else problems
        return (path, "", 0.0, (), mended, False, tuple(map(packed, hidden)))
    _, more = entry_of(article, making, url=url_of(article, making))
    found = [*problems, *more, *_doubts(article, data, reading)]
    lacks_id = not Fields(parse_document(data).values, reading.zone).text(ID)
    identity = "" if article.draft else article.id
    return (
        path,
        identity,
        article.published.timestamp(),
        article.categories,
        mended,
        lacks_id,
        tuple(map(packed, found)),
    )


def _doubts(article: Article, data: bytes, reading: Rules) -> Iterator[Problem]:
    if article.thumbnail and is_placeholder(article.thumbnail):
        line = parse_document(data).line_of("thumbnail")
        yield Problem(
            file=reading.prefix + article.path,
            code="FT021",
            message="thumbnail: a known placeholder, not a picture of this article",
            hint="clear it (`feedtool check --fix` does), or set [html] distrust_thumbnails",
            severity="warning",
            line=line,
        )


def _mended(full: str, path: str, data: bytes, reading: Rules) -> tuple[bytes, bool]:
    """Mend what is safe to mend in one file; return its bytes now, and whether they changed."""
    changes = fixes(path, data, reading)
    if not changes:
        return data, False
    document = parse_document(data)
    try:
        text = edit_front_matter(document.text, changes)
        mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
        fresh = mark + text.encode(document.encoding)
    except (FeedtoolError, UnicodeError):
        return data, False
    if not _same_article(path, data, fresh, reading):
        return data, False
    store.write(full, fresh)
    return fresh, True


def fixes(path: str, data: bytes, reading: Rules) -> dict[str, str | list[str]]:
    """Return the keys that a safe mending sets in a file; {} where there is nothing to mend or it can't be read."""
    document = parse_document(data)
    article, _ = read_article(path, data, reading)
    if article is None or document.broken or document.split.form not in ("yaml", "toml"):
        return {}
    changes: dict[str, str | list[str]] = {}
    if document.recovered:
        for key, value in broken_keys(document.text[document.split.start : document.split.end]).items():
            if isinstance(value, str):
                changes[key] = value
            elif isinstance(value, list) and all(isinstance(item, str) for item in value):
                changes[key] = [str(item) for item in value]
    for key, value in document.values.items():
        name = key.lower()
        if not isinstance(value, str):
            continue
        if name in PUBLISHED + UPDATED:
            moment = parse_date(value, zone=reading.zone)
            if moment is not None and iso(moment) != value.strip():
                changes[key] = iso(moment)
        elif name in THUMBNAIL and is_placeholder(value):
            changes[key] = ""
    if not Fields(document.values, reading.zone).text(ID):
        changes["guid"] = article.id
    return changes


def _same_article(path: str, old: bytes, fresh: bytes, reading: Rules) -> bool:
    """Say whether a mended file still says what it said: a mending that changes a meaning is none."""
    before, _ = read_article(path, old, reading)
    after, problems = read_article(path, fresh, reading)
    if before is None or after is None or any(problem.code == "FT007" for problem in problems):
        return False
    blank = {"thumbnail": None, "line": 0}
    moments = (before.published.astimezone(UTC), after.published.astimezone(UTC))
    whole_second = abs(moments[0] - moments[1]).total_seconds() < 1
    same = {"published": after.published, "updated": after.updated}
    return whole_second and replace(before, **blank, **same) == replace(after, **blank)  # type: ignore[arg-type]
