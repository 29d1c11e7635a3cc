"""Test that deleted articles stay deleted, renamed sources keep their state, and other entries rewrite no file."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from xml.sax.saxutils import escape

import pytest

from feedtool import storage
from tests.support.ingestworld import NOW, SOURCE, URL, World, counts, entry, index_rows, run
from tests.support.site import make_site, tree, write
from tests.support.site import run as command
from tests.support.visits import HOME, one, visits


@pytest.fixture
def world() -> World:
    stand_in = World()
    stand_in.pages[URL] = [entry(number) for number in range(3)]
    return stand_in


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path, {}, SOURCE)


def churned(number: int, visit: int, **more) -> dict:
    return entry(number, guid=f"{visit}-{number}", **more)


ABSENCES = [
    ("the feed is empty for once", [[]]),
    ("the entry is out of the feed", [[entry(0)], [entry(0), entry(2)]]),
    ("the feed shows others for days", [[entry(n)] for n in range(10, 20)]),
]


@pytest.mark.parametrize("documents", [row[1] for row in ABSENCES], ids=[row[0] for row in ABSENCES])
def test_entry_deleted_while_absent_stays_deleted(site, world, documents):
    full = world.pages[URL]
    run(site, world)
    for visit, document in enumerate(documents):
        world.pages[URL] = document
        run(site, world, force=True, now=NOW + timedelta(hours=visit))
    (site / "articles/Wire/Story-number-1.md").unlink()
    world.pages[URL] = full
    assert counts(run(site, world, force=True))["skipped"] == 1
    assert not (site / "articles/Wire/Story-number-1.md").exists()


def test_deletion_survives_changing_guids(site, world):
    for visit in range(2):
        world.pages[URL] = [churned(number, visit) for number in range(3)]
        run(site, world, force=True)
    world.pages[URL] = [churned(number, 2) for number in range(4)]
    run(site, world, force=True)
    for number in (1, 3):
        (site / f"articles/Wire/Story-number-{number}.md").unlink()
    for visit in range(3, 6):
        world.pages[URL] = [churned(number, visit) for number in range(4)]
        assert counts(run(site, world, force=True)) == {"unchanged": 2, "skipped": 2}


def test_deletion_survives_new_guids_and_shared_links(site, world):
    text = "<p>" + "一二三四五六七八九十百千万亿兆。" * 30 + "</p>"
    for visit in range(4):
        world.pages[URL] = [churned(number, visit, link=HOME, html=text) for number in range(3)]
        run(site, world, force=True)
        if visit == 1:
            (site / "articles/Wire/Story-number-1.md").unlink()
    assert len(tree(site / "articles")) == 2


def test_pruned_article_stays_deleted_with_a_new_guid(site, world):
    run(site, world)
    pruned = command("prune", "-C", str(site), "--keep-last", "1")
    assert pruned.exit_code == 0
    assert len(tree(site / "articles")) == 1
    world.pages[URL] = [churned(number, 1) for number in range(3)]
    assert counts(run(site, world, force=True)) == {"unchanged": 1, "skipped": 2}


def test_renamed_source_keeps_articles_and_state(site, world):
    run(site, world)
    (site / "articles/Wire/Story-number-1.md").unlink()
    run(site, world, force=True)
    for name, before in (("Newswire", "Wire"), ("The Wire", "Newswire")):
        file = site / "feedtool.toml"
        file.write_text(file.read_text().replace(f'name = "{before}"', f'name = "{name}"'))
        report = run(site, world)
        assert report.tallies[0].outcome == "waiting"  # the visit was a moment ago, under the former name
        assert counts(run(site, world, force=True)) == {"unchanged": 2, "skipped": 1}
    world.pages[URL][0]["title"] = "Retitled"
    assert counts(run(site, world, force=True)) == {"unchanged": 1, "updated": 1, "skipped": 1}
    text = (site / "articles/Wire/Story-number-0.md").read_text()
    assert "title: Retitled\n" in text
    assert " The Wire'\n---" in text
    (site / "articles/Wire/Story-number-2.md").unlink()
    assert counts(run(site, world, force=True)) == {"unchanged": 1, "skipped": 2}
    world.pages[URL] = [entry(7)]
    run(site, world, force=True)
    pruned = command("prune", "-C", str(site), "--keep-last", "1", "--source", "The Wire")
    assert pruned.exit_code == 0, pruned.stderr
    world.pages[URL] = [entry(number) for number in range(3)]
    assert counts(run(site, world, force=True))["skipped"] == 3 - len(tree(site / "articles/Wire"))


def test_reused_source_name_is_not_a_rename(site, world):
    run(site, world)
    other = "https://other.example.org/feed"
    world.pages[other] = [entry(5, guid="https://other.example.org/5", link="https://other.example.org/5")]
    write(
        site / "feedtool.toml",
        f'[site]\ntitle = "T"\n[[sources]]\nname = "Wire"\nurl = "{other}"\n'
        f'[[sources]]\nname = "Old wire"\nurl = "{URL}"\n',
    )
    assert counts(run(site, world))["new"] == 1


COLUMNS = [
    ("titles alike", ["Morning report", "Evening report", "Morning reports"]),
    ("one title", ["Today", "Today", "Today", "Today"]),
]


@pytest.mark.parametrize("titles", [row[1] for row in COLUMNS], ids=[row[0] for row in COLUMNS])
def test_same_link_issues_differ_by_date_and_text(site, world, titles):
    documents = [
        [one(number, hours=24 * number, guid="", link=HOME) | {"title": title}] for number, title in enumerate(titles)
    ]
    assert visits(site, world, *documents) == len(titles)


def test_retitled_entry_without_guid_is_one_article(site, world):
    first = one(0, hours=0, guid="", link=HOME)
    documents = [
        [first],
        [{**first, "title": first["title"] + " (updated)", "published": (NOW + timedelta(days=1)).isoformat()}],
    ]
    assert visits(site, world, *documents) == 1


FOOTER = "<p>Made in the newsroom of the Wire.</p>"
LINES = [
    "The harbour bridge opened this morning to thousands of people on foot.",
    "Turnout in the election was high in every district, officials told us.",
    "Chop an onion and fry it slowly with cumin; then add the lentils.",
    "The orchestra has named a conductor, and her debut will be in autumn.",
    "Camera traps caught a pair of wolves near the lower end of the glacier.",
    "A ferry ran aground in fog; all passengers were brought ashore unhurt.",
]


def feed(*numbers: int, footers: int, edited: str = "") -> bytes:
    items = []
    for number in numbers:
        body = f"<p>{edited if edited and number == 0 else LINES[number]}</p>" + (FOOTER if number < footers else "")
        items.append(
            f"<item><guid>urn:x:{number}</guid><link>https://news.example.org/{number}</link><title>Story {number}</title>"
            f"<pubDate>Mon, 23 Nov 2026 0{number}:00:00 GMT</pubDate><description>{escape(body)}</description></item>"
        )
    return f'<rss version="2.0"><channel><title>Wire</title>{"".join(items)}</channel></rss>'.encode()


def test_boilerplate_changes_rewrite_no_file(tmp_path):
    """Boilerplate is text that repeats, so it depends on the feed's other entries, which come and go."""
    write(tmp_path / "feedtool.toml", '[site]\ntitle = "T"\n[[sources]]\nname = "Wire"\nurl = "wire.xml"\n')

    def visit(document: bytes) -> dict:
        write(tmp_path / "wire.xml", document)
        done = command("ingest", "-C", str(tmp_path), "--json")
        assert done.exit_code == 0, done.stderr
        return {name: done.json[name] for name in ("new", "updated", "unchanged")}

    assert visit(feed(0, 1, 2, footers=3)) == {"new": 3, "updated": 0, "unchanged": 0}
    before = tree(tmp_path / "articles")
    assert all(b"Made in the newsroom" in data for data in before.values())
    assert visit(feed(0, 1, 2, 3, 4, 5, footers=6)) == {"new": 3, "updated": 0, "unchanged": 3}
    after = tree(tmp_path / "articles")
    assert {path: after[path] for path in before} == before
    assert sum(b"Made in the newsroom" in data for data in after.values()) == 3
    assert visit(feed(0, 1, 2, footers=3)) == {"new": 0, "updated": 0, "unchanged": 3}
    # An edit by the publisher is followed, and cleaned with the feed as it is now.
    closed = "The bridge was closed again after an hour, since it swayed more than expected."
    assert visit(feed(0, 1, 2, 3, 4, 5, footers=6, edited=closed)) == {
        "new": 0, "updated": 1, "unchanged": 5,
    }  # fmt: skip
    edited = tree(tmp_path / "articles")["Wire/Story-0.md"]
    assert closed.encode() in edited
    assert b"Made in the newsroom" not in edited


