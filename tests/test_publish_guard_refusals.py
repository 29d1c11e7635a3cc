"""Test that `feedtool check --against` refuses unreadable feeds: only an absent feed counts as unpublished."""

from __future__ import annotations

import errno
import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from feedtool import storage
from feedtool.checking.diff import Compared, compare
from feedtool.checking.diff.folders import in_folder
from feedtool.checking.diff.readers import read_document
from feedtool.config import load_settings
from feedtool.http import Failure, Limits, Request, Response, fetch
from tests.support.server import folder, page, redirect, serve, status, wrong_length
from tests.support.site import ROOT, Result, article, build, environment, make_site, run, stamps, write

ALLOW = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\ntimeout = 5\n'
ATOM = (
    '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:f</id><title>F</title>'
    "<entry><id>tag:example.org,2024-01-02:two</id><title>Two</title>"
    "<updated>2024-01-02T00:00:00Z</updated></entry>"
    "<entry><id>tag:example.org,2024-01-01:one</id><title>One é</title>"
    "<updated>2024-01-01T00:00:00Z</updated></entry></feed>"
)
GUARD_PAGE = b"<!doctype html><html><head><title>Just a moment...</title></head><body>Wait.</body></html>"
NO_FEEDS = {
    "a page": GUARD_PAGE,
    "a login page": b"<html><body><form><input type=password></form></body></html>",
    "a page without a doctype": b"<p>Not here",
    "nothing": b"",
    "blanks": b" \n\t ",
    "a byte order mark": b"\xef\xbb\xbf",
    "an error as JSON": b'{"message": "rate limit", "items": [{"id": "1"}]}',
    "a list as JSON": b"[]",
    "JSON that is torn": b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "a"}, {"i',
    "JSON Feed without items": b'{"version": "https://jsonfeed.org/version/1.1"}',
    "other XML": b'<?xml version="1.0"?><urlset><url><loc>https://a.example/</loc></url></urlset>',
    "a feed of something else": b'<feed xmlns="https://ads.example/ns"><entry><id>1</id></entry></feed>',
    "RDF that is no news": b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><Person/></rdf:RDF>',
    "RSS without a channel": b"<rss version='2.0'/>",
    "a feed torn before its first entry": b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>F',
    "entries that nobody can tell apart": b"<rss><channel><item><title>A</title></item></channel></rss>",
    "another charset than declared": ATOM.encode("latin-1"),
    "bytes that are no text": bytes(range(256)) * 8,
    "a compressed feed": gzip.compress(ATOM.encode(), mtime=0),
    "text": b"404: not found\n",
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a built site with two articles and a category, which tests only copy."""
    articles = {
        "one.md": article("One", date="2024-01-01T00:00:00Z", front="category: News\n"),
        "two.md": article("Two", date="2024-01-02T00:00:00Z"),
    }
    site_folder = make_site(tmp_path_factory.mktemp("origin"), articles, ALLOW)
    assert build(site_folder).exit_code == 0
    return site_folder


@pytest.fixture
def site(origin: Path, tmp_path: Path) -> Path:
    """Return a copy of the built site that a test may change."""
    return shutil.copytree(origin, tmp_path / "site")


def copied(site: Path) -> Path:
    """Return a copy of the site's output as the published one."""
    place = site.parent / "published"
    shutil.copytree(site / "public", place)
    return place


def against(site: Path, place: object, *more: str) -> Result:
    return run("check", "-C", str(site), "--json", "--against", str(place), *more)


def refused(result: Result, path: str) -> bool:
    """Return True if the run was refused because the document at `path` cannot be compared."""
    problems = [
        one for one in result.json["problems"] if one["code"] == "FT405" and one["file"].endswith(f"public/{path}")
    ]
    return (
        result.exit_code == 1 and not result.json["first"] and len(problems) == 1 and problems[0]["severity"] == "error"
    )


@pytest.mark.parametrize("data", NO_FEEDS.values(), ids=NO_FEEDS.keys())
def test_non_feed_in_a_folder_is_refused(site: Path, data: bytes) -> None:
    place = copied(site)
    write(place / "categories/news/atom.xml", data)
    assert refused(against(site, place), "categories/news/atom.xml")
    shutil.rmtree(place)
    write(place / "atom.xml", data)
    assert refused(against(site, place), "atom.xml")
    assert against(site, place, "--accept").exit_code == 0


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml", "feed.json", "feeds.opml", "categories/news/feed.json"])
@pytest.mark.parametrize("data", [b"", GUARD_PAGE, b"{}"], ids=["nothing", "a page", "an object"])
def test_any_non_feed_document_is_refused(site: Path, name: str, data: bytes) -> None:
    place = copied(site)
    write(place / name, data)
    assert refused(against(site, place), name)


@pytest.mark.parametrize(
    "name", ["feed.xml", "index.xml", "rss2.xml", "feeds/all.atom.xml", "blog/feed.rss", "feed/news.xml"]
)
def test_feed_names_of_other_generators_are_checked(site: Path, tmp_path: Path, name: str) -> None:
    write(tmp_path / "old" / name, GUARD_PAGE)
    assert refused(against(site, tmp_path / "old"), name)


def test_non_feed_file_names_are_ignored(site: Path, tmp_path: Path) -> None:
    files = (
        "sitemap.xml",
        "search.json",
        "rss/index.html",
        "feed.html",
        "about-feeds/index.html",
        "feed.css",
        "atom.xml.gz",
    )
    for name in files:
        write(tmp_path / "old" / name, GUARD_PAGE)
    result = against(site, tmp_path / "old")
    assert (result.exit_code, result.json["first"], result.codes()) == (0, True, [])


@pytest.mark.parametrize("name", ["atom.xml", "sitemap.xml", "a/list.json"])
def test_files_without_permission_are_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, *_: object, **__: object) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    write(tmp_path / name, "")
    # Tests may run as root, who can read files of any permissions.
    monkeypatch.setattr(storage, "read", refuse)
    assert [(one.path, one.problem) for one in in_folder(str(tmp_path))] == [
        (name, "it cannot be read: Permission denied")
    ]


