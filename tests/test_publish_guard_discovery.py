"""Test that `feedtool check --against` finds published feeds in the places of all generators."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feedtool.checking.diff import folders
from feedtool.checking.diff.addresses import USUAL
from feedtool.checking.diff.documents import feed_files, is_feed_name, may_be_a_feed
from tests.support.server import Behaviour, page, redirect, serve, status
from tests.support.site import Result, article, build, make_site, run, write

ALLOW = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\ntimeout = 5\n'
LINK = "https://example.org/2024/a/"
ATOM = (
    '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><title>Small</title>'
    f'<id>https://example.org/</id><entry><title>A</title><id>urn:old:a</id><link href="{LINK}"/>'
    "<updated>2024-03-05T00:00:00Z</updated></entry></feed>"
)
RSS = (
    '<!-- made by hand --><!DOCTYPE rss><rss version="2.0"><channel><title>Small</title>'
    f"<item><title>A</title><link>{LINK}</link><guid>urn:old:a</guid></item></channel></rss>"
)
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel/>'
    f"<item><title>A</title><link>{LINK}</link></item></rdf:RDF>"
)
JSON = json.dumps(
    {"items": [{"id": "urn:old:a", "url": LINK, "title": "A"}], "version": "https://jsonfeed.org/version/1.1"}
).replace("/", "\\/")
# The files that Hugo, Jekyll, Pelican, Hexo and static exports of others write by default.
LAYOUTS = {
    "hugo": {"index.xml": RSS, "posts/index.xml": RSS, "tags/a/index.xml": RSS, "sitemap.xml": "<urlset/>"},
    "jekyll": {"feed.xml": ATOM, "feed/by_tag/a.xml": ATOM},
    "pelican": {"feeds/all.atom.xml": ATOM, "feeds/a.atom.xml": ATOM, "feeds/all-en.rss.xml": RSS},
    "hexo": {"atom.xml": ATOM, "rss2.xml": RSS},
    "docusaurus": {"blog/atom.xml": ATOM, "blog/rss.xml": RSS, "blog/feed.json": JSON},
    "eleventy": {"feed/feed.xml": ATOM, "feed/feed.json": JSON},
    "wordpress": {"feed/index.html": RSS, "comments/feed/index.html": RSS},
    "wget": {"index.html?feed=rss2": RSS},
    "gatsby": {"rss.xml": RSS, "page-data/index/page-data.json": "{}"},
    "deeper": {"blog/feed.xml": ATOM},
    "dotted": {"feed.rss": RSS},
    "suffixed": {"news.atom": ATOM},
    "rdf": {"index.rdf": RDF},
    "unnamed": {"a/b/c/d/everything.xml": RSS, "list.json": JSON},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a site whose only article has another id in every published feed here; no test changes it."""
    folder = make_site(
        tmp_path_factory.mktemp("site"),
        {"a.md": article("A", date="2024-03-05T00:00:00Z")},
        f'[articles]\npermalink = "/{{year}}/{{slug}}/"\n{ALLOW}',
    )
    assert build(folder).exit_code == 0
    return folder


def against(site: Path, place: object) -> Result:
    return run("check", "-C", str(site), "--json", "--against", str(place))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_feeds_of_generators_are_found_in_a_folder(site: Path, tmp_path: Path, layout: str) -> None:
    for name, text in LAYOUTS[layout].items():
        write(tmp_path / "old" / name, text)
    result = against(site, tmp_path / "old")
    feeds = sum(text in (ATOM, RSS, RDF, JSON) for text in LAYOUTS[layout].values())
    assert (result.exit_code, result.json["feeds"], result.json["first"]) == (1, feeds, False)
    # The RDF item has no guid, so its id is its link, which stays.
    assert result.json["back"] == 1
    assert result.codes().count("FT401") == 1


@pytest.mark.parametrize("name", ["all.atom.xml", "index.xml", "backup of the feed", "feed.json"])
def test_feed_file_may_be_given_directly(site: Path, tmp_path: Path, name: str) -> None:
    write(tmp_path / name, JSON if name.endswith("json") else ATOM)
    result = against(site, tmp_path / name)
    # The address of a single file is unknown, so no feed is reported as missing there.
    assert (result.exit_code, result.codes(), result.json["missing"]) == (1, ["FT401"], 0)


def test_non_feed_file_is_refused(site: Path, tmp_path: Path) -> None:
    write(tmp_path / "page.html", "<!doctype html>")
    assert against(site, tmp_path / "page.html").codes() == ["FT405"]


def test_folder_links_are_followed_once(site: Path, tmp_path: Path) -> None:
    write(tmp_path / "releases/5/feed.xml", ATOM)
    (tmp_path / "releases/5/loop").symlink_to("..", target_is_directory=True)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/current").symlink_to(tmp_path / "releases/5", target_is_directory=True)
    result = against(site, tmp_path / "old")
    assert (result.exit_code, result.json["feeds"], result.json["back"]) == (1, 1, 1)


def test_hidden_folders_and_archives_are_ignored(site: Path, tmp_path: Path) -> None:
    write(tmp_path / "old/.git/feed.xml", ATOM)
    write(tmp_path / "old/archive/1.xml", ATOM)
    assert against(site, tmp_path / "old").json["first"]


