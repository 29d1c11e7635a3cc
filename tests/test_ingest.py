"""Test how entries become files that are created, updated and kept, with stand-ins for fetching and parsing."""

from __future__ import annotations

import json
import os
import shutil
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedtool.articles import Rules, read_article
from feedtool.catalog.index import lock
from feedtool.config import load_settings
from feedtool.errors import LockedError, UsageError
from feedtool.http.models import Response
from feedtool.ingesting import Tools, ingest, select_sources
from feedtool.ingesting.prune import Bounds, prune
from tests.support.ingestworld import NOW, SOURCE, URL, World, counts, entry, run
from tests.support.site import make_site, stamps, tree


@pytest.fixture
def world() -> World:
    stand_in = World()
    stand_in.pages[URL] = [entry(number) for number in range(3)]
    return stand_in


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path, {}, SOURCE)


def test_entry_becomes_a_file_in_the_seed_format(site, world):
    world.pages[URL] = [
        entry(
            1,
            title="It's «new»: 一",
            categories=["金融", "News"],
            thumbnail="https://news.example.org/1.png",
            updated=NOW.isoformat(),
            html="<p>Text.</p>",
        )
    ]
    assert counts(run(site, world)) == {"new": 1}
    assert (site / "articles/Wire/It's-«new»-一.md").read_text() == (
        "---\n"
        "title: 'It''s «new»: 一'\n"
        "categories:\n"
        " - News\n"
        " - 金融\n"
        "date: 2026-11-22T18:30:00Z\n"
        "thumbnail: 'https://news.example.org/1.png'\n"
        "link: 'https://news.example.org/1'\n"
        "guid: 'https://news.example.org/1'\n"
        "source:\n"
        "  title: Wire\n"
        "  url: 'https://news.example.org/feed'\n"
        "updated: 2026-11-23T18:30:00Z\n"
        "feedtool: '1 XNIWRTdszsfqSBmofHebsS1dkFyizsfqzsfqzsfqzsfqzsfqC3l7 Wire'\n"
        "---\n\n"
        "<p>Text.</p>\n"
    )


def test_second_run_writes_nothing(site, world):
    run(site, world)
    before, state = stamps(site / "articles"), (site / "feedtool.state").read_bytes()
    assert counts(run(site, world)) == {}
    assert counts(run(site, world, force=True)) == {"unchanged": 3}
    later = NOW + timedelta(hours=2)
    assert counts(run(site, world, now=later)) == {}
    shutil.rmtree(site / ".feedtool")
    assert counts(run(site, world, force=True)) == {"unchanged": 3}
    (site / "feedtool.state").write_bytes(state)
    run(site, world, force=True)
    assert (site / "feedtool.state").read_bytes() == state
    (site / "feedtool.state").unlink()
    assert counts(run(site, world)) == {"unchanged": 3}
    assert stamps(site / "articles") == before


def test_visit_is_conditional_and_waits(site, world):
    run(site, world)
    run(site, world, now=NOW + timedelta(minutes=50))
    assert len(world.requests) == 1
    report = run(site, world, now=NOW + timedelta(minutes=61))
    assert world.requests[1].etag
    assert report.tallies[0].outcome == "unchanged"
    assert world.read == ["Wire"]


def test_unchanged_body_is_not_parsed_again(site, world):
    run(site, world)
    world.fetch = lambda requests, fetch=world.fetch: fetch(
        [type(one)(url=one.url, key=one.key) for one in requests]
    )  # a server without validators
    assert run(site, world, now=NOW + timedelta(days=1)).tallies[0].outcome == "unchanged"
    assert world.read == ["Wire"]