def test_folders_without_permission_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "feeds").mkdir()
    real = os.scandir

    def scan(path: str) -> object:
        if path.endswith("feeds"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scan)
    assert [(one.path, one.problem != "") for one in in_folder(str(tmp_path))] == [("feeds", True)]


def test_unreadable_files_are_refused(site: Path, tmp_path: Path) -> None:
    place = copied(site)
    for name in ("atom.xml", "categories/news/rss.xml"):
        (place / name).unlink()
    (place / "atom.xml").symlink_to("nowhere")
    os.mkfifo(place / "categories/news/rss.xml")
    (place / "links.xml").symlink_to("links.xml")
    result = against(site, place)
    assert all(refused(result, name) for name in ("atom.xml", "categories/news/rss.xml", "links.xml"))


def test_truncated_feed_is_compared_with_a_warning(site: Path, tmp_path: Path) -> None:
    place = tmp_path / "published"
    write(place / "atom.xml", ATOM.partition("<entry><id>tag:example.org,2024-01-01")[0] + "<entry><id>tag:exa")
    result = against(site, place)
    assert (result.exit_code, result.codes(), result.json["new"]) == (0, ["FT407"], 1)
    assert against(site, place, "--strict").exit_code == 1
    (site / "articles/two.md").unlink()
    assert build(site).exit_code == 0
    assert against(site, place).codes() == ["FT402", "FT407"]


def test_other_formats_complete_a_truncated_feed(site: Path) -> None:
    place = copied(site)
    text = (place / "atom.xml").read_text("utf-8")
    write(place / "atom.xml", text[: text.rindex("<entry")])
    (site / "articles/one.md").unlink()
    assert build(site).exit_code == 0
    result = against(site, place)
    assert (result.exit_code, sorted(set(result.codes()))) == (1, ["FT402", "FT404", "FT407"])


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + ATOM.encode(),
        b"\n\n" + ATOM.encode(),
        ATOM.replace("utf-8", "utf-16").encode("utf-16"),
        ATOM.replace("utf-8", "iso-8859-1").encode("latin-1"),
        ATOM.replace("One é", "Fish & chips &nbsp; 3 < 4").encode(),
        ATOM.encode().replace(b"<title>F</title>", b"<title>F \x01\x02</title>"),
    ],
    ids=["after a mark", "after blanks", "UTF-16", "Latin-1", "raw signs", "controls"],
)
def test_unusual_but_readable_feeds_are_read(data: bytes) -> None:
    assert [one.id for one in read_document(data).entries] == [
        "tag:example.org,2024-01-02:two",
        "tag:example.org,2024-01-01:one",
    ]


