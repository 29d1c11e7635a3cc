"""Test regressions of ingests: huge numbers, full disks, edited settings, and secrets in addresses."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.articles.writer import body_text, merge_file, new_file, stamp_for
from feedtool.cli.main import run as command
from feedtool.errors import OutputError
from feedtool.http.models import Response
from feedtool.ingesting import Parsed
from feedtool.ingesting.lookup import LookupIndex
from feedtool.ingesting.memory import Memory
from feedtool.ingesting.schedule import (
    Health,
    Visit,
    after_failure,
    after_success,
    facts_of,
    health_of,
    without_password,
)
from tests.support.ingestworld import FEED, NOW, SOURCE, URL, World, counts, entry, run
from tests.support.site import make_site

OTHER = "https://other.example.org/feed"
SECOND = f'[[sources]]\nname = "Other"\nurl = "{OTHER}"\n'
LATER = NOW + timedelta(days=2)
HUGE = 10**30
SECRET = "https://someone:pa55word@news.example.org/feed"


@pytest.fixture
def world() -> World:
    stand_in = World()
    stand_in.pages[URL] = [entry(number) for number in range(3)]
    stand_in.pages[OTHER] = [entry(10, link="https://other.example.org/10", guid="ten")]
    return stand_in


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path, {}, SOURCE)


ENCLOSURE = {"url": "https://e.org/a.mp3", "type": "audio/mpeg", "length": "12"}
LISTS = [
    ("categories", ["News", "c1"], ["News", "c2"]),
    ("categories", ["News"], ["News", "c2"]),
    ("categories", ["News", "c1"], []),
    ("categories", ["a b"], ["a", "b"]),
    ("tags", [], ["x", "y z", "it's", "1"]),
    ("enclosures", [ENCLOSURE], [ENCLOSURE, {**ENCLOSURE, "url": "https://e.org/b.mp3"}]),
    ("enclosures", [], [ENCLOSURE]),
]


@pytest.mark.parametrize(("key", "old", "new"), LISTS)
@pytest.mark.parametrize("mode", ["merge", "overwrite"])
def test_changed_list_is_updated(key, old, new, mode):
    body = body_text("<p>Text.</p>")
    before = {"title": "Old", "guid": "g", key: old}
    after = {**before, "title": "New", key: new}
    file = new_file(before, body, stamp_for(before, body, source="s")).encode()
    merged = merge_file(file, after, body, mode=mode)
    assert (merged.changed, merged.kept) == (("title", key), ())
    assert merged.text is not None
    again = merge_file(merged.text.encode(), after, body, mode=mode)
    assert (again.text, again.changed, again.kept) == (None, (), ())


WORDS = st.lists(st.text(st.sampled_from("ab c1'\"#:,-[]\x1f\t"), max_size=6).filter(str.strip), max_size=3)


@given(WORDS, WORDS)
def test_any_list_is_updated_with_its_title(old, new):
    before = {"title": "Old", "guid": "g", "tags": [one.replace("\x1f", " ") for one in old]}
    after = {"title": "New", "guid": "g", "tags": [one.replace("\x1f", " ") for one in new]}
    merged = merge_file(
        new_file(before, "<p>T</p>", stamp_for(before, "<p>T</p>", source="s")).encode(),
        after,
        "<p>T</p>",
        mode="merge",
    )
    assert "title" in merged.changed
    assert not merged.kept


def test_article_with_a_changed_category_is_updated(site, world):
    world.pages[URL] = [entry(1, categories=["c1"])]
    run(site, world)
    world.pages[URL] = [entry(1, categories=["c2"], title="Another title altogether")]
    assert counts(run(site, world, now=LATER)) == {"updated": 1}


@given(st.integers(-HUGE, HUGE), st.integers(-HUGE, HUGE), st.integers(-HUGE, HUGE))
def test_huge_numbers_do_not_overflow(max_age, every, retry_after):
    good = after_success(Health(url=URL), Visit(max_age=max_age, every=every), NOW)
    bad = after_failure(Health(url=URL), "status", "503", NOW, retry_after=retry_after)
    assert NOW < good.next <= NOW + timedelta(days=1)
    assert NOW < bad.next <= NOW + timedelta(days=7)
    assert health_of(json.loads(json.dumps(facts_of(good))), URL) == good


class StumblingWorld(World):
    """A stand-in whose feed at one address causes an error in the step `stumble`."""

    def __init__(self, stumble: str) -> None:
        super().__init__()
        self.stumble = stumble

    def fetch(self, requests):
        for answer in super().fetch(requests):
            if self.stumble == "body" and answer.url == URL:
                yield Response(key=answer.key, url=URL, status=200, body=None)  # type: ignore[arg-type]
            else:
                yield answer

    def parse(self, jobs):
        for parsed in super().parse(jobs):
            if parsed.key != "Wire" or self.stumble == "body":
                yield parsed
            elif self.stumble == "ttl":
                feed = SimpleNamespace(**{**FEED, "ttl": HUGE, "update_period": HUGE})
                yield Parsed(key=parsed.key, feed=feed, entries=parsed.entries)
            else:
                yield Parsed(key=parsed.key, feed=parsed.feed, entries=(None,))  # type: ignore[arg-type]


@pytest.mark.parametrize("stumble", ["body", "ttl", "entry"])
def test_failing_source_does_not_stop_another(tmp_path, world, stumble):
    site = make_site(tmp_path, {}, SOURCE + SECOND)
    odd = StumblingWorld(stumble)
    odd.pages = world.pages
    report = run(site, odd)
    outcomes = {one.source: one.outcome for one in report.tallies}
    assert outcomes == {"Wire": "ingested" if stumble == "ttl" else "failed", "Other": "ingested"}
    assert [one.code for one in report.problems] == ([] if stumble == "ttl" else ["FT304"])
    assert (site / "articles/Other").is_dir()
    again = {one.source: one.outcome for one in run(site, odd, now=NOW + timedelta(minutes=1)).tallies}
    assert again == {"Wire": "waiting", "Other": "waiting"}


def test_site_without_articles_respects_retry_after(site, world):
    world.pages[URL] = {"kind": "status", "message": "503", "retry_after": 5 * 3600}
    run(site, world)
    report = run(site, world, now=NOW + timedelta(hours=4))
    assert ([one.outcome for one in report.tallies], len(world.requests)) == (["waiting"], 1)


def test_all_deleted_articles_are_created_again(site, world):
    run(site, world)
    for path in (site / "articles").rglob("*.md"):
        path.unlink()
    assert counts(run(site, world, now=NOW + timedelta(minutes=1))) == {"new": 3}


def test_changed_settings_refetch_the_whole_feed(site, world):
    run(site, world)
    run(site, world, now=LATER)
    assert world.requests[-1].etag
    settings = site / "feedtool.toml"
    settings.write_text(settings.read_text() + 'tags = ["wire"]\n')
    report = run(site, world, now=LATER + timedelta(days=2))
    assert world.requests[-1].etag is None
    assert counts(report) == {"updated": 3}


def test_state_that_is_a_folder_is_reported(site, world, capsys):
    (site / "feedtool.state").mkdir()
    with pytest.raises(OutputError, match="cannot be read"):
        run(site, world)
    assert command(["status", "-C", str(site)]) == 2
    assert "feedtool.state: cannot be read" in capsys.readouterr().err


def test_folder_in_place_of_the_index_is_replaced(site, world):
    (site / ".feedtool/ingest/folder").mkdir(parents=True)
    assert counts(run(site, world)) == {"new": 3}
    assert (site / ".feedtool/ingest").is_file()


def test_unusable_articles_folder_is_reported(tmp_path, world):
    (tmp_path / "file").write_text("")
    site = make_site(tmp_path, {}, '[articles]\npath = "file/articles"\n' + SOURCE)
    with pytest.raises(OutputError, match="cannot be made"):
        run(site, world)


@pytest.mark.parametrize("target", ["state", "index"])
def test_full_disk_is_reported_as_a_problem(site, world, monkeypatch, target):
    def full(*_):
        if target == "state":
            raise OSError(28, "No space left on device")
        raise sqlite3.OperationalError("database or disk is full")

    if target == "state":
        monkeypatch.setattr(
            "feedtool.ingesting.memory.storage",
            SimpleNamespace(read_or_none=lambda _: None, write=full, remove_leftover=lambda _: None),
        )
    else:
        real = LookupIndex._execute

        def execute(self, query, values=()):
            if query == "COMMIT":
                self._connection = SimpleNamespace(execute=full, in_transaction=True, close=lambda: None)
            return real(self, query, values)

        monkeypatch.setattr(LookupIndex, "_execute", execute)
    report = run(site, world)
    assert [(one.code, one.severity) for one in report.problems] == [("FT307", "error")]
    assert "No space" in report.problems[0].message or "disk is full" in report.problems[0].message
    assert report.total("new") == 3


ADDRESSES = [
    (SECRET, URL),
    ("https://token@a.org", "https://a.org"),
    ("HTTP://a:b@c@d.org/x@y", "HTTP://d.org/x@y"),
    ("https://a.org/@user?to=a@b.org#c@d", "https://a.org/@user?to=a@b.org#c@d"),
    ("feed.xml", "feed.xml"),
]


@pytest.mark.parametrize(("url", "expected"), ADDRESSES)
def test_url_is_shown_without_its_password(url, expected):
    assert without_password(url) == expected


def test_password_stays_in_the_settings_file(tmp_path, world, capsys):
    site = make_site(tmp_path, {}, SOURCE.replace(URL, SECRET))
    world.pages[SECRET] = world.pages[URL]
    run(site, world)
    run(site, world, now=LATER)
    assert [(one.url, bool(one.etag)) for one in world.requests] == [(SECRET, False), (SECRET, True)]
    assert Memory(str(site)).health("Wire", SECRET).url == SECRET
    capsys.readouterr()
    for words in (["status", "--json"], ["status", "-v"], ["opml", "export", "-o", str(site / "out.opml")]):
        assert command([*words, "-C", str(site)]) == 0
    output = capsys.readouterr()
    files = "".join(path.read_text() for path in [*site.glob("articles/**/*.md"), *site.glob("*.[os]*")])
    assert "pa55word" not in output.out + output.err + files
    assert "someone" not in output.out + output.err + files
    assert URL in output.out
    assert URL in files


def test_opml_is_exported_into_the_current_folder(site, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command(["opml", "export", "-C", str(site), "-o", "mine.opml"]) == 0
    assert URL in (tmp_path / "mine.opml").read_text()
    (tmp_path / "folder").mkdir()
    assert command(["opml", "export", "-C", str(site), "-o", "folder"]) == 2
    assert "folder: cannot be written" in capsys.readouterr().err


def test_single_article_is_reported_in_singular(site, capsys):
    item = "<item><guid>a</guid><title>A</title><description>x</description></item>"
    (site / "one.xml").write_text(f"<rss version='2.0'><channel><title>T</title>{item}</channel></rss>")
    assert command(["ingest", "-C", str(site), str(site / "one.xml"), "-j", "0"]) == 0
    assert "1 new article written" in capsys.readouterr().out