def test_new_files_match_their_index_rows(site, world):
    """Otherwise the next run would match against other values."""
    world.pages[URL] += [
        entry(3, title=" Two\n lines: 'it' \ud800", link="https://news.example.org/3?utm_source=x", html="{{ x }}"),
        entry(4, title="", published=None, html="<p>Untitled and undated.</p>", guid=""),
        entry(5, title="Story number 0", link=None),
    ]
    run(site, world)

    noted = index_rows(site)
    assert len(noted) == 6
    (site / ".feedtool/ingest").unlink()
    run(site, world, force=True)
    assert index_rows(site) == noted


def test_full_disk_delays_only_unwritten_articles(site, world, monkeypatch):
    real = storage.write

    def full(path, data, **more):
        if "number-1" in path:
            raise OSError(28, "No space left on device")
        real(path, data, **more)

    monkeypatch.setattr(
        "feedtool.ingesting.writer.storage", SimpleNamespace(write=full, fsync_folders=storage.fsync_folders)
    )
    report = run(site, world)
    assert counts(report) == {"new": 2, "failed": 1}
    assert [one.code for one in report.problems] == ["FT307"]
    monkeypatch.undo()
    assert counts(run(site, world, now=NOW + timedelta(hours=2))) == {"new": 1, "unchanged": 2}