def test_feed_error_keeps_later_references() -> None:
    text = ATOM.replace("<title>F</title>", "<title>F</title><link href=x/>").replace(":one</id>", ":?a=1&amp;b=2</id>")
    document = read_document(text.encode())
    assert document.damage
    assert [one.id for one in document.entries][1:] == ["tag:example.org,2024-01-01:?a=1&b=2"]


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        pytest.param(page(GUARD_PAGE, type="text/html"), "atom.xml", id="page"),
        pytest.param(page(GUARD_PAGE, type="text/html"), "categories/news/atom.xml", id="page of a category"),
        pytest.param(page(b"", type="application/xml"), "feeds.opml", id="nothing"),
        pytest.param(page(b'{"error": "no"}', type="application/json"), "feed.json", id="JSON"),
        pytest.param(page(b'{"error": "no"}', type="application/json"), "feeds.opml", id="JSON for OPML"),
        pytest.param(redirect("/login"), "rss.xml", id="redirect to a login"),
        pytest.param(wrong_length(ATOM.encode()[:200], 5000), "atom.xml", id="cut off"),
        pytest.param(wrong_length(ATOM.encode()[:200], 5000), "feed.json", id="JSON cut off"),
        pytest.param(status(401), "categories/news/atom.xml", id="401"),
        pytest.param(status(403), "rss.xml", id="403"),
        pytest.param(status(429), "feeds.opml", id="429"),
        pytest.param(status(500), "feed.json", id="500"),
        pytest.param(status(503), "atom.xml", id="503"),
    ],
)
def test_non_feed_response_is_refused(site: Path, answer: object, name: str) -> None:
    login = page(b"<input type=password>", type="text/html")
    routes = {"/repo/": folder(str(copied(site))), "/login": login, f"/repo/{name}": answer}
    with serve(routes) as server:  # type: ignore[arg-type]
        assert refused(against(site, server.url("/repo/")), name)


def test_page_for_every_address_is_refused(site: Path) -> None:
    with serve({"/a/": page(GUARD_PAGE, type="text/html")}) as server:
        result = against(site, server.url("/a/"))
    assert (result.exit_code, set(result.codes()), result.json["first"]) == (1, {"FT405"}, False)


def test_feed_list_that_leads_to_pages_is_refused(site: Path) -> None:
    with serve({}) as server:
        assert build(site, "--base-url", server.url("/a/")).exit_code == 0
        server.set("/a/", page(GUARD_PAGE, type="text/html"))
        server.set("/a/feeds.opml", (site / "public/feeds.opml").read_bytes(), type="text/x-opml")
        (site / "articles/one.md").unlink()
        assert build(site, "--base-url", server.url("/a/")).exit_code == 0
        result = against(site, server.url("/a/"))
    assert (result.exit_code, set(result.codes()), result.json["unreadable"]) == (1, {"FT405"}, 4)


@pytest.mark.parametrize("code", [404, 410])
def test_absent_site_is_a_first_publication(site: Path, code: int) -> None:
    with serve({"/a/": status(code)}) as server:
        result = against(site, server.url("/a/"))
    assert (result.exit_code, result.json["first"], result.codes()) == (0, True, [])


