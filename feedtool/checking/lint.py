"""The check: settings in, every Problem over articles and settings out; and the mending of what is safe to mend."""

from __future__ import annotations

import errno
import hashlib
import marshal
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from feedtool import storage
from feedtool.articles import Document, Rules, parse_document, read_article
from feedtool.articles.dialect import NO_FOLDER_VALUES, FolderValues
from feedtool.articles.editor import edit_file
from feedtool.articles.fields import ID, PUBLISHED, THUMBNAIL, UPDATED, Fields
from feedtool.articles.yaml import Value
from feedtool.articles.yaml_fast import normal
from feedtool.articles.yaml_recovery import broken_keys
from feedtool.catalog import index as index_room
from feedtool.catalog.reading_rules import generator_problems, reading_rules
from feedtool.config import Settings
from feedtool.dates.parse import iso, parse_date
from feedtool.errors import FeedtoolError, remedy
from feedtool.feeds.entries import EntryRules, entry_of
from feedtool.feeds.metadata import base_url
from feedtool.html import is_placeholder
from feedtool.models import Article, Problem, Severity
from feedtool.protocols import Mapper
from feedtool.publish.heads import packed, unpacked, unreadable
from feedtool.publish.render import url_of
from feedtool.publish.rules import making_rules
from feedtool.publish.sections import Sections
from feedtool.publish.select import clash_problem

BATCH = 128
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: the problems that remain, how many articles were read, and the files that were mended.

    `notes` tell of ids that were written otherwise than derived.
    """

    problems: tuple[Problem, ...] = ()
    articles: int = 0
    fixed: tuple[str, ...] = ()
    without_id: int = 0
    notes: tuple[str, ...] = ()


def check(settings: Settings, *, mapper: Mapper, fix: bool = False) -> Checked:
    """Read every article whole and say what is wrong with it or with the settings.

    `fix` adds ids, mends broken YAML, writes dates as ISO 8601 and clears placeholder thumbnails, changing only
    those lines; no id is written that another article claims. Raises SettingsError where there is no articles folder,
    and LockedError while another run is at work.
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
    own = _ids_of_their_own(root, reading, mapper) if fix else {}
    work = partial(_check_batch, root, reading, making, fix)
    walked = storage.walk_articles(root, problems=problems, prefix=reading.prefix, layout=reading.dialect)
    for result in mapper(work, _batches(walked, own, _sections(root, reading))):
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
    problems.extend(generator_problems(reading))
    mended_files = frozenset(fixed)
    return Checked(
        problems=tuple(sorted(set(problems), key=lambda one: (one.file, one.line or 0, one.code, one.message))),
        articles=articles,
        fixed=tuple(sorted(fixed)),
        without_id=without_id,
        notes=tuple(
            f"{reading.prefix}{path}: got the id {identity}, since another article claims the one without the last part"
            for path, identity in sorted(own.items())
            if path in mended_files
        ),
    )


class _Item(NamedTuple):
    """An article to check: its path, the id to write where the derived one is another's, what its folders give to it."""

    path: str
    own: str
    folder_values: FolderValues


def _sections(root: str, reading: Rules) -> Sections | None:
    return Sections(root, reading.dialect, zone=reading.zone) if reading.dialect.inherits else None


def _batches(
    folders: Iterator[storage.Folder], own: Mapping[str, str], sections: Sections | None
) -> Iterator[list[_Item]]:
    batch: list[_Item] = []
    for folder in folders:
        given = NO_FOLDER_VALUES if sections is None else sections.values_of(folder.path, folder.sections)
        for found in folder.files:
            path = folder.path + found[0]
            batch.append(_Item(path, own.get(path, ""), given))
            if len(batch) == BATCH:
                yield batch
                batch = []
    yield batch