@pytest.mark.parametrize("bound", ["MAX_NAMES", "MAX_OPENED"])
def test_too_large_folder_is_refused(tmp_path: Path, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        write(tmp_path / f"{n}.xml", "<a/>")
    monkeypatch.setattr(folders, bound, 3)
    assert list(folders.in_folder(str(tmp_path))) == []
    write(tmp_path / "4.xml", "<a/>")
    assert [one.problem != "" for one in folders.in_folder(str(tmp_path))] == [True]


def test_too_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MAX_BYTES", len(ATOM))
    write(tmp_path / "atom.xml", ATOM)
    assert [one.problem for one in folders.in_folder(str(tmp_path))] == [""]
    write(tmp_path / "atom.xml", ATOM + "\n")
    assert [one.problem for one in folders.in_folder(str(tmp_path))] == ["it cannot be read: File too large"]


@pytest.mark.parametrize(
    "layout", ["hugo", "jekyll", "pelican", "hexo", "docusaurus", "eleventy", "gatsby", "deeper", "dotted", "rdf"]
)
def test_feeds_in_usual_places_are_found_over_http(site: Path, layout: str) -> None:
    routes: dict[str, Behaviour | bytes | str] = {f"/blog-of/{name}": text for name, text in LAYOUTS[layout].items()}
    with serve(routes) as server:
        result = against(site, server.url("/blog-of/"))
        count = len(server.log)
    assert (result.exit_code, result.json["back"], result.json["first"]) == (1, 1, False)
    assert count <= len(USUAL) + 8


@pytest.mark.parametrize("path", USUAL)
def test_every_usual_place_is_requested(site: Path, path: str) -> None:
    with serve({f"/{path}": page(ATOM)}) as server:
        result = against(site, server.url("/"))
    assert (result.exit_code, result.json["back"]) == (1, 1)


@pytest.mark.parametrize("href", ["/news/of-the-day", "daily?type=rss", "{other}a/daily.xml", "../up.xml"])
def test_feeds_named_by_the_page_are_compared(site: Path, href: str) -> None:
    absent = {f"/site/{path}": status(404) for path in (*USUAL, *feed_files(), "feeds.opml")}
    with serve({"/a/daily.xml": ATOM}) as other, serve(absent) as server:
        link = f'<!doctype html><link rel="alternate" type="application/rss+xml" href="{href}">'
        server.set("/site/", page(link.replace("{other}", other.url("/")), type="text/html"))
        for path in ("/news/of-the-day", "/site/daily?type=rss", "/up.xml"):
            server.set(path, ATOM)
        result = against(site, server.url("/site/"))
    # A feed address of another host may not lead to a private host, though the site's own may.
    assert (result.exit_code, result.json["first"]) == (1, False)
    assert result.codes()[0] == ("FT405" if "other" in href else "FT401")


def test_redirected_page_names_its_feeds(site: Path) -> None:
    link = '<!doctype html><link rel="alternate" type="application/rss+xml" href="daily.xml">'
    absent = {f"/{path}": status(404) for path in (*USUAL, *feed_files(), "feeds.opml")}
    with serve(
        {**absent, "/": redirect("/en/"), "/en/": page(link, type="text/html"), "/en/daily.xml": ATOM}
    ) as server:
        result = against(site, server.url("/"))
    assert (result.exit_code, result.json["feeds"], result.json["back"]) == (1, 1, 1)


@pytest.mark.parametrize("place", ["/a/feed.xml", "/a/daily.rss", "/a/feed/", "/a/feed", "/a/daily"])
def test_feed_address_may_be_given_directly(site: Path, place: str) -> None:
    with serve({place: page(ATOM)}) as server:
        result = against(site, server.url(place))
    assert (result.exit_code, result.codes(), result.json["missing"]) == (1, ["FT401"], 0)


def test_opml_of_foreign_feeds_is_ignored(site: Path) -> None:
    text = '<opml version="2.0"><body><outline text="B" xmlUrl="https://blog.example/daily"/></body></opml>'
    with serve({"/feeds.opml": page(text), "/feed.xml": page(ATOM)}) as server:
        result = against(site, server.url("/"))
    assert (result.exit_code, result.json["feeds"], result.json["back"]) == (1, 1, 1)


def test_feed_names_are_distinguished_from_others() -> None:
    sure = [
        *feed_files(),
        "feed.xml",
        "index.xml",
        "rss2.xml",
        "x.atom.xml",
        "x-rss.xml",
        "Feed.RSS",
        "feeds/all.xml",
        "a/rss/x.xml",
    ]
    maybe = ["sitemap.xml", "x.json", "feed", "rss.php", "feed/index.html", "index.html?feed=rss2", "foaf.rdf"]
    never = ["index.html", "feedback.html", "archive/1.xml", "a/archive/12.json", "feed.d/x.html", "x.css"]
    assert all(is_feed_name(path) and may_be_a_feed(path) for path in sure)
    assert not any(is_feed_name(path) for path in maybe)
    assert all(map(may_be_a_feed, maybe))
    assert not any(map(may_be_a_feed, never[:4] + never[5:]))