EDITS = [
    # The user's edit, the present upstream values, the expected values in the file, and the expected counts.
    ((), {"title": "New"}, {"title": "New"}, {"updated": 1}),
    (("title: 'Story number 0'", "title: Mine"), {"title": "New"}, {"title": "Mine"}, {"kept": 1}),
    (("title: 'Story number 0'", "title: Mine"), {"html": "<p>B</p>"}, {"title": "Mine", "body": "<p>B</p>"}, {"updated": 1}),
    (("Text of", "My text of"), {"title": "New"}, {"title": "New", "body": "<p>My text of story 0.</p>"}, {"updated": 1}),
    (("Text of", "My text of"), {"html": "<p>B</p>"}, {"body": "<p>My text of story 0.</p>"}, {"kept": 1}),
    ((" - News\n", " - News\n - Mine\n"), {"html": "<p>B</p>"}, {"categories": ("News", "Mine")}, {"updated": 1}),
    (("title: 'Story number 0'", "title: New"), {"title": "New"}, {"title": "New"}, {"unchanged": 1}),
    ((), {"updated": "2026-11-23T19:00:00+00:00"}, {}, {"unchanged": 1}),
    ((), {"published": "2026-11-23T20:00:00+00:00"}, {}, {"unchanged": 1}),
    ((), {"html": "<p>Text of  story\n0.</p>"}, {}, {"unchanged": 1}),
    ((), {"html": ""}, {"body": "<p>Text of story 0.</p>"}, {"unchanged": 1}),
    (("---\n\n", "draft: true\nmy_key: [1,   2] # mine\n---\n\n"), {"html": "<p>B</p>"}, {"draft": True}, {"updated": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "upstream", "expected", "counted"), EDITS)
def test_updates_keep_user_edits(site, world, edit, upstream, expected, counted):
    world.pages[URL] = [entry(0)]
    run(site, world)
    path = site / "articles/Wire/Story-number-0.md"
    if edit:
        assert edit[0] in path.read_text()
        path.write_text(path.read_text().replace(*edit, 1))
    before = path.read_bytes()
    world.pages[URL] = [entry(0, **upstream)]
    assert counts(run(site, world, force=True)) == counted
    if "updated" not in counted and upstream.get("title") != "New":
        assert path.read_bytes() == before
    article, problems = read_article("a.md", path.read_bytes(), Rules())
    assert not problems
    for name, value in expected.items():
        actual = getattr(article, name)
        assert (actual.strip() if name == "body" else actual) == value
    if "my_key" in before.decode():
        assert b"my_key: [1,   2] # mine\n" in path.read_bytes()
    after = stamps(site)
    run(site, world, force=True)
    assert stamps(site / "articles") == {
        name[9:]: stamp for name, stamp in after.items() if name.startswith("articles/")
    }


def test_equal_edit_lets_upstream_update_again(site, world):
    world.pages[URL] = [entry(0, title="Tpyo")]
    run(site, world)
    path = site / "articles/Wire/Tpyo.md"
    path.write_text(path.read_text().replace("Tpyo", "Typo"))
    world.pages[URL] = [entry(0, title="Typo")]
    run(site, world, force=True)
    world.pages[URL] = [entry(0, title="Title")]
    assert counts(run(site, world, force=True)) == {"updated": 1}


@pytest.mark.parametrize(("mode", "title"), [("overwrite", "New"), ("keep", "Mine")])
def test_on_update_keeps_or_overwrites_edits(tmp_path, world, mode, title):
    site = make_site(tmp_path, {}, SOURCE + f'on_update = "{mode}"\n')
    world.pages[URL] = [entry(0)]
    run(site, world)
    path = site / "articles/Wire/Story-number-0.md"
    path.write_text(path.read_text().replace("title: 'Story number 0'", "title: Mine"))
    world.pages[URL] = [entry(0, title="New")]
    assert counts(run(site, world, force=True)) == ({"updated": 1} if mode == "overwrite" else {"kept": 1})
    assert read_article("a.md", path.read_bytes(), Rules())[0].title == title


NOISE = [
    ('<img src="https://i.org/a.jpg?t=1650000000">', '<img src="https://i.org/a.jpg?t=1660000000">', True),
    ('<img src="https://i.org/a.jpg?x=1&amp;token=abc">', '<img src="https://i.org/a.jpg?x=1&amp;token=xyz">', True),
    ("<p>阅读(123)</p>", "<p>阅读(4567)</p>", True),
    ("<p>1,234 views</p>", "<p>1,235 views</p>", True),
    ("<p>It was 3 to 1.</p>", "<p>It was 3 to 2.</p>", False),
    ('<a href="https://v.org/watch?v=abc123">', '<a href="https://v.org/watch?v=xyz123">', False),
    ('<img src="https://i.org/123456789.jpg">', '<img src="https://i.org/123456780.jpg">', False),
]


@pytest.mark.parametrize(("old", "new", "noise"), NOISE)
def test_insignificant_changes_are_no_update(site, world, old, new, noise):
    world.pages[URL] = [entry(0, html=old)]
    run(site, world)
    world.pages[URL] = [entry(0, html=new)]
    assert counts(run(site, world, force=True)) == ({"unchanged": 1} if noise else {"updated": 1})


def test_deleted_article_stays_deleted(site, world):
    run(site, world)
    (site / "articles/Wire/Story-number-1.md").unlink()
    world.pages[URL] = [entry(number) for number in range(4)]
    assert counts(run(site, world, force=True)) == {"new": 1, "unchanged": 2, "skipped": 1}
    shutil.rmtree(site / ".feedtool")
    world.pages[URL] = [entry(9)]
    run(site, world, force=True)
    world.pages[URL] = [entry(number) for number in range(3)]
    assert counts(run(site, world, force=True)) == {"unchanged": 2, "skipped": 1}
    assert not (site / "articles/Wire/Story-number-1.md").exists()


def test_removed_articles_folder_is_filled_again(site, world):
    run(site, world)
    shutil.rmtree(site / "articles")
    assert counts(run(site, world)) == {"new": 3}


def test_moved_file_is_still_the_same_article(site, world):
    run(site, world)
    (site / "articles/elsewhere").mkdir()
    (site / "articles/Wire/Story-number-0.md").rename(site / "articles/elsewhere/mine.md")
    world.pages[URL][0]["title"] = "Retitled"
    assert counts(run(site, world, force=True)) == {"updated": 1, "unchanged": 2}
    assert "Retitled" in (site / "articles/elsewhere/mine.md").read_text()
    assert not (site / "articles/Wire/Retitled.md").exists()


def test_old_article_without_guid_is_not_duplicated(site, world):
    text = "这是一篇很长的文章，讲述了上海市疫情防控工作领导小组召开专题会议的经过，以及会议上提出的各项要求。" * 2
    old = f"---\ntitle: '上海市召开专题会议'\ndate: {entry(1)['published']}\n---\n\n<div><p>　　{text}</p></div>\n"
    (site / "articles/Wire").mkdir()
    (site / "articles/Wire/old.md").write_text(old)
    world.pages[URL] = [entry(1, title="上海市召开专题会议", html=f"<p>{text}</p>")]
    assert counts(run(site, world)) == {"kept": 1}
    assert tree(site / "articles") == {"Wire/old.md": old.encode()}


def test_undated_entries_are_dated_in_feed_order(site, world):
    world.pages[URL] = [entry(number, published=None) for number in range(3)]
    world.pages[URL].append(entry(3, published=(NOW + timedelta(days=30)).isoformat()))
    run(site, world)
    before = tree(site / "articles")
    run(site, world, now=NOW + timedelta(days=3), force=True)
    assert tree(site / "articles") == before
    dates = [read_article("a.md", data, Rules())[0].published for data in before.values()]
    assert dates == sorted(dates, reverse=True)
    assert dates[0] == NOW
    assert all(b"date_guessed: true\n" in data for data in before.values())
    world.pages[URL] = [entry(0)]
    assert counts(run(site, world, now=NOW + timedelta(days=4), force=True)) == {"unchanged": 1}


NAMES = [
    "../../etc/passwd",
    "con",
    "/abs",
    "a" * 400,
    "标" * 300,
    ".hidden",
    "a\0b",
    "x/y",
    "Case",
    "case",
    "CASE",
    "",
    "💣",
    "\ud800",
]


def test_titles_never_escape_or_collide(site, world):
    world.pages[URL] = [entry(number, title=title) for number, title in enumerate(NAMES)]
    assert counts(run(site, world)) == {"new": len(NAMES)}
    names = os.listdir(site / "articles/Wire")
    assert len({name.casefold() for name in names}) == len(NAMES)
    assert all(len(name.encode()) <= 200 and not name.startswith(".") for name in names)
    assert {path.split("/")[0] for path in tree(site)} == {"articles", "feedtool.toml", "feedtool.state", ".feedtool"}
    assert counts(run(site, world, force=True)) == {"unchanged": len(NAMES)}


@pytest.mark.parametrize(
    ("template", "folder"),
    [
        ("{category}/{source}", "News/Wire"),
        ("{source}/{year}/{month}", "Wire/2026/11"),
        ("fixed", "fixed"),
        ("", "Wire"),
    ],
)
def test_folders_follow_their_template(tmp_path, world, template, folder):
    site = make_site(tmp_path, {}, SOURCE + f'folder = "{template}"\n')
    run(site, world)
    assert {os.path.dirname(path) for path in tree(site / "articles")} == {folder}


def test_symlinked_folder_is_not_followed(site, world, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (site / "articles/Wire").symlink_to(outside)
    report = run(site, world)
    assert [problem.code for problem in report.problems] == ["FT307"] * 3
    assert not os.listdir(outside)


@pytest.mark.parametrize("flavour", ["hexo", "jekyll", "plain"])
def test_template_braces_are_escaped(tmp_path, world, flavour):
    site = make_site(tmp_path, {}, SOURCE + f'[articles]\nflavour = "{flavour}"\n')
    world.pages[URL] = [entry(0, html="<p>{{ a }} {% b %} {# c #} {d}</p>")]
    run(site, world)
    (file,) = (site / "articles/Wire").iterdir()
    # Jekyll treats a file as a post only if its name begins with a date.
    assert (file.name == "Story-number-0.md") == (flavour != "jekyll")
    text = file.read_text()
    assert ("{{" in text or "{%" in text or "{#" in text) == (flavour == "plain")
    assert "{d}" in text
    assert ("comments: false\n" in text) == (flavour == "hexo")
    assert counts(run(site, world, force=True)) == {"unchanged": 1}


def test_leading_text_is_not_read_as_markdown(site, world):
    world.pages[URL] = [entry(0, html="1. not a list <b>x</b>")]
    run(site, world)
    assert list(tree(site / "articles")) == ["Wire/Story-number-0.html"]
    world.pages[URL] = [entry(0, html="2. nor this")]
    assert counts(run(site, world, force=True)) == {"updated": 1}
    assert counts(run(site, world, force=True)) == {"unchanged": 1}


def test_limits_take_the_newest_entries_first(site, world):
    world.pages[URL] = [entry(number) for number in (3, 0, 2, 1)]
    assert counts(run(site, world, limit=2)) == {"new": 2, "skipped": 2}
    assert list(tree(site / "articles")) == ["Wire/Story-number-0.md", "Wire/Story-number-1.md"]
    assert counts(run(site, world, since=NOW - timedelta(days=2, hours=1), force=True)) == {
        "new": 1,
        "unchanged": 2,
        "skipped": 1,
    }
    assert counts(run(site, world, now=NOW + timedelta(hours=2))) == {"new": 1, "unchanged": 3}


def test_dry_run_reports_without_writing(site, world):
    before = tree(site)
    report = run(site, world, dry_run=True)
    assert counts(report) == {"new": 3}
    assert "Wire/Story-number-0.md" in report.tallies[0].files
    assert tree(site) == before


FAILURES = [
    ({"kind": "timeout", "message": "no answer in 30 s"}, "FT301", 1),
    ({"kind": "status", "message": "503", "status": 503, "retry_after": 7200}, "FT301", 2),
    ({"kind": "gone", "message": "410 Gone", "status": 410}, "FT302", 1),
    ("no feed", "FT303", 1),
]


@pytest.mark.parametrize(("page", "code", "hours"), FAILURES)
def test_failing_source_affects_only_itself(tmp_path, world, page, code, hours):
    other = SOURCE.replace("Wire", "Other").replace("/feed", "/other")
    site = make_site(tmp_path, {}, SOURCE + other)
    world.pages["https://news.example.org/other"] = page
    report = run(site, world)
    (problem,) = report.problems
    assert (problem.file, problem.line, problem.code) == ("feedtool.toml", 11, code)
    assert problem.message.startswith("Other: ")
    assert counts(report) == {"new": 3}
    assert report.tallies[1].outcome == "failed"
    count = len(world.requests)
    run(site, world, now=NOW + timedelta(hours=hours) - timedelta(seconds=1))
    assert [one.key for one in world.requests[count:]] == ["Wire"]
    count = len(world.requests)
    run(site, world, now=NOW + timedelta(hours=hours))
    assert [one.key for one in world.requests[count:]] == ([] if code == "FT302" else ["Other"])


def test_missing_secret_fails_its_source(tmp_path, world):
    site = make_site(tmp_path, {}, SOURCE + 'headers = { Authorization = "Bearer ${TOKEN}" }\n')
    report = run(site, world)
    assert [problem.code for problem in report.problems] == ["FT306"]
    assert not world.requests
    loaded = load_settings(str(site), environment={})
    tools = Tools(fetch=world.fetch, parse=world.parse, environment={"TOKEN": "hunter2"})
    ingest(loaded, select_sources(loaded, []), tools=tools, clock=lambda: NOW)
    assert world.requests[0].headers == (("Authorization", "Bearer hunter2"),)
    assert not [path for path, data in tree(site).items() if b"hunter2" in data]


def test_address_password_stays_out_of_articles(tmp_path, world):
    address = "https://me:hunter2@news.example.org/feed"
    site = make_site(tmp_path, {}, SOURCE.replace(URL, address))
    world.pages[address] = world.pages[URL]
    run(site, world)
    assert not [path for path, data in tree(site / "articles").items() if b"hunter2" in data]


def test_permanent_redirect_is_followed_on_third_visit(site, world):
    new = "https://new.example.org/feed"
    world.pages[new] = world.pages[URL]

    def fetch(requests):
        for one in World.fetch(world, requests):
            yield Response(key=one.key, url=new, status=one.status, body=one.body, permanent_url=new)

    world.fetch = fetch
    codes = []
    for day in range(5):
        report = run(site, world, now=NOW + timedelta(days=day))
        codes.append([problem.code for problem in report.problems])
    assert codes == [[], [], ["FT305"], [], []]
    assert [one.url for one in world.requests] == [URL, URL, URL, new, new]


def test_article_in_two_sources_is_one_file(tmp_path, world):
    other = SOURCE.replace("Wire", "Other").replace("/feed", "/other")
    site = make_site(tmp_path, {}, SOURCE + other)
    world.pages["https://news.example.org/other"] = [entry(0), entry(7, guid="7"), entry(8, guid="8")]
    world.pages[URL] = [entry(0), entry(9, guid="7")]
    assert counts(run(site, world)) == {"new": 4, "skipped": 1}
    assert counts(run(site, world, force=True)) == {"unchanged": 4, "skipped": 1}
    ids = [read_article("a.md", data, Rules())[0].id for data in tree(site / "articles").values()]
    assert len(set(ids)) == 4


def test_arguments_select_sources_and_files(tmp_path, site, world, monkeypatch):
    loaded = load_settings(str(site), environment={})
    (tmp_path / "saved.xml").write_text(json.dumps([entry(0)]))
    monkeypatch.chdir(tmp_path)
    for names, keys in (([], ["Wire"]), (["Wire"], ["Wire"]), ([URL], ["Wire"]), (["saved.xml"], ["file:saved"])):
        assert [one.key for one in select_sources(loaded, names)] == keys
    with pytest.raises(UsageError, match="did you mean Wire"):
        select_sources(loaded, ["wier"])
    with pytest.raises(UsageError, match="feedtool add"):
        select_sources(loaded, ["https://example.org/other"])
    (source,) = select_sources(loaded, ["saved.xml"], categories=("A", "B"))
    tools = Tools(fetch=world.fetch, parse=world.parse)
    for expected in ({"new": 1}, {}):
        report = ingest(loaded, [source], tools=tools, clock=lambda: NOW)
        assert counts(report) == expected
    assert not world.requests
    (data,) = tree(site / "articles").values()
    assert read_article("a.md", data, Rules())[0].categories == ("A", "B")


def test_source_may_be_a_file_of_the_site(tmp_path, world):
    site = make_site(tmp_path, {}, SOURCE.replace(URL, "in/saved.json"))
    assert [problem.code for problem in run(site, world).problems] == ["FT308"]
    (site / "in").mkdir()
    (site / "in/saved.json").write_text(json.dumps([entry(0)]))
    assert counts(run(site, world)) == {"new": 1}
    before = tree(site)
    report = run(site, world, now=NOW + timedelta(days=1))
    assert report.tallies[0].outcome == "unchanged"
    assert {path for path, data in tree(site).items() if before.get(path) != data and path[0] != "."} == set()


def test_kill_before_saving_state_duplicates_nothing(site, world):
    class Killed(BaseException):
        pass

    def dies(name, done, total):
        raise Killed

    with pytest.raises(Killed):
        run(site, world, progress=dies)
    (site / "feedtool.state").unlink(missing_ok=True)
    shutil.rmtree(site / ".feedtool")
    before = stamps(site / "articles")
    assert counts(run(site, world)) == {"unchanged": 3}
    assert stamps(site / "articles") == before


def test_concurrent_runs_are_refused(site, world):
    with lock(str(site / ".feedtool")), pytest.raises(LockedError):
        run(site, world)


def test_damaged_index_is_rebuilt(site, world):
    run(site, world)
    for damage in (b"", b"no database", os.urandom(5000)):
        (site / ".feedtool/ingest").write_bytes(damage)
        for extra in ("-wal", "-shm"):
            (site / f".feedtool/ingest{extra}").unlink(missing_ok=True)
        assert counts(run(site, world, force=True)) == {"unchanged": 3}


def test_prune_keeps_edited_and_handwritten_articles(site, world):
    run(site, world)
    (site / "articles/mine.md").write_text("---\ntitle: Mine\ndate: 2001-01-01\n---\n\nOld.\n")
    edited = site / "articles/Wire/Story-number-2.md"
    edited.write_text(edited.read_text().replace("Text of", "My text of"))
    loaded = load_settings(str(site), environment={})
    would = prune(loaded, Bounds(keep=1), now=NOW, dry_run=True)
    assert would == prune(loaded, Bounds(keep=1), now=NOW) == ("Wire/Story-number-1.md",)
    assert sorted(tree(site / "articles")) == ["Wire/Story-number-0.md", "Wire/Story-number-2.md", "mine.md"]
    shutil.rmtree(site / ".feedtool")
    assert counts(run(site, world, force=True)) == {"unchanged": 2, "skipped": 1}
    assert prune(loaded, Bounds(days=365), now=NOW + timedelta(days=400)) == ("Wire/Story-number-0.md",)


texts = st.text(max_size=30)
hostile = st.fixed_dictionaries(
    {},
    optional={
        "guid": texts, "link": texts, "title": texts, "html": texts.map("<p>{}</p>".format), "summary": texts,
        "categories": st.lists(texts, max_size=3), "thumbnail": texts, "language": texts, "rights": texts,
    },
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(hostile, max_size=5))
def test_any_entry_reads_back_and_stays_unchanged(tmp_path_factory, listed):
    world = World()
    world.pages[URL] = listed
    site = make_site(tmp_path_factory.mktemp("site"), {}, SOURCE)
    report = run(site, world)
    articles = tree(site / "articles")
    assert len(articles) == report.total("new")
    for path, data in articles.items():
        article, problems = read_article(path, data, Rules())
        assert article is not None, problems
        assert not [problem for problem in problems if problem.code not in ("FT019", "FT017")]
    again = run(site, world, force=True)
    assert not again.total("new") + again.total("updated") + again.total("failed")
    assert tree(site / "articles") == articles
