"""The entries of one feed document in, article files created, updated or left alone out: the last steps of an ingest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from feedtool import storage
from feedtool.articles import Rules as ReadingRules
from feedtool.articles.dialect import PLAIN, Dialect
from feedtool.articles.writer import (
    FileForm,
    How,
    MatchingFields,
    body_text,
    is_raw,
    is_untouched,
    merge_file,
    new_file,
    same_as_written,
    stamp_for,
)
from feedtool.config import Settings, SourceSettings
from feedtool.errors import OutputError, remedy
from feedtool.html import legal_text, plain_text
from feedtool.html.urls import link_key
from feedtool.ingesting.dedupe import Candidate, ExistingArticle, Match, match
from feedtool.ingesting.lookup import LookupIndex
from feedtool.ingesting.memory import Memory, entry_key, title_key
from feedtool.ingesting.models import Choices, Tally
from feedtool.ingesting.paths import Places, folder_of
from feedtool.ingesting.values import Origin, dated, published_of, title_of, values_of
from feedtool.ingesting.writer import PendingWrite, Writer
from feedtool.models import Problem
from feedtool.similarity import TEXT
from feedtool.slugs import collision_key, file_name

if TYPE_CHECKING:
    from feedtool.feedparse.clean import CleanEntry

HOW: Mapping[str, How] = {"merge": "merge", "overwrite": "overwrite", "keep": "keep"}
PATIENCE = 3
"""Files of one source that can't be written before the rest is not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What of the settings and of the call bears on writing the files of one source.

    `how` is its on_update, `folder` its template. `limit` and `since` bound what is new in this run. `fresh` says that the
    site has no article at all: then nothing was deleted, everything is to be made.
    """

    how: How = "merge"
    folder: str = "{source}"
    dialect: Dialect = PLAIN
    zone: tzinfo = UTC
    prefix: str = "articles/"
    limit: int | None = None
    since: datetime | None = None
    fresh: bool = False
    dry_run: bool = False


def rules_of(
    settings: Settings, source: SourceSettings, choices: Choices, reading: ReadingRules, *, fresh: bool
) -> Rules:
    """Return the rules for one source in one run."""
    return Rules(
        how=HOW[source.on_update or settings.ingest.on_update],
        folder=source.folder or settings.ingest.folder,
        dialect=reading.dialect,
        zone=reading.zone,
        prefix=reading.prefix,
        limit=choices.limit,
        since=choices.since,
        fresh=fresh,
        dry_run=choices.dry_run,
    )


@dataclass(slots=True)
class UpsertResult:
    """What became of a document: the tally is the caller's; `seen` are the marks of entries that have an article.

    While there is something in `writing`, it is not at an end: `Shelver.settle` waits for it.
    """

    tally: Tally
    entry_keys: list[str] = field(default_factory=list)
    writing: list[PendingWrite] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    arrived: int = 0
    """Entries with an article that the last visit knew nothing of; a run that was killed since may have made theirs."""
    complete: bool = True
    """False where an entry was left for another run: then the document has to be read again."""


_Context = tuple[Origin, Rules, UpsertResult]


class _New(NamedTuple):
    """A new article before it is written: its `path`, its bytes, what the shelf knows of it, the marks to remember."""

    entry: CleanEntry
    path: str
    data: bytes
    fields: MatchingFields
    entry_keys: tuple[str, ...]


class Upserter:
    """Puts the entries of documents on the shelf, one document at a time."""

    def __init__(self, shelf: LookupIndex, memory: Memory, writer: Writer, now: datetime) -> None:
        self.writer = writer
        self.lookup = shelf
        self.memory = memory
        self.now = now
        self.places = Places(shelf.root)

    def upsert(
        self, entries: Sequence[CleanEntry], origin: Origin, rules: Rules, tally: Tally, before: Sequence[str]
    ) -> UpsertResult:
        """Bring the files of a source up to date with its feed; `before` are the marks of the visit before."""
        done = UpsertResult(tally)
        matches, old = self._matches(entries, origin), frozenset(before)
        fresh: dict[int, list[str]] = {}
        for number, found in enumerate(matches):
            marks = _entry_keys(found, entries[number])
            if found.article is not None and found.how != "elsewhere":
                self._update(entries[number], found, origin, rules, done)
                own = entry_key(found.article.guid or found.id)
                done.arrived += own not in old
                done.entry_keys += (
                    [own, marks[1]] if found.how != "guid" or _is_vague(found, entries[number]) else [own]
                )
            elif self._is_sealed(entries[number], found, marks, old):
                tally.kept += 1
                done.entry_keys += old.intersection(marks) or marks[:1]
            elif found.how != "new" or self._is_deleted(origin, marks, old, rules):
                tally.skipped += 1
            else:
                fresh[number] = marks
        self._create_all(entries, matches, fresh, (origin, rules, done))
        return done

    def behind(
        self, entries: Sequence[CleanEntry], origin: Origin, rules: Rules, before: Sequence[str]
    ) -> dict[int, tuple[ExistingArticle | None, bool]]:
        """Return the entries that `shelve` would make an article of (None) or that changed since theirs was written (the
        article), and whether their link is theirs alone. What a person made of a body counts as unchanged."""
        found: dict[int, tuple[ExistingArticle | None, bool]] = {}
        fresh, old = list[int](), frozenset(before)
        for number, one in enumerate(self._matches(entries, origin)):
            if one.article is not None and one.how != "elsewhere":
                if rules.how != "keep" and self._is_behind(one.article, entries[number], rules):
                    found[number] = one.article, bool(one.link)
                continue
            marks = _entry_keys(one, entries[number])
            sealed = self._is_sealed(entries[number], one, marks, old)
            if one.how == "new" and not sealed and not self._is_deleted(origin, marks, old, rules):
                fresh.append(number)
                found[number] = None, bool(one.link)
        kept = set(self._bounded(entries, fresh, rules))
        return {number: one for number, one in found.items() if one[0] is not None or number in kept}

    def finish(self, done: UpsertResult, origin: Origin, rules: Rules) -> None:
        """Wait until the files of a document are written, and say what became of them."""
        tally, there = done.tally, []
        for one in done.writing:
            try:
                there.append((one.path, one.done.result()))
            except OSError as error:
                self.lookup.forget(one.path)
                self.places.free(one.path)
                tally.failed += 1
                done.complete = False
                if len(done.problems) < PATIENCE:
                    done.problems.append(_unwritten(one.entry, origin, rules, error))
                continue
            tally.new += 1
            done.arrived += 1
            tally.files.append(one.path)
            done.entry_keys += one.entry_keys
        self.lookup.arrived(there)
        done.writing.clear()

    def rest(self) -> None:
        """Let go of what is only worth knowing while files are on their way."""
        self.places.forget()

    def _matches(self, entries: Sequence[CleanEntry], origin: Origin) -> list[Match]:
        names = (origin.source.name, *origin.formerly)
        return match([_candidate(entry) for entry in entries], self.lookup, sources=names, host=_host(origin.url))

    def _is_behind(self, known: ExistingArticle, entry: CleanEntry, rules: Rules) -> bool:
        stamp = self.lookup.stamp(known.path)
        if not stamp.hashes or is_raw(stamp, entry.digest) or known.path in self.lookup.sealed:
            return False
        try:
            data = storage.article(f"{self.lookup.root}/{known.path}")
            return rules.how == "overwrite" or is_untouched(data, "body", metadata=rules.dialect.is_metadata)
        except OSError:
            return False

    def _is_sealed(self, entry: CleanEntry, found: Match, marks: list[str], before: frozenset[str]) -> bool:
        """Say whether an entry without an article may be that of a file that can't be read: it had one at the last visit, or
        a new one would be named like such a file."""
        if not self.lookup.blind or found.how != "new":
            return False
        title = title_of(entry.title)
        name = collision_key(file_name(title)[: -len(".md")]) if title else ""
        names = {collision_key(path.rpartition("/")[2].rpartition(".")[0]) for path in self.lookup.sealed}
        return not before.isdisjoint(marks) or name in names

    def _is_deleted(self, origin: Origin, marks: list[str], before: frozenset[str], rules: Rules) -> bool:
        name = origin.source.name
        if self.memory.is_gone(name, marks):
            return True
        if rules.fresh or before.isdisjoint(marks):
            return False
        # It had an article at the last visit: someone deleted it since.
        if not rules.dry_run:
            self.memory.mark_deleted(name, {*before.intersection(marks), marks[0], marks[-1]})
        return True

    def _create_all(
        self, entries: Sequence[CleanEntry], matches: list[Match], fresh: dict[int, list[str]], context: _Context
    ) -> None:
        origin, rules, done = context
        wanted = self._bounded(entries, list(fresh), rules)
        done.tally.skipped += len(fresh) - len(wanted)
        done.complete = len(wanted) == len(fresh)
        churns = any(found.how in ("link", "similar") for found in matches)
        made: list[_New] = []
        failures = 0
        # The oldest first, so that of two with one title the same gets the plain name, whenever they are met.
        for number in reversed(wanted):
            if failures >= PATIENCE:
                done.tally.failed += 1
                continue
            vague = churns or _is_vague(matches[number], entries[number])
            marks = tuple(fresh[number][: 2 if vague else 1])
            try:
                made.append(self._new(entries[number], matches[number].id, number, marks, origin, rules))
            except (OSError, OutputError) as error:
                failures += 1
                done.tally.failed += 1
                done.problems.append(_unwritten(entries[number], origin, rules, error))
        done.complete = done.complete and not failures
        self._write_all(made, context)

    def _write_all(self, made: Sequence[_New], context: _Context) -> None:
        """Begin to write new files, all of which are known before the first is there."""
        origin, rules, done = context
        if not made:
            return
        if rules.dry_run:
            done.tally.new += len(made)
            done.tally.files += [one.path for one in made]
            return
        try:
            self.lookup.expect((one.path, one.fields) for one in made)
        except OutputError as error:
            for one in made:
                self.places.free(one.path)
            done.tally.failed += len(made)
            done.complete = False
            done.problems.append(_unwritten(made[0].entry, origin, rules, error))
            return
        done.writing += [
            PendingWrite(one.entry, one.path, one.entry_keys, self.writer.write(one.path, one.data)) for one in made
        ]

    def _bounded(self, entries: Sequence[CleanEntry], fresh: list[int], rules: Rules) -> list[int]:
        """Return those of the new entries that this run is to make articles of."""
        kept = list(fresh)
        if rules.since is not None:
            since = rules.since
            kept = [number for number in kept if (published_of(entries[number], self.now) or self.now) >= since]
        if rules.limit is not None:
            newest = sorted(kept, key=lambda number: _age(published_of(entries[number], self.now), number))
            kept = sorted(newest[: rules.limit])
        return kept

    def _new(
        self, entry: CleanEntry, identity: str, number: int, marks: tuple[str, ...], origin: Origin, rules: Rules
    ) -> _New:
        # A second apart, so that undated entries keep the order of their feed.
        first_seen = self.now.replace(microsecond=0) - timedelta(seconds=number)
        values = dated(values_of(entry, origin, self.now), entry, origin, first_seen, self.now) | {"guid": identity}
        suffix = rules.dialect.new_suffix
        body = body_text(str(entry.html), rules.dialect.name, starts_with_tag=bool(suffix))
        suffix = suffix or (".md" if not body.strip() or body.lstrip().startswith("<") else ".html")
        published = published_of(entry, self.now) or first_seen
        names = values["categories"]
        folder = folder_of(
            rules.folder,
            source=origin.source.name,
            categories=names if isinstance(names, list) else [],
            published=published,
        )
        name = rules.dialect.file_title(str(values["title"]), published, rules.zone)
        path = self.places.path(folder, name, identity, suffix=suffix)
        stamp = stamp_for(values, body, source=origin.source.name, raw=entry.digest)
        data = new_file(values, body, stamp, metadata=rules.dialect.is_metadata).encode("utf-8", "replace")
        seen = MatchingFields(identity, str(values["link"]), str(values["title"]), str(values["date"]), stamp)
        return _New(entry, path, data, seen, marks)

    def _update(self, entry: CleanEntry, found: Match, origin: Origin, rules: Rules, done: UpsertResult) -> None:
        assert found.article is not None
        path = found.article.path
        if path in self.lookup.sealed:
            done.tally.kept += 1
            return
        values = values_of(entry, origin, self.now)
        body = body_text(
            str(entry.html), rules.dialect.name, starts_with_tag=not path.lower().endswith((".html", ".htm"))
        )
        stamp = self.lookup.stamp(path)
        # A file without a stamp is a person's own: nothing in it follows.
        how = rules.how if stamp.hashes else "keep"
        if not entry.title.strip() and (entry.page or is_raw(stamp, entry.digest)):
            # Then the title is the beginning of the body, and as little an edit as a change there.
            del values["title"]
        # A body that is to be that of a page stays until there is one.
        derived, raw = not entry.page, "" if entry.page == "later" else entry.digest
        if how != "overwrite" and same_as_written(stamp, values, body, raw=raw, derived=derived):
            done.tally.unchanged += 1
            return
        full = f"{self.lookup.root}/{path}"
        try:
            name, data = origin.source.name, storage.article(full)
            form = FileForm(rules.dialect.is_metadata, rules.zone)
            merged = merge_file(data, values, body, how=how, source=name, raw=raw, derived=derived, form=form)
            if merged.text is not None and not rules.dry_run:
                data = merged.text.encode("utf-8", "replace")
                self.writer.write_now(path, data)
                self.lookup.note(path, data)
        except OSError as error:
            done.tally.failed += 1
            done.complete = False
            done.problems.append(_unwritten(entry, origin, rules, error, path))
            return
        if merged.changed and merged.text is not None:
            done.tally.updated += 1
            done.tally.files.append(path)
        elif merged.kept:
            done.tally.kept += 1
        else:
            done.tally.unchanged += 1


def _candidate(entry: CleanEntry) -> Candidate:
    published = int(entry.published.timestamp()) if entry.published is not None else None
    guid = " ".join(legal_text(entry.guid).split())
    return Candidate(guid, entry.link or "", entry.title, partial(_text, str(entry.html)), published)


def _text(html: str) -> str:
    return plain_text(html[: 8 * TEXT])[:TEXT]


def _entry_keys(found: Match, entry: CleanEntry) -> list[str]:
    """Return what a later visit may know an entry by: its id, its own link, and what is left where its id is another
    each time and its link is that of others, too."""
    moment = int(entry.published.timestamp()) if entry.published is not None else 0
    own = [entry_key(found.link)] if found.link else []
    return [entry_key(found.id), *own, title_key(found.link, title_of(entry.title), moment)]


def _is_vague(found: Match, entry: CleanEntry) -> bool:
    """Say whether an entry's id is not its feed's, or may well be another next time: then one more mark is remembered."""
    return not found.link or found.id != entry.guid


def _age(moment: datetime | None, number: int) -> tuple[float, int]:
    return (-moment.timestamp() if moment is not None else 0.0, number)


def _host(url: str) -> str:
    return link_key(url).partition("/")[0]


def _unwritten(
    entry: CleanEntry, origin: Origin, rules: Rules, error: OSError | OutputError, path: str = ""
) -> Problem:
    file = rules.prefix + path
    if isinstance(error, OutputError):
        return Problem(file=rules.prefix + error.where, code="FT307", message=error.what, hint=error.hint)
    title = " ".join(entry.title.split())[:80]
    message = f'{origin.source.name}: the article "{title}" cannot be written: {error.strerror or error}'
    return Problem(file=file, code="FT307", message=message, hint=remedy(error))