def _ids_of_their_own(root: str, reading: Rules, mapper: Mapper) -> dict[str, str]:
    """Return new ids for the articles whose derived id another one has: an id is for ever once it is written. What killed
    runs left beside the articles is removed.

    An id belongs to the article that has it written down, else to the one that is published by it.
    """
    claims: defaultdict[str, list[tuple[bool, bool, float, str]]] = defaultdict(list)
    ignored: list[Problem] = []
    leftovers: list[str] = []
    work = partial(_claims_batch, root, reading)
    walked = storage.walk_articles(
        root, problems=ignored, prefix=reading.prefix, leftovers=leftovers, layout=reading.dialect
    )
    for result in mapper(work, _batches(walked, {}, _sections(root, reading))):
        for identity, *claim in marshal.loads(result):  # noqa: S302
            claims[identity].append(tuple(claim))
    storage.remove_leftovers(leftovers)
    own: dict[str, str] = {}
    taken = set(claims)
    for identity, claimants in claims.items():
        if len(claimants) == 1:
            continue
        # False before true, and of the newest the first by path: as the build chooses.
        claimants.sort(key=lambda claim: (claim[0], claim[1], claim[2], [-ord(letter) for letter in claim[3]]))
        for written, _, _, path in claimants[:-1]:
            if not written:
                own[path] = _distinct(identity, path, taken)
                taken.add(own[path])
    return own


def _distinct(identity: str, path: str, taken: set[str]) -> str:
    mark = hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=32).hexdigest()
    return next(name for size in range(8, 65) if (name := f"{identity}-{mark[:size]}") not in taken)


def _claims_batch(root: str, reading: Rules, items: list[_Item]) -> bytes:
    claims = []
    for path, _, given in items:
        try:
            data = storage.read_article(f"{root}/{path}")
        except OSError:
            continue
        article, _ = read_article(path, data, reading.with_folder_values(given))
        if article is not None:
            written = bool(Fields(_parsed(data, reading).values, reading.zone).text(ID))
            claims.append((article.id, written, not article.withheld, article.published.timestamp(), path))
    return marshal.dumps(claims)


def _claim(
    owners: dict[str, tuple[float, str]], identity: str, one: tuple[float, str], prefix: str, problems: list[Problem]
) -> None:
    other = owners.setdefault(identity, one)
    if other[1] == one[1]:
        return
    newer = max((other, one), key=lambda pair: (pair[0], [-ord(character) for character in pair[1]]))
    older = one if newer is other else other
    owners[identity] = newer
    problems.append(clash_problem(prefix, older[1], newer[1], identity))


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


def _parsed(data: bytes, reading: Rules, *, every_key: bool = False) -> Document:
    return parse_document(data, every_key=every_key, metadata=reading.dialect.is_metadata)


def _check_batch(root: str, reading: Rules, making: EntryRules, fix: bool, items: list[_Item]) -> bytes:
    return marshal.dumps(
        [_check_one(root, reading.with_folder_values(item.folder_values), making, item, fix=fix) for item in items]
    )


def _check_one(root: str, reading: Rules, making: EntryRules, item: _Item, *, fix: bool) -> Row:
    path, own = item.path, item.own
    unmended: tuple[Problem, ...] = ()
    mended = False
    try:
        old = data = storage.read_article(f"{root}/{path}")
    except OSError as error:
        return (path, "", 0.0, (), False, False, (packed(unreadable(reading.prefix + path, error)),))
    if fix:
        data, unmended = _fixed(root, path, data, reading, own)
        mended = data is not old
    article, problems = read_article(path, data, reading)
    if article is None:
        hidden = () if all(problem.severity == "warning" for problem in problems) and "_drafts/" in path else problems
        return (path, "", 0.0, (), mended, False, tuple(map(packed, hidden)))
    _, more = entry_of(article, making, url=url_of(article, making))
    found = [*problems, *more, *unmended, *_doubts(article, data, reading)]
    lacks_id = not Fields(_parsed(data, reading).values, reading.zone).text(ID)
    identity = "" if article.withheld else article.id
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
        line = _parsed(data, reading).line_of("thumbnail")
        yield Problem(
            file=reading.prefix + article.path,
            code="FT021",
            message="thumbnail: a known placeholder, not a picture of this article",
            hint="clear it (`feedtool check --fix` does), or set [html] distrust_thumbnails",
            severity="warning",
            line=line,
        )


