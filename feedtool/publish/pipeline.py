"""Build a site: bring its output folder up to date, and return a Report.

`_Run.run` holds the steps in their order. A build with nothing to do ends in `_unchanged`, before most modules are imported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feedtool import log, storage
from feedtool.articles import Rules
from feedtool.catalog import index as catalog_index
from feedtool.catalog.environment import Environment, current_environment
from feedtool.catalog.environment import Row as EnvironmentRow
from feedtool.catalog.git import is_tracked
from feedtool.catalog.index import DAMAGE, Index
from feedtool.catalog.signing import Signer, user_signer
from feedtool.config import Settings
from feedtool.dialects import Remembered
from feedtool.digests import blake2b
from feedtool.frozen import Frozen, frozen
from feedtool.models import Problem, Report
from feedtool.protocols import Clock, Mapper

if TYPE_CHECKING:
    from feedtool.feeds.selection import FeedSelection
    from feedtool.publish.plan import Assembly, Outputs
    from feedtool.publish.render import EntryRenderer
    from feedtool.publish.select import SelectionResult
    from feedtool.site import PageRules
from feedtool.catalog.reading_rules import generator_problems, load_reading_rules
from feedtool.publish.heads import Heads, packed, unpacked
from feedtool.publish.places import articles_folder, check_places, output_folder
from feedtool.publish.rules import making_rules, overrides, page_rules, versions
from feedtool.publish.run_log import log_folders, log_outputs
from feedtool.publish.scan import Listing, Place, list_folders
from feedtool.publish.tombstones import Published, Tombstones, is_gone
from feedtool.publish.writer import Publisher, cannot_write

MANY = 20_000
"""The number of articles from which several processes scan the folders in a build that may have nothing to do."""
Facts = dict[str, Any]
"""Values that the index keeps from the last build, by name."""


@frozen
class Choices(Frozen):
    """Options of one run. Only `drafts` and `future` affect the bytes of the output."""

    drafts: bool = False
    future: bool = False
    dry_run: bool = False
    progress: Callable[[str, int, int], None] | None = None


def build(settings: Settings, *, mapper: Mapper, clock: Clock, choices: Choices | None = None) -> Report:
    """Bring the site's output folder up to date and return a report.

    Raise SettingsError, OutputError or LockedError if the build can't start; a bad article is a Problem in the report.
    `clock` is called once; its time hides articles dated in the future and drops old tombstones.
    """
    started = time.perf_counter()
    choices = choices or Choices()
    check_places(settings)
    run = _Run(settings, mapper, clock(), choices)
    with ExitStack() as stack:
        if not choices.dry_run:
            stack.enter_context(catalog_index.lock(run.derived))
        try:
            index = run.open_index()
            stack.callback(index.close)
            try:
                report = run.run(index)
            except DAMAGE as error:
                if catalog_index.is_disk_full(error):
                    raise
                # Only the index is damaged, not the articles: start again with an empty one.
                index.restart()
                report = run.run(index)
        except OSError as error:
            raise cannot_write(error.filename or run.output, error) from None
        except DAMAGE as error:
            # A new index can't be damaged: the disk is full, or the folder is not writable.
            raise catalog_index.unusable_error(run.derived, error) from None
    notes: tuple[str, ...] = ()
    if index.refused or index.rebuilt:
        notes = (f".feedtool/index {index.refused or 'was damaged or of another version; it was made anew'}",)
    details = tuple(filter(None, [run.signer.note()]))
    return replace(report, notes=notes, details=details, seconds=time.perf_counter() - started)


class _Run:
    """One build: its folders, its rules and its steps."""

    def __init__(self, settings: Settings, mapper: Mapper, now: datetime, choices: Choices) -> None:
        self.settings = settings
        self.mapper = mapper
        self.now = now
        self.choices = choices
        self.root = articles_folder(settings)
        self.output = output_folder(settings)
        self.derived = os.path.join(settings.folder, ".feedtool")
        self.reading = Rules()
        self.templates = overrides(settings.folder)
        self.version = ("", b"", b"")
        self.environment = Environment((b"", ""), (b"", (), b"", ""), (b"", {}))
        # A dry run stores nothing and creates no key.
        self.signer = Signer() if choices.dry_run else user_signer()

    def open_index(self) -> Index:
        """Return the index on disk, or an empty one in memory for a dry run."""
        # A dry run takes no lock, so it must not open files that another run may be writing.
        if self.choices.dry_run:
            return Index(None, self.signer)
        return Index(os.path.join(self.derived, "index"), self.signer, tracked=is_tracked(self.derived))

    def run(self, index: Index) -> Report:
        """Build within one transaction of the index."""
        index.begin()
        # First, because zones are loaded with the rules.
        kept: EnvironmentRow | None = index.fact("environment")
        self.environment = current_environment(kept)
        self._load_rules(index)
        self.version = self._versions()
        whole, reading, _ = self.version
        last: Facts = index.fact("last") or {}
        # Fingerprints made under other reading rules are not comparable.
        is_same_reading = index.fact("reading") == reading
        earlier = index.fingerprints() if is_same_reading else {}
        inherits = is_same_reading and self.reading.dialect.inherits
        sections = (index.fact("sections") or {}) if inherits else {}
        place = Place(self.root, self.reading.prefix, reading, time.time_ns(), self.reading.dialect, self.reading.zone)
        many = last.get("articles", 0) >= MANY
        listing = list_folders(place, earlier, self.mapper, many=many, sections=sections)
        log_folders(self.reading.prefix, earlier, listing.fingerprints, is_first=index.fresh)
        publisher = Publisher(self.output, last.get("outputs", {}).get(self.output, {}), dry=self.choices.dry_run)
        tombstones = Tombstones(self.settings, self.now, dry=self.choices.dry_run)
        report = (
            self._unchanged(last, earlier, listing, publisher, tombstones) if last.get("version") == whole else None
        )
        if report is None:
            try:
                report = self._changed(index, last, earlier, listing, publisher, tombstones)
            finally:
                publisher.close()
            index.keep_fact("reading", reading)
        if listing.sections is not None and listing.sections.kept != sections:
            index.keep_fact("sections", listing.sections.kept)
        if not self.choices.dry_run:
            if (row := self.environment.row()) != kept:
                index.keep_fact("environment", row)
            index.commit()
        return report

    def _load_rules(self, index: Index) -> None:
        earlier: Remembered | None = index.fact("dialect")
        self.reading, remembered = load_reading_rules(self.settings, earlier)
        if remembered != earlier:
            index.keep_fact("dialect", remembered)

    def _versions(self) -> tuple[str, bytes, bytes]:
        choices = self.choices
        environment = self.environment.text()
        return versions(
            self.settings, self.reading, environment, self.templates, drafts=choices.drafts, future=choices.future
        )

    def _unchanged(
        self, last: Facts, earlier: dict[str, bytes], listing: Listing, publisher: Publisher, tombstones: Tombstones
    ) -> Report | None:
        """Return the report of a build with nothing to do, or None if there is something to do."""
        # Without earlier fingerprints nothing is listed yet either, so the two would compare as equal.
        if not earlier or earlier != listing.fingerprints or not self._holds(last):
            return None
        # Problems of folders are not part of their fingerprints, neither the earlier ones nor the present ones.
        if listing.problems or last["folder_problems"]:
            return None
        outputs = last["outputs"].get(self.output)
        if not outputs or tombstones.fingerprint() != last["graves"]:
            return None
        if os.path.exists(os.path.join(self.derived, "running")) or not all(map(publisher.is_intact, outputs)):
            return None
        problems = tuple(map(unpacked, last["problems"]))
        return Report(articles=last["articles"], feeds=last["feeds"], unchanged=len(outputs), problems=problems)

    def _holds(self, last: Facts) -> bool:
        """Return True if the last selection is still right now: it holds from the moment at which it was made until an article
        appears or expires. Now may lie before that moment if a clock was wrong."""
        now, change = int(self.now.timestamp()), last["next_change"]
        return bool(last["selected_at"] <= now and (change is None or now < change))

    def _changed(
        self,
        index: Index,
        last: Facts,
        earlier: dict[str, bytes],
        listing: Listing,
        publisher: Publisher,
        tombstones: Tombstones,
    ) -> Report:
        # Imported here, because a build with nothing to do does not need them.
        from feedtool.feeds.metadata import assign_folders, base_url
        from feedtool.publish.outputs import outputs_of
        from feedtool.publish.plan import Assembly

        selected = self._select(index, last, listing, earlier)
        problems = [*listing.problems, *selected.problems, *generator_problems(self.reading)]
        feeds = selected.feeds
        log.info("build", "%d articles selected for %d feeds", selected.articles, len(feeds))
        if selected.is_new:  # a restored selection has its paths already
            assign_folders(feeds, self.settings)
        # A fact of its own, because a build with nothing to do does not need it.
        before: Facts = index.fact("before") or {}
        published = self._update_tombstones(
            selected, before.get("published", {}), last.get("graves"), publisher, tombstones, problems
        )
        rules = page_rules(self.settings, base_url(self.settings), lambda: _moved(feeds))
        unchanged = {path for path, fingerprint in listing.fingerprints.items() if earlier.get(path) == fingerprint}
        renderer = self._renderer(index, rules, unchanged, listing)
        lasting = {article.path for feed in feeds for article in feed.articles}
        archived = (article.path for feed in feeds for article in feed.all_articles)
        paths = sorted(lasting.union(archived, (article.path for article in selected.paged)))
        renderer.identify(paths, lasting)
        for path in paths:
            problems.extend(unpacked(row) for row in renderer.states[path][6])
        assembled = before.get("assembled") if last.get("version") == self.version[0] else None
        assembly = Assembly(self.settings, renderer, tombstones.tombstones(), assembled)
        outputs = outputs_of(selected, assembly, self.settings, rules)
        # The state is written before the feeds. If a run is killed between the two, the next one finds the deleted entries
        # in the old feeds; once these are overwritten, only the state knows of them.
        tombstones.save()
        self._publish(publisher, outputs, assembly, is_fresh=index.fresh)
        try:
            if not self.choices.dry_run:
                # Files are still being written meanwhile. Nothing of this is kept until `commit`, which comes last.
                index.keep_only_entries({renderer.keys[path] for path in lasting})
                index.keep_fact("winners", (renderer.version, renderer.states))
                if selected.is_new:
                    index.keep_fact("chosen", (self.version[0], selected.packed()))
        finally:
            # The feeds are completed even if the index fails.
            states = publisher.finish()
        self._forget_running()
        unique = tuple(sorted(set(problems), key=_order))
        feed_count = len(feeds) * len(self.settings.feeds.formats)
        if not self.choices.dry_run:
            facts: Facts = {
                # If a selected article could not be read for now, the next build has something to do.
                "version": self.version[0] if all(renderer.keys[path] for path in paths) else "",
                "outputs": {self.output: states},
                "articles": selected.articles,
                "feeds": feed_count,
                "problems": [packed(problem) for problem in unique],
                "folder_problems": bool(listing.problems),
                "next_change": selected.next_change,
                "selected_at": int(self.now.timestamp()) if selected.is_new else last["selected_at"],
                "graves": tombstones.fingerprint(),
            }
            index.keep_fact("last", facts)
            everywhere = {**before.get("published", {}), self.output: published}
            index.keep_fact("before", {"published": everywhere, "assembled": assembly.fingerprints})
        return Report(
            articles=selected.articles,
            feeds=feed_count,
            written=len(publisher.written),
            unchanged=publisher.unchanged,
            removed=len(publisher.removed),
            problems=unique,
        )

    def _update_tombstones(
        self,
        selected: SelectionResult,
        earlier: dict[str, Published],
        fingerprint: str | None,
        publisher: Publisher,
        tombstones: Tombstones,
        problems: list[Problem],
    ) -> Published:
        """Bring the tombstones up to date and return what is published now; a preview publishes nothing.

        `earlier` is what earlier builds published, by output folder; `fingerprint` is that of the tombstones after the last
        build.
        """
        published = earlier.get(self.output)
        # Without the index, or after the site was moved, the ids are read from the feeds in the output folder.
        before = publisher.ids() if published is None else published
        if self._is_preview():
            tombstones.hide(selected.published_ids)
            return before
        # The state may have changed since the last build: git pulls tombstones that were written elsewhere.
        if selected.is_new or published is None or tombstones.fingerprint() != fingerprint:
            tombstones.update(
                before, selected.published_ids, lambda path: is_gone(path, self.root, self.reading.prefix, problems)
            )
        return tombstones.published(selected.feeds)

    def _is_preview(self) -> bool:
        """Return True if this run shows drafts or future articles: nothing of it counts as published."""
        return self.choices.drafts or self.choices.future

    def _select(self, index: Index, last: Facts, listing: Listing, earlier: dict[str, bytes]) -> SelectionResult:
        from feedtool.publish.select import new_selection, published_ids_in, select, unpacked_selection

        heads = Heads(self.root, self.reading, index, self.mapper)
        now = int(self.now.timestamp())
        new = new_selection(self.settings, drafts=self.choices.drafts, now=now, future=self.choices.future)

        def restore() -> SelectionResult | None:
            version, row = index.fact("chosen") or ("", ())
            if version != self.version[0] or not last or not self._holds(last):
                return None
            return unpacked_selection(row, self.settings, lambda ids: published_ids_in(ids, new(), heads, listing))

        return select(heads, listing, earlier, new=new, restore=restore, progress=self.choices.progress)

    def _renderer(self, index: Index, rules: PageRules | None, unchanged: set[str], listing: Listing) -> EntryRenderer:
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
            unchanged=unchanged,
            folder_values=listing.folder_values_in,
        )

    def _publish(self, publisher: Publisher, outputs: Outputs, assembly: Assembly, *, is_fresh: bool) -> None:
        publisher.claim(outputs)
        running = os.path.join(self.derived, "running")
        if not self.choices.dry_run:
            # Without the index nothing tells whether an earlier run was killed: the file `running` lies beside it.
            if is_fresh or os.path.lexists(running):
                publisher.remove_leftovers()
            storage.write(running, b"feedtool build\n")
        due = {
            path
            for path, plan in outputs.items()
            if not (assembly.is_same(path, plan.fingerprint) and publisher.is_intact(path))
        }
        log_outputs(outputs, due, assembly)
        assembly.renderer.prepare({article for path in due for article in outputs[path].articles})
        publisher.expect(len(due))
        for done, (path, plan) in enumerate(outputs.items(), 1):
            if path in due:
                publisher.put(path, plan.make())
            else:
                publisher.keep_unchanged(path)
            if self.choices.progress is not None and not done % 16:
                self.choices.progress("writing", done, len(outputs))

    def _forget_running(self) -> None:
        if not self.choices.dry_run:
            os.unlink(os.path.join(self.derived, "running"))


def _moved(feeds: list[FeedSelection]) -> tuple[tuple[str, str], ...]:
    """Return the categories whose folder has another name than their slug, each with that name."""
    from feedtool.slugs import slug

    folders = ((feed.name, feed.path.partition("/")[2]) for feed in feeds if feed.kind == "category")
    return tuple((name, folder) for name, folder in folders if folder != slug(name))


def _order(problem: Problem) -> tuple[str, int, int, str, str]:
    return (problem.file, problem.line or 0, problem.column or 0, problem.code, problem.message)


def utc_now() -> datetime:
    """Return the present time in UTC: the default clock of every command."""
    return datetime.now(UTC)


__all__ = ["Choices", "build", "utc_now"]