def test_refused_connection_is_no_first_publication(site: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = against(site, f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert (result.exit_code, result.codes(), result.json["first"]) == (1, ["FT405"], False)


def test_verdict_names_the_cause(site: Path) -> None:
    place = copied(site)
    write(place / "rss.xml", GUARD_PAGE)
    output = run("check", "-C", str(site), "--against", str(place)).stdout
    assert "the build did not cause this" in output
    (site / "articles/two.md").unlink()
    assert build(site).exit_code == 0
    output = run("check", "-C", str(site), "--against", str(place)).stdout
    assert "the last build is not safe to publish" in output


def looked_up(site: Path, reason: int, place: str = "https://new.example/feeds/") -> Compared:
    """Compare with an address for whose host the resolver raises this error."""

    async def resolve(host: str) -> tuple[str, ...]:
        raise socket.gaierror(reason, "played by the test")

    def fetching(requests: Iterable[Request]) -> Iterator[Response | Failure]:
        return fetch(requests, Limits(), resolve=resolve)

    return compare(load_settings(str(site)), place, fetch=fetching)


def codes(compared: Compared) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in compared.problems]


def test_missing_host_is_a_first_publication(site: Path) -> None:
    before = stamps(site)
    compared = looked_up(site, socket.EAI_NONAME)
    assert (codes(compared), compared.first) == ([("FT408", "warning")], True)
    assert "the host new.example has no address yet" in compared.problems[0].message
    assert stamps(site) == before


@pytest.mark.parametrize("reason", [socket.EAI_AGAIN, socket.EAI_FAIL, getattr(socket, "EAI_NODATA", -5), 0])
def test_resolver_failure_is_refused(site: Path, reason: int) -> None:
    compared = looked_up(site, reason)
    assert (codes(compared), compared.first) == ([("FT405", "error")], False)


def test_lost_host_with_tombstones_is_refused(site: Path) -> None:
    line = {"kind": "tombstone", "key": "tag:example.org,2020-01-01:x", "when": "2026-01-01T00:00:00Z", "feeds": [""]}
    write(site / "feedtool.state", json.dumps(line) + "\n")
    compared = looked_up(site, socket.EAI_NONAME)
    assert (codes(compared), compared.first) == ([("FT405", "error")], False)
    assert "feedtool.state records published entries" in compared.problems[0].message


def test_unreadable_state_is_refused(site: Path) -> None:
    (site / "feedtool.state").mkdir()
    assert codes(looked_up(site, socket.EAI_NONAME)) == [("FT405", "error")]


@pytest.mark.parametrize(
    ("authority", "code"),
    [("old.example", "FT405"), ("new.example", "FT408"), ("example", "FT408"), ("me@old.example", "FT405")],
)
def test_ids_of_another_host_reveal_a_moved_site(site: Path, authority: str, code: str) -> None:
    text = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", text.replace("[site]\n", f'[site]\nauthority = "{authority}"\n'))
    assert [code for code, _ in codes(looked_up(site, socket.EAI_NONAME))] == [code]


def test_page_naming_a_missing_host_is_refused(site: Path) -> None:
    link = b'<!doctype html><link rel="alternate" type="application/atom+xml" href="https://gone.example/atom.xml">'

    async def resolve(host: str) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "played by the test")

    def fetching(requests: Iterable[Request]) -> Iterator[Response | Failure]:
        for request in requests:
            if request.url.startswith("https://gone.example/"):
                yield from fetch([request], Limits(), resolve=resolve)
            elif request.key == "":
                yield Response(key="", url=request.url, status=200, body=link)

    compared = compare(load_settings(str(site)), "https://here.example/", fetch=fetching)
    assert (codes(compared), compared.first) == ([("FT405", "error")], False)


def test_command_accepts_a_new_domain_with_a_warning(site: Path) -> None:
    program = (
        "import socket, sys\n"
        "def unknown(*_, **__): raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')\n"
        "socket.getaddrinfo = unknown\n"
        "from feedtool.cli.main import run\nsys.exit(run(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", program, "check", "-C", str(site), "--against", "https://new.example/"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), cwd=ROOT, check=False)
    assert done.returncode == 0
    assert "warning: nothing could be compared: the host new.example has no address yet;" in done.stderr
    assert done.stdout == "nothing is known to be published at https://new.example/: its host does not exist yet\n"
    strict = subprocess.run(
        [*words, "--strict"], capture_output=True, text=True, env=environment(), cwd=ROOT, check=False
    )
    assert strict.returncode == 1