def _fixed(root: str, path: str, data: bytes, reading: Rules, own: str) -> tuple[bytes, tuple[Problem, ...]]:
    """Mend what is safe to mend in one file; return its bytes now, and a Problem where that can't be done.

    `own` is the id to write where the derived one is another article's.
    """
    changes = fixes(path, data, reading)
    if not changes:
        return data, ()
    if own and "guid" in changes:
        changes["guid"] = own
    severity: Severity = "warning"
    try:
        fresh = edit_file(data, changes, metadata=reading.dialect.is_metadata)
        if not _says_the_same(path, data, fresh, changes, reading):
            keys = ", ".join(changes)
            raise FeedtoolError("the file would say something else then", hint=f"set {keys} by hand")
        _write(f"{root}/{path}", fresh)
    except FeedtoolError as error:
        what, hint = error.what, error.hint
    except OSError as error:
        what, hint, severity = f"cannot be written: {error.strerror or error}", remedy(error), "error"
    else:
        return fresh, ()
    file, message = reading.prefix + path, f"can't be mended: {what}"
    return data, (Problem(file=file, code="FT023", message=message, hint=hint, severity=severity, line=1),)


def _write(full: str, data: bytes) -> None:
    if os.path.islink(full):
        raise FeedtoolError("it is a link", hint="mend the file it leads to")
    if not os.access(full, os.W_OK):
        # A rename would get around that, but whoever took the right away meant it.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    storage.write(full, data)


Changes = dict[str, str | list[str]]


def fixes(path: str, data: bytes, reading: Rules) -> Changes:
    """Return the keys that a safe mending sets in a file; {} where there is nothing to mend or it can't be read."""
    document = _parsed(data, reading)
    article, _ = read_article(path, data, reading)
    if article is None or document.broken or document.split.form not in ("yaml", "toml", "metadata"):
        return {}
    changes: Changes = {}
    if document.recovered:
        changes |= _recovered(document.text[document.split.start : document.split.end])
    fields = Fields(document.values, reading.zone)
    for key, value in fields.values.items():
        if not isinstance(value, str):
            continue
        if key in PUBLISHED + UPDATED:
            text = value.strip()
            moment = None if reading.dialect.reads_date(text) else parse_date(text, zone=reading.zone)
            if moment is not None and iso(moment) != _zulu(text):
                changes[key] = reading.dialect.date_text(moment, reading.zone)
        elif key in THUMBNAIL and value.strip() and is_placeholder(value):
            changes[key] = ""
    if not fields.text(ID):
        changes["guid"] = article.id
    return changes


def _recovered(matter: str) -> Iterator[tuple[str, str | list[str]]]:
    for key, value in broken_keys(matter).items():
        if isinstance(value, str):
            yield normal(key), value
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield normal(key), [str(item) for item in value]


def _zulu(value: Value) -> Value:
    """Return a moment with `Z` for `+00:00`: both are right, and TOML's own kind has lost which of them it was."""
    return value[:-6] + "Z" if isinstance(value, str) and value.endswith("+00:00") else value


def _says_the_same(path: str, old: bytes, fresh: bytes, changes: Changes, reading: Rules) -> bool:
    """Say whether a mended file says what it said but for the changes: a mending that changes more is none."""
    before, _ = read_article(path, old, reading)
    after, problems = read_article(path, fresh, reading)
    if before is None or after is None or any(problem.code == "FT007" for problem in problems):
        return False
    if any(int(getattr(before, one).timestamp()) != int(getattr(after, one).timestamp()) for one in _MOMENTS):
        return False
    same = {"published": after.published, "updated": after.updated, "thumbnail": after.thumbnail, "line": after.line}
    if "guid" in changes:
        same["id"] = after.id
    values = _values(old, reading) | {key: _zulu(value) for key, value in changes.items()}  # type: ignore[arg-type]
    return replace(before, **same) == after and _values(fresh, reading) == values  # type: ignore[arg-type]


_MOMENTS = ("published", "updated")


def _values(data: bytes, reading: Rules) -> dict[str, Value]:
    return {normal(key): _zulu(value) for key, value in _parsed(data, reading, every_key=True).values.items()}
