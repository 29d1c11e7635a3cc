"""Every vector in eight places, built and ingested, before a browser: nothing runs, nothing is asked for, nothing would run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hostile_world.detector import WAYS, Finding
from tests.hostile_world.make import numbered, vectors, written
from tests.hostile_world.places import PLACES, site_of
from tests.hostile_world.xss import World, ingested, look, published, world
from tests.server import page

pytestmark = pytest.mark.browser
TRIED = vectors(every=40)
PART = 8


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        assert not os.environ.get("FEEDTOOL_CI"), "chromium is not there, and FEEDTOOL_CI lets nothing be skipped"
        pytest.skip("chromium is not there")
    with world(program) as opened:
        yield opened


def test_there_are_vectors_enough() -> None:
    assert len(TRIED) >= 500
    assert len(PLACES) == 8
    assert len(set(TRIED)) == len(TRIED)


@pytest.mark.fault_class("markup.build")
def test_nothing_of_a_vector_in_an_article_runs(here: World, tmp_path: Path, tally: Callable[[int], None]) -> None:
    output, url, articles = published(here, site_of(tmp_path / "site", TRIED), "built")
    assert articles == len(TRIED)
    assert look(here, output, url, print, every=PART) == []
    tally(len(TRIED) * len(PLACES))


@pytest.mark.fault_class("markup.ingest")
def test_nothing_of_a_vector_in_a_feed_runs(here: World, tmp_path: Path, tally: Callable[[int], None]) -> None:
    site = ingested(here, tmp_path / "site", TRIED, "feeds")
    output, url, articles = published(here, site, "ingested")
    assert articles == len(TRIED)
    assert look(here, output, url, print, every=PART) == []
    tally(len(TRIED) * len(PLACES))


@pytest.mark.fault_class("markup.control")
@pytest.mark.parametrize("how", WAYS)
def test_the_detector_sees_the_same_vectors_when_nobody_cleans_them(
    here: World, how: str, tally: Callable[[int], None]
) -> None:
    raw = numbered(list(written()))[::PART]
    # A few at a time: what one of them sends elsewhere takes the rest of its page with it.
    found = [one for start in range(0, len(raw), 3) for one in here.reader.put(raw[start : start + 3], how)]
    assert {"script", "latent", "request"} <= {one.kind for one in found}
    assert len(found) > len(raw)
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
    ],
)
def test_every_alarm_of_the_detector_rings(here: World, html: str, kind: str) -> None:
    here.sites.set("/bare", page(f"<!DOCTYPE html><body><div class=prose>{html}</div>", type="text/html"))
    assert kind in {one.kind for one in here.site.visit([here.sites.url("/bare")])}


def test_what_the_policy_of_a_page_had_to_stop_is_an_alarm_too(here: World) -> None:
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
    here.sites.set("/strict", page(f"<!DOCTYPE html>{policy}<body><img src=x onerror=1>", type="text/html"))
    assert "blocked" in {one.kind for one in here.site.visit([here.sites.url("/strict")])}


def test_good_markup_raises_no_alarm(here: World) -> None:
    good = "<p>Text <b>bold</b> <a href='https://ok.test/'>link</a> <img src='https://ok.test/x.png' alt=''></p>"
    found: list[Finding] = []
    for how in WAYS:
        found += here.reader.put([good], how)
    assert found == []
