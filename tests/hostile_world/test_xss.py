"""Test in a browser that no vector, built or ingested in eight places, runs, requests anything, or remains as markup that could."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import pytest

from feedtool.models import Problem, Report
from feedtool.preview import Outcome
from feedtool.preview.inject import SHOWN, with_reload
from tests.hostile_world.detector import WAYS, Finding
from tests.hostile_world.make import numbered, vectors, written
from tests.hostile_world.places import PLACES, site_of
from tests.hostile_world.xss import World, ingested, inspect_site, published, world
from tests.support.server import page

pytestmark = pytest.mark.browser
TRIED = vectors(every=40)
PART = 8
# The pages of ingested articles come from the same templates as those of the built site, which are all opened, and their
# texts are in the index page and the feeds, which are opened too. 5 has no factor in common with the 2 kinds of files, the
# 3 feeds and the 4 forms of ids and addresses, so pages of each are opened.
INGESTED_PART = 5


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        assert not os.environ.get("FEEDTOOL_CI"), "chromium is missing, and FEEDTOOL_CI forbids skips"
        pytest.skip("chromium is missing")
    with world(program) as opened:
        yield opened


def test_vector_list_is_long_and_unique() -> None:
    assert len(TRIED) >= 500
    assert len(PLACES) == 8
    assert len(set(TRIED)) == len(TRIED)


@pytest.mark.fault_class("markup.build")
def test_no_article_vector_runs(here: World, tmp_path: Path, tally: Callable[[int], None]) -> None:
    output, url, articles = published(here, site_of(tmp_path / "site", TRIED), "built")
    assert articles == len(TRIED)
    assert inspect_site(here, output, url, print, every=PART) == []
    tally(len(TRIED) * len(PLACES))


@pytest.mark.fault_class("markup.ingest")
def test_no_feed_vector_runs(here: World, tmp_path: Path, tally: Callable[[int], None]) -> None:
    site = ingested(here, tmp_path / "site", TRIED, "feeds")
    output, url, articles = published(here, site, "ingested")
    assert articles == len(TRIED)
    assert inspect_site(here, output, url, print, every=PART, pages=INGESTED_PART) == []
    tally(len(TRIED) * len(PLACES))


@pytest.mark.fault_class("markup.serve")
def test_no_vector_runs_in_the_serve_banner(here: World, tally: Callable[[int], None]) -> None:
    harmless = {(one.kind, one.detail) for one in here.site.visit(_banners(here, ["harmless"] * SHOWN))}
    findings = {(one.kind, one.detail) for one in here.site.visit(_banners(here, TRIED))}
    # Its own script and style are in both.
    assert findings <= harmless
    assert {kind for kind, _ in harmless} == {"script", "latent"}
    tally(len(TRIED))


def _banners(here: World, texts: list[str]) -> list[str]:
    pages = []
    for start in range(0, len(texts), SHOWN):
        problems = tuple(Problem(file=one, code="FT001", message=one, hint=one) for one in texts[start : start + SHOWN])
        shown = f"<!DOCTYPE html><body><p title='{escape(texts[start])}'>Text.</p></body>"
        path = f"/banner/{len(texts)}-{start}"
        here.sites.set(
            path, page(with_reload(shown.encode(), Outcome(report=Report(problems=problems)), "v"), type="text/html")
        )
        pages.append(here.sites.url(path))
    return pages


def test_most_handwritten_vectors_are_detected(here: World) -> None:
    raw = numbered(list(written()))[::8]
    detected = {one.where for one in here.reader.put(raw, "srcdoc") if one.kind == "latent"}
    # The rest is inert in Chromium: forms for other browsers, and markup that only another parser runs.
    assert len([number for number in range(len(raw)) if f"vector {number}" in detected]) > 0.6 * len(raw)


@pytest.mark.fault_class("markup.control")
@pytest.mark.parametrize("how", WAYS)
def test_detector_reports_uncleaned_vectors(here: World, how: str, tally: Callable[[int], None]) -> None:
    raw = numbered(list(written()))[::PART]
    # A few at a time: a vector that navigates away takes the rest of its page with it.
    findings = [one for start in range(0, len(raw), 6) for one in here.reader.put(raw[start : start + 6], how)]
    assert {"script", "latent", "request"} <= {one.kind for one in findings}
    assert len(findings) > len(raw)
    tally(len(raw))


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        ("<script>alert(1)</script>", "dialog"),
        ("<script>1</script>", "script"),
        ("<img src=x onerror=1>", "script"),
        ("<script>console.log('x')</script>", "console"),
        ("<meta http-equiv=refresh content='0;url=https://evil.test/'>", "navigation"),
        ("<img src='https://evil.test/x.png'>", "request"),
        ("<link rel=stylesheet href='https://other.test/x.css'>", "request"),
        ("<iframe src='about:blank'></iframe>", "frame"),
        ("<script>new Worker('data:text/javascript,0')</script>", "target"),
        ("<a href='javascript:1'>x</a>", "latent"),
        ("<p id=content>x</p>", "latent"),
        (
            "<a href='data:application/x-y,0' download id=x>x</a><script>document.getElementById('x').click()</script>",
            "navigation",
        ),
        ("<script>onbeforeunload = (event) => { event.preventDefault(); return 1; }; print()</script>", "script"),
        ("<form action='https://evil.test/'></form><script>document.forms[0].submit()</script>", "navigation"),
        ("<svg><animate attributeName=x dur=1s onbegin=1 /></svg>", "script"),
        ("<style>@import 'https://evil.test/x.css';</style>", "request"),
        ("<video poster='https://evil.test/x.png'></video>", "request"),
        ("<base href='https://evil.test/'>", "latent"),
        ("<p style='color:red'>x</p>", "latent"),
        ("<math><mtext>x</mtext></math>", "latent"),
    ],
)
def test_detector_raises_every_kind_of_alarm(here: World, html: str, kind: str) -> None:
    here.sites.set("/bare", page(f"<!DOCTYPE html><body><div class=prose>{html}</div>", type="text/html"))
    assert kind in {one.kind for one in here.site.visit([here.sites.url("/bare")])}


def test_csp_violation_raises_an_alarm(here: World) -> None:
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
    here.sites.set("/strict", page(f"<!DOCTYPE html>{policy}<body><img src=x onerror=1>", type="text/html"))
    assert "blocked" in {one.kind for one in here.site.visit([here.sites.url("/strict")])}


def test_good_markup_raises_no_alarm(here: World) -> None:
    good = "<p>Text <b>bold</b> <a href='https://ok.test/'>link</a> <img src='https://ok.test/x.png' alt=''></p>"
    findings: list[Finding] = []
    for how in WAYS:
        findings += here.reader.put([good], how)
    assert findings == []


def test_reader_relative_address_raises_an_alarm(here: World) -> None:
    for bad in ("<a href='/logout'>x</a>", "<img src='logout.png'>", "<img srcset='x.png 2x'>"):
        assert {one.kind for one in here.reader.put([bad], "innerHTML")} == {"latent"}
