"""Create or update the article files for the entries of one feed document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from feedtool import storage
from feedtool.articles.writer import (
    FileForm,
    MatchingFields,
    body_text,
    is_untouched,
    matches_raw,
    merge_file,
    new_file,
    same_as_written,
    stamp_for,
)
from feedtool.errors import OutputError, remedy
from feedtool.html import legal_text, plain_text
from feedtool.html.urls import link_key
from feedtool.ingesting.dedupe import match_entries
from feedtool.ingesting.lookup import LookupIndex
from feedtool.ingesting.matches import Candidate, ExistingArticle, Match
from feedtool.ingesting.memory import Memory, entry_key, title_key
from feedtool.ingesting.models import Tally
from feedtool.ingesting.paths import ArticlePaths, folder_of
from feedtool.ingesting.rules import Rules
from feedtool.ingesting.values import Origin, published_of, title_of, values_of, with_date
from feedtool.ingesting.writer import PendingWrite, Writer
from feedtool.models import Problem
from feedtool.similarity import TEXT_LENGTH
from feedtool.slugs import collision_key, file_name

if TYPE_CHECKING:
    from feedtool.feedparse.clean import CleanEntry

MAX_FAILURES = 3
"""After this many files of one source that could not be written, the others are not tried."""


@dataclass(slots=True)
class UpsertResult:
    """The result for one document. The tally belongs to the caller; `entry_keys` are those of entries that have an article.

    While `writing` is not empty, the result is not complete: `Upserter.finish` waits for the files.
    """

    tally: Tally
    entry_keys: list[str] = field(default_factory=list)
    writing: list[PendingWrite] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    arrived: int = 0
    """Entries with an article that the last visit did not know.

    Their articles may have been written by a run that was killed after it.
    """
    complete: bool = True
    """False if an entry was left for another run. Then the document has to be read again."""


_Context = tuple[Origin, Rules, UpsertResult]


class _NewArticle(NamedTuple):
    """A new article before it is written: its path, its bytes, the fields for the lookup, and the keys to remember."""

    entry: CleanEntry
    path: str
    data: bytes
    fields: MatchingFields
    entry_keys: tuple[str, ...]


class Upserter:
    """Create and update the articles of documents, one document at a time."""

    def __init__(self, lookup: LookupIndex, memory: Memory, writer: Writer, now: datetime) -> None:
        self.writer = writer
        self.lookup = lookup
        self.memory = memory
        self.now = now
        self.paths = ArticlePaths(lookup.root)

    def upsert(
        self, entries: Sequence[CleanEntry], origin: Origin, rules: Rules, tally: Tally, before: Sequence[str]
    ) -> UpsertResult:
        """Bring the files of a source up to date with its feed. `before` are the entry keys of the last visit."""
        done = UpsertResult(tally)
        matches, old = self._matches(entries, origin), frozenset(before)
        fresh: dict[int, list[str]] = {}
        for number, match in enumerate(matches):
            keys = _entry_keys(match, entries[number])
            if match.article is not None and match.how != "elsewhere":
                self._update(entries[number], match, origin, rules, done)
                own_key = entry_key(match.article.guid or match.id)
                done.arrived += own_key not in old
                done.entry_keys += (
                    [own_key, keys[1]] if match.how != "guid" or _has_unstable_id(match, entries[number]) else [own_key]
                )
            elif self._may_be_unreadable(entries[number], match, keys, old):
                tally.kept += 1
                done.entry_keys += old.intersection(keys) or keys[:1]
            elif match.how != "new" or self._is_deleted(origin, keys, old, rules):
                tally.skipped += 1
            else:
                fresh[number] = keys
        self._create_all(entries, matches, fresh, (origin, rules, done))
        return done

    def new_or_outdated(
        self, entries: Sequence[CleanEntry], origin: Origin, rules: Rules, before: Sequence[str]
    ) -> dict[int, tuple[ExistingArticle | None, bool]]:
        """Return the entries that `upsert` would create or update an article for.

        The value for the number of an entry is its article, None for a new one, and True if no other entry has its link. An article
        whose body a person edited counts as up to date.
        """
        outdated: dict[int, tuple[ExistingArticle | None, bool]] = {}
        fresh, old = list[int](), frozenset(before)
        for number, match in enumerate(self._matches(entries, origin)):
            if match.article is not None and match.how != "elsewhere":
                if rules.how != "keep" and self._is_outdated(match.article, entries[number], rules):
                    outdated[number] = match.article, bool(match.link)
                continue
            keys = _entry_keys(match, entries[number])
            is_unreadable = self._may_be_unreadable(entries[number], match, keys, old)
            if match.how == "new" and not is_unreadable and not self._is_deleted(origin, keys, old, rules):
                fresh.append(number)
                outdated[number] = None, bool(match.link)
        kept = set(self._bounded(entries, fresh, rules))
        return {number: one for number, one in outdated.items() if one[0] is not None or number in kept}

    def finish(self, done: UpsertResult, origin: Origin, rules: Rules) -> None:
        """Wait until the files of a document are written, and add the results."""
        tally, written = done.tally, []
        for write in done.writing:
            try:
                written.append((write.path, write.done.result()))
            except OSError as error:
                self.lookup.remove(write.path)
                self.paths.release(write.path)
                tally.failed += 1
                done.complete = False
                if len(done.problems) < MAX_FAILURES:
                    done.problems.append(_unwritten(write.entry, origin, rules, error))
                continue
            tally.new += 1
            done.arrived += 1
            tally.files.append(write.path)
            done.entry_keys += write.entry_keys
        self.lookup.confirm(written)
        done.writing.clear()

    def clear_caches(self) -> None:
        """Drop what is only needed while files are being written."""
        self.paths.clear()

    def _matches(self, entries: Sequence[CleanEntry], origin: Origin) -> list[Match]:
        names = (origin.source.name, *origin.formerly)
        return match_entries(
            [_candidate(entry) for entry in entries], self.lookup, sources=names, host=_host(origin.url)
        )

    def _is_outdated(self, article: ExistingArticle, entry: CleanEntry, rules: Rules) -> bool:
        stamp = self.lookup.stamp(article.path)
        if not stamp.hashes or matches_raw(stamp, entry.digest) or article.path in self.lookup.unreadable:
            return False
        try:
            data = storage.read_article(f"{self.lookup.root}/{article.path}")
            return rules.how == "overwrite" or is_untouched(data, "body", metadata=rules.dialect.is_metadata)
        except OSError:
            return False

    def _may_be_unreadable(self, entry: CleanEntry, match: Match, keys: list[str], before: frozenset[str]) -> bool:
        """Return True if an entry without an article may belong to a file that cannot be read.

        It had an article at the last visit, or a new one would have the same name as such a file.
        """
        if not self.lookup.is_incomplete or match.how != "new":
            return False
        title = title_of(entry.title)
        name = collision_key(file_name(title)[: -len(".md")]) if title else ""
        names = {collision_key(path.rpartition("/")[2].rpartition(".")[0]) for path in self.lookup.unreadable}
        return not before.isdisjoint(keys) or name in names

    def _is_deleted(self, origin: Origin, keys: list[str], before: frozenset[str], rules: Rules) -> bool:
        name = origin.source.name
        if self.memory.is_deleted(name, keys):
            return True
        if rules.fresh or before.isdisjoint(keys):
            return False
        # It had an article at the last visit, so somebody has deleted it since.
        if not rules.dry_run:
            self.memory.mark_deleted(name, {*before.intersection(keys), keys[0], keys[-1]})
        return True

    def _create_all(
        self, entries: Sequence[CleanEntry], matches: list[Match], fresh: dict[int, list[str]], context: _Context
    ) -> None:
        origin, rules, done = context
        chosen = self._bounded(entries, list(fresh), rules)
        done.tally.skipped += len(fresh) - len(chosen)
        done.complete = done.complete and len(chosen) == len(fresh)
        churns = any(match.how in ("link", "similar") for match in matches)
        new_articles: list[_NewArticle] = []
        failures = 0
        # Write the oldest first, so that of two articles with one title always the same one gets the plain name.
        for number in reversed(chosen):
            if failures >= MAX_FAILURES:
                done.tally.failed += 1
                continue
            keeps_link = churns or _has_unstable_id(matches[number], entries[number])
            keys = tuple(fresh[number][: 2 if keeps_link else 1])
            try:
                new_articles.append(self._new(entries[number], matches[number].id, number, keys, origin, rules))
            except (OSError, OutputError) as error:
                failures += 1
                done.tally.failed += 1
                done.problems.append(_unwritten(entries[number], origin, rules, error))
        done.complete = done.complete and not failures
        self._write_all(new_articles, context)

    def _write_all(self, new_articles: Sequence[_NewArticle], context: _Context) -> None:
        """Start writing new files, after adding all of them to the lookup."""
        origin, rules, done = context
        if not new_articles:
            return
        if rules.dry_run:
            done.tally.new += len(new_articles)
            done.tally.files += [one.path for one in new_articles]
            return
        try:
            self.lookup.add_pending((one.path, one.fields) for one in new_articles)
        except OutputError as error:
            for one in new_articles:
                self.paths.release(one.path)
            done.tally.failed += len(new_articles)
            done.complete = False
            done.problems.append(_unwritten(new_articles[0].entry, origin, rules, error))
            return
        done.writing += [
            PendingWrite(one.entry, one.path, one.entry_keys, self.writer.write(one.path, one.data))
            for one in new_articles
        ]

    def _bounded(self, entries: Sequence[CleanEntry], fresh: list[int], rules: Rules) -> list[int]:
        """Return those of the new entries for which this run creates articles."""
        kept = list(fresh)
        if rules.since is not None:
            since = rules.since
            kept = [number for number in kept if (published_of(entries[number], self.now) or self.now) >= since]
        if rules.limit is not None:
            newest = sorted(kept, key=lambda number: _age(published_of(entries[number], self.now), number))
            kept = sorted(newest[: rules.limit])
        return kept

    def _new(
        self, entry: CleanEntry, identity: str, number: int, keys: tuple[str, ...], origin: Origin, rules: Rules
    ) -> _NewArticle:
        # Dates a second apart keep undated entries in the order of their feed.
        first_seen = self.now.replace(microsecond=0) - timedelta(seconds=number)
        values = with_date(values_of(entry, origin, self.now), entry, origin, first_seen, self.now) | {"guid": identity}
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
        path = self.paths.path(folder, name, identity, suffix=suffix)
        stamp = stamp_for(values, body, source=origin.source.name, raw=entry.digest)
        data = new_file(values, body, stamp, metadata=rules.dialect.is_metadata).encode("utf-8", "replace")
        fields = MatchingFields(identity, str(values["link"]), str(values["title"]), str(values["date"]), stamp)
        return _NewArticle(entry, path, data, fields, keys)

    def _update(self, entry: CleanEntry, match: Match, origin: Origin, rules: Rules, done: UpsertResult) -> None:
        assert match.article is not None
        path = match.article.path
        if path in self.lookup.unreadable:
            done.tally.kept += 1
            return
        values = values_of(entry, origin, self.now)
        body = body_text(
            str(entry.html), rules.dialect.name, starts_with_tag=not path.lower().endswith((".html", ".htm"))
        )
        stamp = self.lookup.stamp(path)
        # A file without a stamp was written by a person, so nothing in it follows the feed.
        how = rules.how if stamp.hashes else "keep"
        if not entry.title.strip() and (entry.page or matches_raw(stamp, entry.digest)):
            # The title was made from the body, so a new one is not a change of the title by the feed.
            del values["title"]
        # Until the page has been read, the body of the file stays.
        derived, raw = not entry.page, "" if entry.page == "later" else entry.digest
        if how != "overwrite" and same_as_written(stamp, values, body, raw=raw, derived=derived):
            done.tally.unchanged += 1
            return
        full = f"{self.lookup.root}/{path}"
        try:
            name, data = origin.source.name, storage.read_article(full)
            form = FileForm(rules.dialect.is_metadata, rules.zone)
            merged = merge_file(data, values, body, mode=how, source=name, raw=raw, derived=derived, form=form)
            if merged.text is not None and not rules.dry_run:
                data = merged.text.encode("utf-8", "replace")
                self.writer.write_now(path, data)
                self.lookup.add(path, data)
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
    return plain_text(html[: 8 * TEXT_LENGTH])[:TEXT_LENGTH]


def _entry_keys(match: Match, entry: CleanEntry) -> list[str]:
    """Return the keys by which a later visit may recognize an entry.

    They are those of its id, of its own link, and, if its id differs each time and others have its link, of its title.
    """
    moment = int(entry.published.timestamp()) if entry.published is not None else 0
    own = [entry_key(match.link)] if match.link else []
    return [entry_key(match.id), *own, title_key(match.link, title_of(entry.title), moment)]


def _has_unstable_id(match: Match, entry: CleanEntry) -> bool:
    """Return True if an entry's id is not its feed's, or may be different next time.

    Then one more key is remembered.
    """
    return not match.link or match.id != entry.guid


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
