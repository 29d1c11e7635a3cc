"""Test which pages a visit fetches, what each failure leaves of an entry, and how it is reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from feedtool.config import Html, SourceSettings
from feedtool.feedparse.clean import CleanEntry
from feedtool.http.models import Failure, Request, Response
from feedtool.ingesting.full_text import MAX_PAGES, MAX_SOURCES, PageFetcher, PendingSource, failures_message, rounds
from feedtool.ingesting.matches import ExistingArticle
from feedtool.ingesting.models import SourceRun, Tally, Tools
from feedtool.ingesting.rules import Rules
from feedtool.ingesting.schedule import Health
from feedtool.ingesting.source_selection import RequestedSource
from feedtool.ingesting.values import Origin
from feedtool.models import SafeHtml

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FEED = "https://s.example/feed"
HTML = Html()


def entry(number: int, **facts: Any) -> CleanEntry:
    given = {
        "guid": f"g{number}",
        "link": f"https://s.example/{number}?q",
        "title": f"T {number}",
        "digest": f"d{number}",
    }
    return CleanEntry(**{**given, "html": SafeHtml("<p>feed</p>"), **facts})


def existing(path: str) -> ExistingArticle:
    return ExistingArticle(path, "g", "", "", "S", 0)


class FakeUpserter:
    """A fake upserter: it returns these entries as new or outdated, and these texts of articles."""

    def __init__(self, outdated: dict[int, tuple[ExistingArticle | None, bool]], texts: dict[str, str]) -> None:
        self.outdated = outdated
        self.calls: list[Any] = []
        self.lookup = SimpleNamespace(text=lambda one: texts.get(one.path, ""))

    def new_or_outdated(self, entries: Any, origin: Any, rules: Any, before: Any) -> Any:
        self.calls.append(([one.digest for one in entries], [one.page for one in entries], before))
        return self.outdated


def source(name: str = "S", *, full_text: bool = True) -> SourceSettings:
    return SourceSettings(name=name, url=FEED, full_text=full_text)


def pending_of(entries: list[CleanEntry], name: str = "S", **rules: Any) -> PendingSource:
    one = SourceRun(RequestedSource(source=source(name), key=name), Health(seen="m n"), Tally(source=name))
    return PendingSource(one, entries, Origin(source=one.requested.source, url=FEED), Rules(**rules))


class World:
    """A fake fetcher, extractor and cleaner: the article of a page is its body; `cleaned` False lets cleaning fail."""

    def __init__(self, answers: dict[str, Any], *, cleaned: bool = True) -> None:
        self.answers = answers
        self.requests: list[Request] = []
        self.jobs: list[Any] = []
        self.cleaned = cleaned

    def fetch(self, requests: Any) -> Iterator[Any]:
        for request in requests:
            self.requests.append(request)
            yield None
            given = self.answers.get(request.url.partition("?")[0], "article")
            if isinstance(given, str):
                yield Response(
                    key=request.key, url=request.url, status=200, body=given.encode(), content_type="text/html",
                    wire_bytes=len(given),
                )  # fmt: skip
            elif "content_type" in given:
                yield Response(key=request.key, url=request.url, status=200, body=b"x", wire_bytes=1, **given)
            else:
                yield Failure(key=request.key, url=request.url.partition("?")[0], **given)

    def extract(self, jobs: Any) -> Iterator[tuple[str, str]]:
        for job in jobs:
            self.jobs.append(job)
            if job is not None:
                yield job.key, job.body.decode()

    def clean_pages(self, jobs: Any) -> Iterator[tuple[str, Any]]:
        for job in jobs:
            self.jobs.append(job)
            done = [
                None if text == "odd" else replace(one, html=SafeHtml(f"<p>{text}</p>")) for one, _, text in job.pages
            ]
            yield job.key, done if self.cleaned else ()


def visit(
    *sources: PendingSource, answers: Any = None, outdated: Any = None, texts: Any = None, cleaned: bool = True
) -> tuple[list[PendingSource], World, FakeUpserter]:
    world = World(answers or {}, cleaned=cleaned)
    chosen = dict.fromkeys(range(9), (None, True)) if outdated is None else outdated
    upserter = FakeUpserter({**chosen}, texts or {})
    tools = Tools(fetch=world.fetch, parse=iter, extract=world.extract, clean_pages=world.clean_pages)  # type: ignore[arg-type]
    pages = PageFetcher(tools, upserter, HTML)  # type: ignore[arg-type]
    for pending in sources:
        upserter.outdated = {number: one for number, one in chosen.items() if number < len(pending.entries)}
        pages.add(pending)
    done = list(pages.run())
    assert pages.sources == {}
    return done, world, upserter


def facts(pending: PendingSource) -> list[tuple[str, str, str]]:
    return [(one.html, one.digest, one.page) for one in pending.entries]


ASKED = ("<p>article</p>", "d0 page", "")
FEEDS = "<p>feed</p>"


def test_page_replaces_the_text_of_an_entry() -> None:
    (pending,), world, upserter = visit(pending_of([entry(0), entry(1)]))
    assert facts(pending) == [ASKED, ("<p>article</p>", "d1 page", "")]
    assert (pending.complete, pending.failures, failures_message(pending), pending.outstanding) == (True, [], "", 0)
    assert pending.run.tally.bytes == 14
    assert world.requests == [
        Request(url=f"https://s.example/{number}?q", key=f"{number} S", home=FEED) for number in (0, 1)
    ]
    assert upserter.calls == [(["d0 page", "d1 page"], ["kept", "kept"], ["m", "n"])]
    page = next(job for job in world.jobs if job is not None)
    assert (page.key, page.body, page.url, page.content_type, page.title, page.source, page.html) == (
        "0 S", b"article", "https://s.example/0?q", "text/html", "T 0", pending.run.requested.source, HTML,
    )  # fmt: skip
    cleaning = world.jobs[-1]
    assert (cleaning.key, cleaning.source, cleaning.html) == ("S", pending.run.requested.source, HTML)
    assert [(one.guid, url, text) for one, url, text in cleaning.pages] == [
        (f"g{number}", f"https://s.example/{number}?q", "article") for number in (0, 1)
    ]
    assert world.jobs[0] is None, "None, for a wait, is passed on"


BUSY = {"kind": "status", "message": "busy", "status": 503}
NO_PAGE = "https://s.example/0: it is not a page but "


@pytest.mark.parametrize(
    ("answer", "page", "failure"),
    [
        ("", "kept", "https://s.example/0: it contains no article"),
        ("odd", "kept", ""),
        ({"content_type": "application/pdf; x=y"}, "kept", f"{NO_PAGE}application/pdf"),
        ({"content_type": " Image/PNG "}, "kept", f"{NO_PAGE}image/png"),
        ({"content_type": "x" * 61}, "kept", NO_PAGE + "x" * 60),
        ({"content_type": "application/XHTML+xml"}, "", ""),
        ({"content_type": ""}, "", ""),
        ({"kind": "status", "message": "it is not there", "status": 404}, "kept", "https://s.example/0: it is not there"),
        ({"kind": "gone", "message": "gone", "status": 410}, "kept", "https://s.example/0: gone"),
        ({"kind": "status", "message": "m", "status": 499}, "kept", "https://s.example/0: m"),
        ({"kind": "status", "message": "m", "status": 500}, "later", "https://s.example/0: m"),
        ({"kind": "status", "message": "m", "status": 408}, "later", "https://s.example/0: m"),
        ({"kind": "status", "message": "m", "status": 425}, "later", "https://s.example/0: m"),
        ({"kind": "status", "message": "m", "status": 429}, "later", "https://s.example/0: m"),
        ({"kind": "timeout", "message": "slow"}, "later", "https://s.example/0: slow"),
        ({"kind": "reset", "message": "broken"}, "later", "https://s.example/0: broken"),
        ({"kind": "private", "message": "no"}, "kept", "https://s.example/0: no"),
        ({"kind": "late", "message": "no time"}, "later", ""),
    ],
)  # fmt: skip
def test_unreadable_page_leaves_the_text_of_the_feed(answer: Any, page: str, failure: str) -> None:
    (pending,), _, _ = visit(pending_of([entry(0)]), answers={"https://s.example/0": answer})
    digest = "d0" if page == "later" else "d0 page"
    html = FEEDS if page else "<p>x</p>"
    assert facts(pending) == [(html, digest, page)]
    assert pending.failures == ([failure] if failure else [])
    assert pending.complete is (page != "later")
    message = f"a page could not be read, so the feed's own text is used: {failure}"
    assert failures_message(pending) == (message if failure else "")


def test_pages_too_large_to_clean_are_reported() -> None:
    done, _, _ = visit(pending_of([entry(0), entry(1)]), cleaned=False)
    (pending,) = done
    assert facts(pending) == [(FEEDS, "d0 page", "kept"), (FEEDS, "d1 page", "kept")]
    assert pending.complete
    reason = "they took too much time or memory to be cleaned"
    assert failures_message(pending) == f"a page could not be read, so the feed's own text is used: {reason}"


def test_first_of_several_failures_is_reported() -> None:
    answers = {f"https://s.example/{number}": {"kind": "gone", "message": words} for number, words in enumerate("ba")}
    (pending,), _, _ = visit(pending_of([entry(0), entry(1)]), answers=answers)
    assert failures_message(pending) == (
        "2 pages could not be read, so the feed's own text is used: https://s.example/0: b"
    )
    # If one page cannot be read, the others are cleaned all the same.
    (pending,), _, _ = visit(pending_of([entry(0), entry(1), entry(2)]), answers={"https://s.example/0": ""})
    assert facts(pending)[0] == (FEEDS, "d0 page", "kept")
    assert [one[0] for one in facts(pending)[1:]] == ["<p>article</p>"] * 2


@pytest.mark.parametrize(
    ("text", "page"),
    [("", ""), ("feed", ""), ("fee!", ""), ("feed!", "kept"), ("x" * 5000, "kept")],
)
def test_shorter_article_follows_the_text_of_the_feed(text: str, page: str) -> None:
    outdated = {0: (existing("a.md"), True)}
    answers = {"https://s.example/0": {"kind": "gone", "message": "m"}}
    (pending,), _, _ = visit(pending_of([entry(0)]), answers=answers, outdated=outdated, texts={"a.md": text})
    assert facts(pending) == [(FEEDS, "d0 page", page)]


def test_long_texts_are_compared_by_their_beginning() -> None:
    outdated = {0: (existing("a.md"), True)}
    answers = {"https://s.example/0": {"kind": "gone", "message": "m"}}
    long = entry(0, html=SafeHtml("x" * 2001))
    (pending,), _, _ = visit(pending_of([long]), answers=answers, outdated=outdated, texts={"a.md": "x" * 2000})
    assert pending.entries[0].page == ""


def test_visit_fetches_twenty_pages_new_entries_first() -> None:
    entries = [entry(number) for number in range(MAX_PAGES + 3)]
    outdated = {number: (existing("a.md") if number < 2 else None, True) for number in range(MAX_PAGES + 3)}
    (pending,), world, _ = visit(pending_of(entries), outdated=outdated)
    assert MAX_PAGES == 20
    assert [request.key for request in world.requests] == [f"{number} S" for number in range(2, 22)]
    later = [number for number, one in enumerate(pending.entries) if one.page == "later"]
    assert (later, pending.complete) == ([0, 1, 22], False)
    assert [pending.entries[number].digest for number in later] == ["d0", "d1", "d22"]


def test_entries_without_a_link_fetch_no_page() -> None:
    entries = [entry(0, link=None), entry(1, link="javascript:x"), entry(2), entry(3), entry(4)]
    outdated: Any = {0: (None, True), 1: (None, True), 2: (None, False), 3: (None, True)}
    (pending,), world, _ = visit(pending_of(entries), outdated=outdated)
    assert [request.key for request in world.requests] == ["3 S"]
    assert [one.page for one in pending.entries] == ["kept", "kept", "kept", "", "kept"]
    assert (pending.complete, pending.failures) == (True, [])


def test_dry_run_fetches_no_page() -> None:
    (pending,), world, _ = visit(pending_of([entry(0)], dry_run=True))
    assert (world.requests, facts(pending), pending.complete) == ([], [(FEEDS, "d0 page", "kept")], True)


def test_sources_are_yielded_when_they_are_finished() -> None:
    none, some, other = (
        pending_of([], "none"),
        pending_of([entry(0)], "some one"),
        pending_of([entry(0), entry(1)], "other"),
    )
    done, world, _ = visit(some, none, other, answers={"https://s.example/1": {"kind": "gone", "message": "m"}})
    assert [pending.run.requested.key for pending in done] == ["none", "some one", "other"]
    assert [facts(pending) for pending in done[1:]] == [[ASKED], [ASKED, (FEEDS, "d1 page", "kept")]]
    assert [request.key for request in world.requests] == ["0 some one", "0 other", "1 other"]


def test_sources_without_a_readable_page_are_yielded() -> None:
    answers = {f"https://s.example/{number}": {"kind": "gone", "message": "m"} for number in range(2)}
    done, _, _ = visit(pending_of([entry(0)], "a"), pending_of([entry(0), entry(1)], "b"), answers=answers)
    assert [(pending.run.requested.key, len(pending.failures)) for pending in done] == [("a", 1), ("b", 2)]


def test_sources_with_pages_form_small_rounds() -> None:
    def waiting(name: str, *, full_text: bool) -> SourceRun:
        requested = RequestedSource(source=source(name, full_text=full_text), key=name)
        return SourceRun(requested, Health(), Tally(source=name))

    plain = [waiting(f"p{number}", full_text=False) for number in range(20)]
    full = [waiting(f"f{number}", full_text=True) for number in range(MAX_SOURCES + 1)]
    mixed = [one for pair in zip(plain, full, strict=False) for one in pair] + plain[17:]
    assert list(rounds(mixed)) == [plain, full[:MAX_SOURCES], full[MAX_SOURCES:]]
    assert list(rounds(full[:MAX_SOURCES])) == [full[:MAX_SOURCES]]
    assert list(rounds([])) == []
    assert MAX_SOURCES == 16
