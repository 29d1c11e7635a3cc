"""List every problem in a site's articles and settings, and fix those that can be fixed safely."""

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
from feedtool.catalog.index import lock
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
from feedtool.publish.outputs import site_files
from feedtool.publish.places import articles_folder, check_places, output_folder
from feedtool.publish.render import url_of
from feedtool.publish.rules import making_rules, overrides
from feedtool.publish.sections import Sections
from feedtool.publish.select import clash_problem
from feedtool.publish.writer import cannot_write, manifest, refuse_foreign

BATCH = 128
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The result of a check: the remaining problems, the number of articles read, and the files that were fixed.

    `notes` name the articles that got another id than the one derived from their path and date.
    """

    problems: tuple[Problem, ...] = ()
    articles: int = 0
    fixed: tuple[str, ...] = ()
    without_id: int = 0
    notes: tuple[str, ...] = ()


def check(settings: Settings, *, mapper: Mapper, fix: bool = False) -> Checked:
    """Read every article completely, and return all problems of the articles and the settings.

    `fix` adds ids, repairs broken YAML, writes dates as ISO 8601 and clears placeholder thumbnails; it changes only
    those lines, and never writes an id that another article claims. Raise the errors that a build would raise:
    SettingsError and OutputError for folders, settings, templates or generator settings that can't be used, and, with
    `fix`, LockedError while another run holds the lock. Without `fix` nothing is written, and no lock is taken, as in a
    dry run of a build.
    """
    check_places(settings)
    overrides(settings.folder)
    if not fix:
        return _checked(settings, mapper, fix=False)
    with lock(os.path.join(settings.folder, ".feedtool")):
        return _checked(settings, mapper, fix=True)


def _check_output(settings: Settings) -> None:
    """Raise OutputError if a build would refuse to overwrite a file in the output folder."""
    output = output_folder(settings)
    try:
        refuse_foreign(output, site_files(settings) - manifest(output), set())
    except OSError as error:
        raise cannot_write(error.filename or output, error) from None


def _checked(settings: Settings, mapper: Mapper, *, fix: bool) -> Checked:
    root = articles_folder(settings)
    reading = reading_rules(settings)
    making = making_rules(settings, base_url(settings))
    _check_output(settings)
    problems: list[Problem] = []
    fixed: list[str] = []
    owners: dict[str, tuple[float, str]] = {}
    categories: set[str] = set()
    articles = without_id = 0
    new_ids = _new_ids(root, reading, mapper) if fix else {}
    work = partial(_check_batch, root, reading, making, fix)
    folders = storage.walk_articles(root, problems=problems, prefix=reading.prefix, layout=reading.dialect)
    for result in mapper(work, _batches(folders, new_ids, _sections(root, reading))):
        for path, identity, published, article_categories, is_fixed, lacks_id, rows in marshal.loads(result):  # noqa: S302
            problems.extend(map(unpacked, rows))
            articles += bool(identity)
            without_id += lacks_id
            categories.update(article_categories)
            if is_fixed:
                fixed.append(path)
            if identity:
                _claim(owners, identity, (published, path), reading.prefix, problems)
    problems.extend(_settings_problems(settings, categories))
    problems.extend(generator_problems(reading))
    fixed_files = frozenset(fixed)
    return Checked(
        problems=tuple(sorted(set(problems), key=lambda one: (one.file, one.line or 0, one.code, one.message))),
        articles=articles,
        fixed=tuple(sorted(fixed)),
        without_id=without_id,
        notes=tuple(
            f"{reading.prefix}{path}: got the id {identity}, because another article claims the id without the last part"
            for path, identity in sorted(new_ids.items())
            if path in fixed_files
        ),
    )


class _Item(NamedTuple):
    """An article to check: its path, the id to write if another article has the derived one, and the values of its folders."""

    path: str
    new_id: str
    folder_values: FolderValues


def _sections(root: str, reading: Rules) -> Sections | None:
    return Sections(root, reading.dialect, zone=reading.zone) if reading.dialect.inherits else None


def _batches(
    folders: Iterator[storage.Folder], new_ids: Mapping[str, str], sections: Sections | None
) -> Iterator[list[_Item]]:
    batch: list[_Item] = []
    for folder in folders:
        folder_values = NO_FOLDER_VALUES if sections is None else sections.values_of(folder.path, folder.sections)
        for file in folder.files:
            path = folder.path + file[0]
            batch.append(_Item(path, new_ids.get(path, ""), folder_values))
            if len(batch) == BATCH:
                yield batch
                batch = []
    yield batch


def _new_ids(root: str, reading: Rules, mapper: Mapper) -> dict[str, str]:
    """Return new ids for the articles whose derived id belongs to another article; remove temporary files that killed runs left.

    An id belongs to the article in which it is written, else to the one that is published under it. Readers identify an
    entry by its id forever, so an id that was written once must not change.
    """
    claims: defaultdict[str, list[tuple[bool, bool, float, str]]] = defaultdict(list)
    ignored: list[Problem] = []
    leftovers: list[str] = []
    work = partial(_claims_batch, root, reading)
    folders = storage.walk_articles(
        root, problems=ignored, prefix=reading.prefix, leftovers=leftovers, layout=reading.dialect
    )
    for result in mapper(work, _batches(folders, {}, _sections(root, reading))):
        for identity, *claim in marshal.loads(result):  # noqa: S302
            claims[identity].append(tuple(claim))
    storage.remove_leftovers(leftovers)
    new_ids: dict[str, str] = {}
    taken = set(claims)
    for identity, claimants in claims.items():
        if len(claimants) == 1:
            continue
        # Sorted so that the owner comes last: an id that is written, then a published article, then the newest, then
        # the first by path, as in a build.
        claimants.sort(key=lambda claim: (claim[0], claim[1], claim[2], [-ord(letter) for letter in claim[3]]))
        for written, _, _, path in claimants[:-1]:
            if not written:
                new_ids[path] = _distinct(identity, path, taken)
                taken.add(new_ids[path])
    return new_ids


def _distinct(identity: str, path: str, taken: set[str]) -> str:
    digest = hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=32).hexdigest()
    return next(name for size in range(8, 65) if (name := f"{identity}-{digest[:size]}") not in taken)


def _claims_batch(root: str, reading: Rules, items: list[_Item]) -> bytes:
    claims = []
    for path, _, folder_values in items:
        try:
            data = storage.read_article(f"{root}/{path}")
        except OSError:
            continue
        article, _ = read_article(path, data, reading.with_folder_values(folder_values))
        if article is not None:
            written = bool(Fields(_parsed(data, reading).values, reading.zone).text(ID))
            claims.append((article.id, written, not article.withheld, article.published.timestamp(), path))
    return marshal.dumps(claims)


def _claim(
    owners: dict[str, tuple[float, str]], identity: str, claim: tuple[float, str], prefix: str, problems: list[Problem]
) -> None:
    other = owners.setdefault(identity, claim)
    if other[1] == claim[1]:
        return
    newer = max((other, claim), key=lambda pair: (pair[0], [-ord(character) for character in pair[1]]))
    older = claim if newer is other else other
    owners[identity] = newer
    problems.append(clash_problem(prefix, older[1], newer[1], identity))


def _settings_problems(settings: Settings, categories: set[str]) -> Iterator[Problem]:
    file = os.path.relpath(settings.file, settings.folder) if settings.file else "feedtool.toml"
    if not settings.base_url:
        hint = 'set url = "https://…" in [site]'
        message = "the address of the site is not set, so links in feeds lead to http://localhost/"
        yield Problem(file=file, code="FT101", message=message, hint=hint, severity="warning")
    for one in settings.categories:
        if one.name not in categories:
            origin = next((o for key, o in settings.origins.items() if key.startswith(f"categories.{one.name}.")), "")
            line = origin.rpartition(":")[2]
            yield Problem(
                file=file,
                code="FT102",
                message=f'[categories."{one.name}"]: no article has this category',
                hint="check the spelling",
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
    path, new_id = item.path, item.new_id
    unfixed: tuple[Problem, ...] = ()
    is_fixed = False
    try:
        old = data = storage.read_article(f"{root}/{path}")
    except OSError as error:
        return (path, "", 0.0, (), False, False, (packed(unreadable(reading.prefix + path, error)),))
    if fix:
        data, unfixed = _fixed(root, path, data, reading, new_id)
        is_fixed = data is not old
    article, problems = read_article(path, data, reading)
    if article is None:
        hidden = () if all(problem.severity == "warning" for problem in problems) and "_drafts/" in path else problems
        return (path, "", 0.0, (), is_fixed, False, tuple(map(packed, hidden)))
    _, entry_problems = entry_of(article, making, url=url_of(article, making))
    all_problems = [*problems, *entry_problems, *unfixed, *_thumbnail_problems(article, data, reading)]
    lacks_id = not Fields(_parsed(data, reading).values, reading.zone).text(ID)
    identity = "" if article.withheld else article.id
    return (
        path,
        identity,
        article.published.timestamp(),
        article.categories,
        is_fixed,
        lacks_id,
        tuple(map(packed, all_problems)),
    )


def _thumbnail_problems(article: Article, data: bytes, reading: Rules) -> Iterator[Problem]:
    if article.thumbnail and is_placeholder(article.thumbnail):
        line = _parsed(data, reading).line_of("thumbnail")
        yield Problem(
            file=reading.prefix + article.path,
            code="FT021",
            message="thumbnail: this is a known placeholder, not a picture of the article",
            hint="clear it (`feedtool check --fix` does), or set [html] distrust_thumbnails",
            severity="warning",
            line=line,
        )


def _fixed(root: str, path: str, data: bytes, reading: Rules, new_id: str) -> tuple[bytes, tuple[Problem, ...]]:
    """Fix one file safely; return its bytes afterwards, and a Problem if it could not be fixed.

    `new_id` is the id to write if the derived one belongs to another article.
    """
    changes = fixes(path, data, reading)
    if not changes:
        return data, ()
    if new_id and "guid" in changes:
        changes["guid"] = new_id
    severity: Severity = "warning"
    try:
        fresh = edit_file(data, changes, metadata=reading.dialect.is_metadata)
        if not _is_equivalent(path, data, fresh, changes, reading):
            keys = ", ".join(changes)
            raise FeedtoolError("the change would alter other values", hint=f"set {keys} by hand")
        _write(f"{root}/{path}", fresh)
    except FeedtoolError as error:
        what, hint = error.what, error.hint
    except OSError as error:
        what, hint, severity = f"cannot be written: {error.strerror or error}", remedy(error), "error"
    else:
        return fresh, ()
    file, message = reading.prefix + path, f"cannot be fixed: {what}"
    return data, (Problem(file=file, code="FT023", message=message, hint=hint, severity=severity, line=1),)


def _write(full: str, data: bytes) -> None:
    if os.path.islink(full):
        raise FeedtoolError("it is a link", hint="fix the file that the link points to")
    if not os.access(full, os.W_OK):
        # A rename would work without write permission, but the permission was taken away on purpose.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    storage.write(full, data)


Changes = dict[str, str | list[str]]


def fixes(path: str, data: bytes, reading: Rules) -> Changes:
    """Return the keys that a safe fix sets in a file; an empty dictionary if there is nothing to fix or the file cannot be read."""
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
            if moment is not None and iso(moment) != _with_z(text):
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


def _with_z(value: Value) -> Value:
    """Return a date with `Z` for `+00:00`. Both are correct, and a date in TOML does not tell which of them was written."""
    return value[:-6] + "Z" if isinstance(value, str) and value.endswith("+00:00") else value


def _is_equivalent(path: str, old: bytes, fresh: bytes, changes: Changes, reading: Rules) -> bool:
    """Return True if a fixed file says the same as before but for the changes; a fix that alters anything else is not written."""
    before, _ = read_article(path, old, reading)
    after, problems = read_article(path, fresh, reading)
    if before is None or after is None or any(problem.code == "FT007" for problem in problems):
        return False
    if any(int(getattr(before, one).timestamp()) != int(getattr(after, one).timestamp()) for one in _MOMENTS):
        return False
    same = {"published": after.published, "updated": after.updated, "thumbnail": after.thumbnail, "line": after.line}
    if "guid" in changes:
        same["id"] = after.id
    values = _values(old, reading) | {key: _with_z(value) for key, value in changes.items()}  # type: ignore[arg-type]
    return replace(before, **same) == after and _values(fresh, reading) == values  # type: ignore[arg-type]


_MOMENTS = ("published", "updated")


def _values(data: bytes, reading: Rules) -> dict[str, Value]:
    return {normal(key): _with_z(value) for key, value in _parsed(data, reading, every_key=True).values.items()}
