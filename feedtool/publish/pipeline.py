"""The build: settings in, an output folder brought up to date and a Report out; the steps in their order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feedtool import storage
from feedtool.articles import Rules
from feedtool.catalog import index as index_room
from feedtool.catalog.git import is_tracked
from feedtool.catalog.index import DAMAGE, Index
from feedtool.catalog.signing import Signer, user_signer
from feedtool.config import Settings
from feedtool.dialects import Remembered
from feedtool.digests import blake2b
from feedtool.errors import OutputError, SettingsError, remedy
from feedtool.frozen import Frozen, frozen
from feedtool.models import Problem, Report
from feedtool.protocols import Clock, Mapper

if TYPE_CHECKING:
    from feedtool.feeds.selection import FeedSelection
    from feedtool.publish.plan import Assembly, Outputs
    from feedtool.publish.render import EntryRenderer
    from feedtool.publish.select import Chosen
    from feedtool.site import PageRules
from feedtool.catalog.reading_rules import generator_problems, load_reading_rules
from feedtool.publish.heads import Heads, packed, unpacked
from feedtool.publish.rules import Code, code_fingerprint, making_rules, overrides, page_rules, versions
from feedtool.publish.scan import Listing, Place, list_folders
from feedtool.publish.tombstones import Published, Tombstones
from feedtool.publish.writer import Publisher, cannot_write

MANY = 20_000
"""Articles from which on more than one process looks at their folders, in a build that may have nothing to do."""
Facts = dict[str, Any]
"""What the index keeps of the last build, by name."""


@frozen
class Choices(Frozen):
    """What a caller may choose for one run; none of it but `drafts` and `future` bears on a byte of output."""

    drafts: bool = False
    future: bool = False
    dry_run: bool = False
    progress: Callable[[str, int, int], None] | None = None


def build(settings: Settings, *, mapper: Mapper, clock: Clock, choices: Choices | None = None) -> Report:
    """Bring the site's output folder up to date and say what was done.

    Raises SettingsError, OutputError and LockedError when it can't start; a bad article is a Problem in the report.
    `clock` is asked once, to hide articles of the future and to let old tombstones go.
    """
    started = time.perf_counter()
    chosen = choices or Choices()
    run = _Run(settings, mapper, clock(), chosen)
    run.check_places()
    with ExitStack() as stack:
        if not chosen.dry_run:
            stack.enter_context(index_room.lock(run.derived))
        try:
            index = run.open_index()
            stack.callback(index.close)
            try:
                report = run.go(index)
            except DAMAGE as error:
                if index_room.is_disk_full(error):
                    raise
                # What the index held was damaged; the articles are not.
                index.restart()
                report = run.go(index)
        except OSError as error:
            raise cannot_write(error.filename or run.output, error) from None
        except DAMAGE as error:
            # A new index can't be damaged: there is no room for it, or no right to make it.
            raise index_room.unusable_error(run.derived, error) from None
    notes: tuple[str, ...] = ()
    if index.refused or index.rebuilt:
        notes = (f".feedtool/index {index.refused or 'was damaged or of another version; it was made anew'}",)
    details = tuple(filter(None, [run.signer.note()]))
    return replace(report, notes=notes, details=details, seconds=time.perf_counter() - started)


class _Run:
    """One build: its places, its rules, and the steps in their order."""

    def __init__(self, settings: Settings, mapper: Mapper, now: datetime, choices: Choices) -> None:
        self.settings = settings
        self.mapper = mapper
        self.now = now
        self.choices = choices
        self.root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
        self.output = os.path.realpath(os.path.join(settings.folder, settings.output))
        self.derived = os.path.join(settings.folder, ".feedtool")
        self.reading = Rules()
        self.templates = overrides(settings.folder)
        self.version = ("", b"", b"")
        # A dry run keeps nothing, and makes no key.
        self.signer = Signer() if choices.dry_run else user_signer()

    def check_places(self) -> None:
        """Refuse places that would do harm, before anything is made."""
        if not os.path.isdir(self.root):
            raise SettingsError(
                "there is no such folder of articles", where=self.root, hint="make it, or set [articles] path"
            )
        try:
            os.scandir(self.root).close()
        except OSError as error:
            # Feeds without a single entry would be published otherwise.
            raise SettingsError(
                f"cannot be read: {error.strerror or error}", where=self.root, hint=remedy(error)
            ) from None
        folder = os.path.realpath(self.settings.folder)
        if _is_inside(self.output, self.root):
            raise OutputError("lies inside the articles folder", where=self.output, hint="choose another with --output")
        if _is_inside(self.root, self.output):
            raise OutputError("holds the articles", where=self.output, hint="choose a folder of its own with --output")
        if self.output in (folder, os.path.join(folder, ".feedtool"), os.path.join(folder, "templates")):
            raise OutputError("is in use", where=self.output, hint="choose a folder of its own with --output")
        if not _is_inside(self.output, folder) and "--" not in self.settings.origins.get("output", "--"):
            raise OutputError(
                "lies outside the site's folder", where=self.output, hint="name it with --output, if that is meant"
            )
        if os.path.exists(self.output) and not os.path.isdir(self.output):
            raise OutputError("is not a folder", where=self.output, hint="choose another with --output")

    def open_index(self) -> Index:
        # A dry run takes no lock: it may not touch what another run is writing.
        if self.choices.dry_run:
            return Index(None, self.signer)
        return Index(os.path.join(self.derived, "index"), self.signer, tracked=is_tracked(self.derived))

    def go(self, index: Index) -> Report:
        """Do the build within one transaction of the index."""
        index.begin()
        self._load_rules(index)
        self.version = self._versions(index)
        whole, reading, _ = self.version
        last: Facts = index.fact("last") or {}
        # What was read by other rules says nothing now.
        known = index.fingerprints() if index.fact("reading") == reading else {}
        place = Place(self.root, self.reading.prefix, reading, time.time_ns(), self.reading.dialect, self.reading.zone)
        listing = list_folders(place, known, self.mapper, many=last.get("articles", 0) >= MANY)
        publisher = Publisher(self.output, last.get("outputs", {}).get(self.output, {}), dry=self.choices.dry_run)
        graves = Tombstones(self.settings, self.now, dry=self.choices.dry_run)
        report = self._unchanged(last, known, listing, publisher, graves) if last.get("version") == whole else None
        if report is None:
            try:
                report = self._changed(index, last, known, listing, publisher, graves)
            finally:
                publisher.close()
            index.keep_fact("reading", reading)
        if not self.choices.dry_run:
            index.commit()
        return report

    def _load_rules(self, index: Index) -> None:
        known: Remembered | None = index.fact("dialect")
        self.reading, remembered = load_reading_rules(self.settings, known)
        if remembered != known:
            index.keep_fact("dialect", remembered)

    def _versions(self, index: Index) -> tuple[str, bytes, bytes]:
        known: Code | None = index.fact("code")
        code = code_fingerprint(known)
        if code != known:
            index.keep_fact("code", code)
        choices = self.choices
        return versions(self.settings, self.reading, code, self.templates, drafts=choices.drafts, future=choices.future)

    def _unchanged(
        self, last: Facts, known: dict[str, bytes], listing: Listing, publisher: Publisher, graves: Tombstones
    ) -> Report | None:
        """Return the report of a build with nothing to do, or None when there is something."""
        # Where nothing was known, nothing is listed yet either: an article that is the first of its site is new.
        if not known or known != listing.fingerprints or listing.problems or self._is_due(last["next_change"]):
            return None
        outputs = last["outputs"].get(self.output)
        if not outputs or graves.fingerprint() != last["graves"]:
            return None
        if os.path.exists(os.path.join(self.derived, "running")) or not all(map(publisher.intact, outputs)):
            return None
        problems = tuple(map(unpacked, last["problems"]))
        return Report(articles=last["articles"], feeds=last["feeds"], unchanged=len(outputs), problems=problems)

    def _is_due(self, change: int | None) -> bool:
        """Say whether an article that was of the future is so no more."""
        return change is not None and change <= self.now.timestamp()

    def _changed(
        self,
        index: Index,
        last: Facts,
        known: dict[str, bytes],
        listing: Listing,
        publisher: Publisher,
        graves: Tombstones,
    ) -> Report:
        # A build with nothing to do never comes here, and is spared the import of what follows.
        from feedtool.feeds.metadata import assign_folders, base_url
        from feedtool.publish.outputs import outputs_of
        from feedtool.publish.plan import Assembly

        chosen = self._choose(index, last, listing, known)
        problems = [*listing.problems, *chosen.problems, *generator_problems(self.reading)]
        shelves = chosen.shelves
        if chosen.is_new:  # those chosen by the last build have their places
            assign_folders(shelves, self.settings)
        # What a build with nothing to do need not load.
        kept: Facts = index.fact("before") or {}
        published = self._update_tombstones(chosen, kept, last.get("graves"), publisher, graves, problems)
        rules = page_rules(self.settings, base_url(self.settings), lambda: _moved(shelves))
        settled = {path for path, mark in listing.fingerprints.items() if known.get(path) == mark}
        winners = self._rendered_entries(index, rules, settled, listing)
        lasting = {pick.path for shelf in shelves for pick in shelf.articles}
        picked = sorted(
            lasting.union(*({p.path for p in s.all_articles} for s in shelves), (p.path for p in chosen.paged))
        )
        winners.identify(picked, lasting)
        for path in picked:
            problems.extend(unpacked(row) for row in winners.states[path][6])
        assembled = kept.get("assembled") if last.get("version") == self.version[0] else None
        assembly = Assembly(self.settings, winners, graves.tombstones(), assembled)
        outputs = outputs_of(chosen, assembly, self.settings, rules)
        # Before the feeds: of what was killed between the two, only the feeds would know who died.
        graves.keep()
        self._publish(publisher, outputs, assembly, swept=index.fresh)
        try:
            if not self.choices.dry_run:
                # The disk is at work meanwhile. Nothing of this lasts before `commit`, which comes last.
                index.keep_only_entries({winners.keys[path] for path in lasting})
                index.keep_fact("winners", (winners.version, winners.states))
                if chosen.is_new:
                    index.keep_fact("chosen", (self.version[0], chosen.packed()))
        finally:
            # Whatever becomes of the index, the feeds are whole.
            made = publisher.finish()
        self._forget_running()
        unique = tuple(sorted(set(problems), key=_order))
        feeds = len(shelves) * len(self.settings.feeds.formats)
        if not self.choices.dry_run:
            facts: Facts = {
                # Where the system did not let us read a chosen article, there is something to do the next time.
                "version": self.version[0] if all(winners.keys[path] for path in picked) else "",
                "outputs": {self.output: made},
                "articles": chosen.articles,
                "feeds": feeds,
                "problems": [packed(problem) for problem in unique],
                "next_change": chosen.next_change,
                "graves": graves.fingerprint(),
            }
            index.keep_fact("last", facts)
            everywhere = {**kept.get("published", {}), self.output: published}
            index.keep_fact("before", {"published": everywhere, "assembled": assembly.fingerprints})
        return Report(
            articles=chosen.articles,
            feeds=feeds,
            written=len(publisher.written),
            unchanged=publisher.unchanged,
            removed=len(publisher.removed),
            problems=unique,
        )

    def _update_tombstones(
        self,
        chosen: Chosen,
        kept: Facts,
        known: str | None,
        publisher: Publisher,
        graves: Tombstones,
        problems: list[Problem],
    ) -> Published:
        """Bring the tombstones up to date and return what is published now; a preview publishes nothing.

        `kept` is what the index holds of the last build, `known` the tombstones that it left.
        """
        published: Published | None = kept.get("published", {}).get(self.output)
        # Without the index, or where the site was moved, the feeds published last say themselves what was in them.
        before = publisher.ids() if published is None else published
        if self._is_preview():
            graves.hide(chosen.there)
            return before
        # The state may be another than the one that the last build left: git brings what others did.
        if chosen.is_new or published is None or graves.fingerprint() != known:
            graves.notice(before, chosen.there, lambda path: self._is_gone(path, problems))
        return graves.published(chosen.shelves)

    def _is_preview(self) -> bool:
        """Say whether this run shows what is not meant to be public: then nothing of it counts as published."""
        return self.choices.drafts or self.choices.future

    def _is_gone(self, path: str, problems: list[Problem]) -> bool:
        """Say whether an article was deleted or withdrawn, and is not merely unreadable today."""
        if not path:
            # The feeds that were read for it do not name files: believe it only where every file could be read.
            found = (one for one in problems if one.file.startswith(self.reading.prefix) and one.code != "FT024")
            is_whole = not any(found)
            return is_whole and bool(os.listdir(self.root))
        file = self.reading.prefix + path
        try:
            os.lstat(os.path.join(self.root, path))
        except (FileNotFoundError, NotADirectoryError):
            folders = (one.file for one in problems if one.code == "FT001" and one.file.endswith("/"))
            return not file.startswith(tuple(folders)) and bool(os.listdir(self.root))
        except OSError:
            return False
        # A protected article (FT024) is read and withdrawn; what has any other problem may only be unreadable today.
        return not any(problem.file == file and problem.code != "FT024" for problem in problems)

    def _choose(self, index: Index, last: Facts, listing: Listing, known: dict[str, bytes]) -> Chosen:
        from feedtool.publish.select import chosen_before, new_selection, select, shown_of

        heads = Heads(self.root, self.reading, index, self.mapper)
        now = int(self.now.timestamp())
        new = new_selection(self.settings, drafts=self.choices.drafts, now=now, future=self.choices.future)

        def before() -> Chosen | None:
            version, row = index.fact("chosen") or ("", ())
            if version != self.version[0] or self._is_due(last.get("next_change")):
                return None
            return chosen_before(row, self.settings, lambda ids: shown_of(ids, new(), heads, listing))

        return select(heads, listing, known, new=new, before=before, progress=self.choices.progress)

    def _rendered_entries(
        self, index: Index, rules: PageRules | None, settled: set[str], listing: Listing
    ) -> EntryRenderer:
        from feedtool.feeds.metadata import base_url
        from feedtool.publish.render import EntryRenderer, Rendering

        making = making_rules(self.settings, base_url(self.settings))
        version = blake2b(f"{making!r} {rules!r}".encode(), digest_size=16, key=self.version[2]).digest()
        rendering = Rendering(
            root=self.root,
            reading=self.reading,
            making=making,
            formats=self.settings.feeds.formats,
            pages=rules,
            version=version,
            signer=self.signer,
        )
        known_version, states = index.fact("winners") or (b"", {})
        return EntryRenderer(
            rendering,
            index,
            self.mapper,
            states if known_version == version else {},
            settled=settled,
            given=listing.folder_values_in,
        )

    def _publish(self, publisher: Publisher, outputs: Outputs, assembly: Assembly, *, swept: bool) -> None:
        publisher.claim(outputs)
        running = os.path.join(self.derived, "running")
        if not self.choices.dry_run:
            # Whoever deletes the index deletes the word that a run was killed, too.
            if swept or os.path.lexists(running):
                publisher.sweep()
            storage.write(running, b"feedtool build\n")
        due = {
            path
            for path, plan in outputs.items()
            if not (assembly.is_same(path, plan.fingerprint) and publisher.intact(path))
        }
        assembly.renderer.prepare({article for path in due for article in outputs[path].articles})
        publisher.expect(len(due))
        for done, (path, plan) in enumerate(outputs.items(), 1):
            if path in due:
                publisher.put(path, plan.make())
            else:
                publisher.keep(path)
            if self.choices.progress is not None and not done % 16:
                self.choices.progress("writing", done, len(outputs))

    def _forget_running(self) -> None:
        if not self.choices.dry_run:
            os.unlink(os.path.join(self.derived, "running"))


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _moved(shelves: list[FeedSelection]) -> tuple[tuple[str, str], ...]:
    """Return the categories whose folder is not simply their slug, with that folder's name."""
    from feedtool.slugs import slug

    folders = ((one.name, one.path.partition("/")[2]) for one in shelves if one.kind == "category")
    return tuple((name, folder) for name, folder in folders if folder != slug(name))


def _order(problem: Problem) -> tuple[str, int, int, str, str]:
    return (problem.file, problem.line or 0, problem.column or 0, problem.code, problem.message)


def utc_now() -> datetime:
    """Return the present: the clock of every walk that is not given another."""
    return datetime.now(UTC)


__all__ = ["Choices", "build", "utc_now"]
