"""Test `feedtool check --against`: the effects of a build on subscribers, compared with a folder or over HTTP."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedtool.checking.diff.differences import differences
from feedtool.checking.diff.readers import PublishedEntry, entries_of
from tests.support.server import folder, page, serve, status
from tests.support.site import ROOT, Result, article, build, environment, make_site, run, stamps, write

ALLOW = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\ntimeout = 5\n'
EMPTY = {"missing": 0, "new": 0, "back": 0, "gone": 0, "moved": 0, "updated": 0}
FRESH = article("Fresh", date="2024-01-01T00:00:00Z", front="categories: 金融\n")


def published(tmp_path: Path, settings: str = ALLOW, count: int = 4) -> tuple[Path, Path]:
    """Return a built site and a copy of its output as the published one."""
    articles = {
        f"{n}.md": article(f"Number {n}", date=f"2023-01-{n:02}T00:00:00Z", front="categories: 金融\n")
        for n in range(1, count + 1)
    }
    site = make_site(tmp_path / "site", articles, settings) if (tmp_path / "site").mkdir() is None else tmp_path
    assert build(site).exit_code == 0
    shutil.copytree(site / "public", tmp_path / "published")
    return site, tmp_path / "published"


def against(site: Path, place: Path | str, *more: str) -> Result:
    """Compare the output of a new build of the site with the published one."""
    assert build(site).exit_code == 0
    return run("check", "-C", str(site), "--json", "--against", str(place), *more)


def counts(result: Result, **expected: int) -> bool:
    return {name: result.json[name] for name in EMPTY} == {**EMPTY, **expected}


def test_unchanged_build_passes_and_writes_nothing(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    before = stamps(tmp_path)
    result = run("check", "-C", str(site), "--against", str(place))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "6 published feeds, 0 of them missing; entries: 0 new, 0 back as unread, 0 gone, 0 with another date, 0 updated",
        "the last build is safe to publish: no entry comes back as unread or is lost",
    ]
    assert stamps(tmp_path) == before


def test_the_output_is_not_compared_with_itself(tmp_path: Path) -> None:
    site, _ = published(tmp_path)
    result = run("check", "-C", str(site), "--against", str(site / "public"))
    assert result.exit_code == 2
    assert "is the output folder itself" in result.stderr


def test_new_and_edited_articles_pass(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    write(site / "articles/fresh.md", FRESH)
    text = (site / "articles/2.md").read_text("utf-8")
    write(site / "articles/2.md", text.replace("title: Number 2", "title: Another\nupdated: 2024-02-02T00:00:00Z"))
    result = against(site, place)
    assert (result.exit_code, result.codes()) == (0, [])
    assert counts(result, new=1, updated=1)


def test_changed_id_is_refused(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    text = (site / "articles/2.md").read_text("utf-8")
    write(site / "articles/2.md", text.replace("title:", "guid: urn:x:2\ntitle:"))
    result = against(site, place)
    assert result.exit_code == 1
    assert result.json["problems"] == [
        {
            "file": "public/atom.xml",
            "line": None,
            "column": None,
            "code": "FT401",
            "severity": "error",
            "message": '"Number 2" is published with the id tag:example.org,2023-01-02:2 and would get urn:x:2: '
            "it comes back as unread",
            "hint": "write `guid: tag:example.org,2023-01-02:2` into the article's front matter, "
            "or accept it (`--accept`)",
        }
    ]
    assert counts(result, back=1)


def test_changed_host_without_authority_is_explained(tmp_path: Path) -> None:
    site, place = published(tmp_path, count=15)
    settings = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", settings.replace("example.org", "new.example"))
    result = against(site, place)
    assert result.exit_code == 1
    assert result.json["back"] == 15
    assert [(one["message"], one["hint"]) for one in result.json["problems"]] == [
        (
            "ids of example.org would become ids of new.example: 15 entries would come back as unread",
            'set authority = "example.org" in [site], or accept it (`--accept`)',
        )
    ]
    moved = settings.replace('url = "https://example.org/"', 'url = "https://new.example/"\nauthority = "example.org"')
    write(site / "feedtool.toml", moved)
    assert against(site, place).exit_code == 0


def test_many_changed_ids_are_summarised(tmp_path: Path) -> None:
    site, place = published(tmp_path, count=15)
    for n in range(1, 16):
        text = (site / f"articles/{n}.md").read_text("utf-8")
        write(site / f"articles/{n}.md", text.replace("title:", f"id: urn:x:{n}\ntitle:"))
    result = against(site, place)
    assert (result.exit_code, result.json["back"], result.codes()) == (1, 15, ["FT401"] * 11)
    assert result.json["problems"][0]["message"] == "5 more entries would come back as unread under another id"


def test_vanished_entry_is_refused_unless_it_aged_out(tmp_path: Path) -> None:
    site, place = published(tmp_path, f"{ALLOW}[feeds]\nlimit = 3\narchive = false\n")
    write(site / "articles/fresh.md", FRESH)
    aged = against(site, place)
    assert (aged.exit_code, aged.codes()) == (0, [])
    assert counts(aged, new=1)
    (site / "articles/3.md").unlink()
    result = against(site, place)
    assert (result.exit_code, result.codes()) == (1, ["FT402"])
    assert result.json["problems"][0]["message"].startswith('"Number 3" is published (tag:example.org,2023-01-03:3)')


def test_article_turned_draft_or_unreadable_is_refused(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    text = (site / "articles/2.md").read_text("utf-8")
    write(site / "articles/2.md", text.replace("title:", "draft: true\ntitle:"))
    write(site / "articles/3.md", "---\ntitle: No date\n---\n")
    build(site)
    result = run("check", "-C", str(site), "--json", "--against", str(place))
    assert (result.exit_code, result.codes()) == (1, ["FT402", "FT402"])


def test_changed_date_is_refused(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    text = (site / "articles/2.md").read_text("utf-8")
    write(
        site / "articles/2.md",
        text.replace("title:", "guid: tag:example.org,2023-01-02:2\ntitle:").replace("T00", "T05"),
    )
    result = against(site, place)
    assert (result.exit_code, result.codes()) == (1, ["FT403"])
    assert "date 2023-01-02T00:00:00Z and would get 2023-01-02T05:00:00Z" in result.json["problems"][0]["message"]


def test_changed_timezone_is_named_as_the_cause(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    for n in range(1, 5):
        write(
            site / f"articles/{n}.md", article(f"Number {n}", date=f"2023-01-{n:02} 12:00:00", front=f"id: urn:x:{n}\n")
        )
    assert build(site).exit_code == 0
    shutil.rmtree(place)
    shutil.copytree(site / "public", place)
    settings = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", settings.replace("Asia/Shanghai", "UTC"))
    result = against(site, place)
    assert (result.exit_code, result.codes()) == (1, ["FT403"] * 4)
    assert {one["hint"] for one in result.json["problems"]} == {
        "every date moves by +8 h: check [site] timezone, or accept it (`--accept`)"
    }


def test_changed_date_of_a_foreign_entry_is_a_warning(tmp_path: Path) -> None:
    front = "id: urn:x:1\nsource:\n  title: Wire\n  url: https://wire.example/rss\n"
    (tmp_path / "site").mkdir()
    site = make_site(tmp_path / "site", {"1.md": article("One", front=front), "2.md": article("Two")})
    assert build(site).exit_code == 0
    shutil.copytree(site / "public", tmp_path / "published")
    write(site / "articles/1.md", article("One", date="2022-07-25T20:12:00+08:00", front=front))
    result = against(site, tmp_path / "published")
    assert (result.exit_code, result.codes()) == (0, ["FT403"])
    assert against(site, tmp_path / "published", "--strict").exit_code == 1


def test_removed_feed_is_refused_unless_the_slug_stays(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    for file in (site / "articles").iterdir():
        write(file, file.read_text("utf-8").replace("金融", "Finance"))
    result = against(site, place)
    assert (result.exit_code, result.codes()) == (1, ["FT404"])
    assert result.json["missing"] == 3
    assert result.json["problems"][0]["file"] == "public/categories/金融/atom.xml"
    with (site / "feedtool.toml").open("a", encoding="utf-8") as settings:
        settings.write('[categories.Finance]\nslug = "金融"\n')
    assert against(site, place).exit_code == 0


def test_removed_format_is_reported_once(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    with (site / "feedtool.toml").open("a", encoding="utf-8") as settings:
        settings.write('[feeds]\nformats = ["rss", "json"]\n')
    result = against(site, place)
    assert (result.exit_code, result.codes()) == (1, ["FT404"])
    assert result.json["problems"][0]["message"].startswith("2 published feeds of this format")
    assert counts(result, missing=2)


def test_changed_category_loses_nothing(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    text = (site / "articles/4.md").read_text("utf-8")
    write(site / "articles/4.md", text.replace("金融", "Sport"))
    result = against(site, place)
    assert (result.exit_code, result.codes()) == (0, [])
    assert counts(result)


def test_many_updates_give_a_warning(tmp_path: Path) -> None:
    site, place = published(tmp_path, count=12)
    for file in (site / "articles").iterdir():
        text = file.read_text("utf-8")
        write(file, text.replace("title:", "updated: 2024-01-01T00:00:00Z\ntitle:"))
    result = against(site, place)
    assert (result.exit_code, result.codes()) == (0, ["FT406"])
    assert counts(result, updated=12)


def test_accept_turns_errors_into_warnings(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    (site / "articles/3.md").unlink()
    assert against(site, place).exit_code == 1
    result = against(site, place, "--accept")
    assert (result.exit_code, result.json["ok"], result.json["accepted"]) == (0, True, True)
    assert [one["severity"] for one in result.json["problems"]] == ["warning"]


def test_first_publication_passes_but_a_typo_fails(tmp_path: Path) -> None:
    site, _ = published(tmp_path)
    (tmp_path / "empty").mkdir()
    result = run("check", "-C", str(site), "--against", str(tmp_path / "empty"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "the first publication cannot harm subscribers" in result.stdout
    assert run("check", "-C", str(site), "--against", str(tmp_path / "nowhere")).exit_code == 2
    shutil.rmtree(site / "public")
    unbuilt = run("check", "-C", str(site), "--against", str(tmp_path / "empty"))
    assert unbuilt.exit_code == 2
    assert "run `feedtool build` first" in unbuilt.stderr


@pytest.mark.parametrize(
    "words", [("--accept",), ("-o", "x"), ("--against", "published", "--fix"), ("--against", "https://a.example/?q")]
)
def test_conflicting_options_are_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    site, _ = published(tmp_path)
    assert run("check", "-C", str(site), *words, cwd=tmp_path).exit_code == 2


def test_output_option_and_missing_manifest_work(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    (place / ".feedtool-manifest").unlink()
    (site / "articles/3.md").unlink()
    assert build(site, "-o", str(tmp_path / "elsewhere")).exit_code == 0
    compare = ["check", "-C", str(site), "--json", "--against", str(place)]
    assert run(*compare).json["ok"]
    assert run(*compare, "-o", str(tmp_path / "elsewhere")).codes() == ["FT402"]


def test_only_feed_of_another_generator_is_compared(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    old = (place / "atom.xml").read_text("utf-8").replace("tag:example.org,2023-01-0", "https://example.org/")
    shutil.rmtree(place)
    write(place / "index.xml", old)
    result = against(site, place)
    assert (result.exit_code, sorted(set(result.codes()))) == (1, ["FT401", "FT404"])
    assert counts(result, missing=1, back=4)


def test_opml_over_http_lists_published_feeds(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    with serve({"/repo/": folder(str(place))}) as server:
        assert against(site, server.url("/repo/")).json["feeds"] == 4
        for name in ("2", "3"):
            text = (site / f"articles/{name}.md").read_text("utf-8")
            write(site / f"articles/{name}.md", text.replace("金融", "Finance").replace("title:", "id: urn:x\ntitle:"))
        (site / "articles/3.md").unlink()
        (site / "articles/4.md").unlink()
        (site / "articles/1.md").unlink()
        server.clear()
        result = against(site, server.url("/repo"))
        paths = {entry.path for entry in server.log}
    assert result.exit_code == 1
    assert sorted(result.codes()) == ["FT401", "FT402", "FT402", "FT402", "FT404"]
    assert f"/repo/{quote('categories/金融/atom.xml')}" in paths


def test_missing_site_over_http_is_first_publication(tmp_path: Path) -> None:
    site, _ = published(tmp_path)
    missing = page("<!doctype html><title>Not found</title>", type="text/html")
    with serve({"/soft/": missing}) as server:
        hard = against(site, server.url("/repo/"))
        soft = against(site, server.url("/soft/"))
        accepted = against(site, server.url("/soft/"), "--accept")
    assert (hard.exit_code, hard.json["first"]) == (0, True)
    # A server that answers "not found" with status 200 may also hide a protected feed that way.
    assert (soft.exit_code, soft.json["first"], set(soft.codes())) == (1, False, {"FT405"})
    assert accepted.exit_code == 0


def test_unreadable_site_over_http_is_refused(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    with serve({"/repo/": folder(str(place)), "/repo/atom.xml": status(403)}) as server:
        forbidden = against(site, server.url("/repo/"))
        server.set("/down/", status(500))
        down = against(site, server.url("/down/"))
        accepted = against(site, server.url("/down/"), "--accept")
        settings = (site / "feedtool.toml").read_text("utf-8")
        write(site / "feedtool.toml", settings.replace('allow_private_hosts = ["127.0.0.1"]\n', ""))
        private = against(site, server.url("/repo/"))
    assert (forbidden.exit_code, forbidden.codes()) == (1, ["FT405"])
    assert (down.exit_code, down.codes(), down.json["first"]) == (1, ["FT405"], False)
    assert accepted.exit_code == 0
    assert (private.exit_code, private.codes()) == (1, ["FT405"])


def test_http_page_names_feed_of_another_generator(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    link = '<!doctype html><link rel="alternate" type="application/rss+xml" href="blog/feed.rss">'
    rss = (place / "rss.xml").read_bytes().replace(b"tag:example.org,2023-01-0", b"https://example.org/?p=")
    with serve({"/": page(link, type="text/html"), "/blog/feed.rss": page(rss)}) as server:
        result = against(site, server.url("/"))
    assert (result.exit_code, result.json["feeds"], result.codes()) == (1, 1, [*["FT401"] * 4, "FT404"])


def test_folder_is_compared_without_the_ingest_extra(tmp_path: Path) -> None:
    site, place = published(tmp_path)
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['aiohttp', 'feedparser', 'multidict', 'yarl'])); "
        "from feedtool.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", program, "check", "-C", str(site), "--against"]
    near = subprocess.run([*words, str(place)], capture_output=True, text=True, env=environment(), cwd=ROOT)
    far = subprocess.run([*words, "http://127.0.0.1/"], capture_output=True, text=True, env=environment(), cwd=ROOT)
    assert (near.returncode, near.stderr) == (0, "")
    assert far.returncode == 2
    assert "pip install 'feedtool[ingest]'" in far.stderr


ENTRIES = st.builds(
    lambda n, day: PublishedEntry(f"urn:x:{n}", f"T{n}", f"https://a.example/{n}", day * 86_400, day * 86_400),
    st.integers(0, 10**6),
    st.integers(0, 400),
)
SITE = st.lists(ENTRIES, max_size=40, unique_by=lambda one: one.id)


def newest(site: list[PublishedEntry], window: int) -> list[PublishedEntry]:
    return sorted(site, key=lambda one: (-(one.published or 0), one.id))[:window]


@given(SITE, SITE, st.integers(1, 20))
def test_new_articles_may_displace_old_ones(
    site: list[PublishedEntry], more: list[PublishedEntry], window: int
) -> None:
    ids = {one.id for one in site}
    fresh = [one for one in more if one.id not in ids]
    result = differences(newest(site, window), newest(site + fresh, window), window=window)
    assert (result.back, result.moved, result.gone) == ([], [], [])
    assert result.new <= len(fresh)


@given(SITE.filter(bool), st.integers(1, 20), st.data())
def test_changed_id_or_removed_article_is_always_found(
    site: list[PublishedEntry], window: int, data: st.DataObject
) -> None:
    old = newest(site, window)
    one = data.draw(st.sampled_from(old))
    renamed = newest([entry._replace(id="urn:y") if entry is one else entry for entry in site], window)
    if any(entry.id == "urn:y" for entry in renamed):
        assert differences(old, renamed, window=window).back == [(one, one._replace(id="urn:y"))]
    remaining = newest([entry for entry in site if entry is not one], window)
    removed = differences(old, remaining, window=window).gone
    # If no older article takes its place, an article of the oldest day may also have aged out.
    assert removed == [one] or (len(remaining) == window and one.published == remaining[-1].published)


@pytest.mark.parametrize("data", [b"", b"<html/>", b"{", b"{}", b"[]", b'{"items": 1}', b"\0", b"<", b"text"])
def test_non_feeds_have_no_entries(data: bytes) -> None:
    assert entries_of(data) is None


@example(b"<:")
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for wrapped in (data, b"<rss><item>" + data, b'{"items": [' + data):
        entries = entries_of(wrapped)
        assert entries is None or all(one.id for one in entries)


def test_all_formats_have_equal_entries(tmp_path: Path) -> None:
    _, place = published(tmp_path)
    atom, rss, feed = (entries_of((place / name).read_bytes()) for name in ("atom.xml", "rss.xml", "feed.json"))
    assert atom == rss == feed
    assert len(json.loads((place / "feed.json").read_bytes())["items"]) == len(atom or ())
