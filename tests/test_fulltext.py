"""Test `full_text`: extraction of articles from real pages, and visits to a server that request each page once."""

from __future__ import annotations

import html
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from feedtool.config import Html, SourceSettings
from feedtool.extract.fulltext import PageJob, PagesJob, clean_pages, extract
from feedtool.feedparse.clean import CleanEntry
from feedtool.models import SafeHtml
from tests.support.server import page, redirect, reset, serve, status
from tests.support.site import environment, make_site, run, stamps, tree

CASES = sorted((Path(__file__).parent / "fulltext_cases").iterdir())
SOURCE = SourceSettings(name="S", url="https://s.example.org/feed")
SENTENCES = (
    "The bridge number {} has carried the traffic of the town since the year in which it was opened by the mayor.",
    "Its engineers had warned for years that nobody could say how long the piers of bridge {} would hold the load.",
    "上海市今天召开专题会议，要求以快制快处置第{}号桥梁的险情，坚决防止问题反弹，确保市民安全。",
    "A decision about bridge {} is expected before the summer, when the level of the river is low enough to begin.",
)
PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>{0}</title></head><body><nav><a href="/">Home</a></nav>
<article><h1>Story {0}</h1>{1}<script>alert(1)</script><img src="/pictures/{0}.jpg" onerror="x()"></article>
<footer>All rights reserved</footer></body></html>"""


def story(number: int, text: str = "") -> str:
    return PAGE.format(number, "".join(f"<p>{text}{each.format(number)}</p>" for each in SENTENCES))


def feed(server, numbers, *, teaser: str = "What bridge {} will cost.", path: str = "/p") -> str:
    items = "".join(
        f"<item><title>Story {n}</title><link>{server.url(f'{path}/{n}')}</link><guid>g{n}</guid>"
        f"<pubDate>Mon, 25 Jul 2022 12:{n:02}:30 GMT</pubDate><description>{teaser.format(n)}</description></item>"
        for n in numbers
    )
    return f'<rss version="2.0"><channel><title>Wire</title>{items}</channel></rss>'


def site_of(tmp_path, server, more: str = ""):
    allow = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\ntimeout = 2\n'
    source = f'[[sources]]\nname = "Wire"\nurl = "{server.url("/feed")}"\nfull_text = true\n{more}'
    return make_site(tmp_path, {}, allow + source)


def ingest(site, *more: str):
    return run("ingest", "-C", str(site), "--json", *more)


def body(site, number: int) -> str:
    (path,) = (site / "articles").rglob(f"Story-{number}.*")
    return path.read_text()


def asked(server, path: str = "/p/") -> list[str]:
    return [request.path for request in server.log if request.path.startswith(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_extraction_keeps_only_the_article(case):
    expectations = tomllib.loads((case / "says.toml").read_text(encoding="utf-8"))
    job = PageJob(
        key="", body=(case / "page.html").read_bytes(), url="https://x.example.org/a/", source=SOURCE, html=Html()
    )
    extracted = html.unescape(extract(job))
    assert [text for text in expectations["kept"] if text not in extracted] == []
    assert [text for text in expectations["gone"] if text in extracted] == []
    texts = [text for text in expectations["kept"] if len(text) > 20]
    assert [text for text in texts if extracted.count(text) != 1] == []


HOSTILE = {
    "deep": b"<div>" * 20_000 + b"x",
    "links": b"<a href=x>y</a>" * 50_000,
    "nothing": b"",
    "zeros": b"\0" * 1000,
    "tables": b"<table>" * 3000 + b"<td>a",
    "text": b"x" * 2_000_000,
    "lists": b"<ul><li>" * 3000,
    "binary": bytes(range(256)) * 100,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_are_extracted_quickly(name):
    began = time.process_time()
    text = extract(PageJob(key="", body=HOSTILE[name], url="https://x.example.org/", source=SOURCE, html=Html()))
    entry = CleanEntry(html=SafeHtml("<p>a</p>"))
    clean_pages(PagesJob(key="", pages=((entry, "https://x.example.org/", text),), source=SOURCE, html=Html()))
    assert time.process_time() - began < 20  # the environment of a child process


def test_page_texts_are_fetched_once(tmp_path):
    with serve({f"/p/{n}": page(story(n), type="text/html") for n in range(3)}) as server:
        server.set("/feed", feed(server, range(3)))
        site = site_of(tmp_path, server)
        first = ingest(site)
        assert (first.exit_code, first.json["new"], first.json["problems"]) == (0, 3, []), first.stderr
        assert sorted(asked(server)) == ["/p/0", "/p/1", "/p/2"]
        text = body(site, 1)
        assert all(each.format(1) in text for each in SENTENCES)
        assert "summary: 'What bridge 1 will cost.'\n" in text
        assert f"thumbnail: '{server.url('/pictures/1.jpg')}'" in text
        assert not [word for word in ("script", "onerror", "Home", "rights", "<h1>") if word in text]
        before, state = stamps(site / "articles"), (site / "feedtool.state").read_bytes()
        server.clear()
        second = ingest(site, "--force")
        assert (second.json["unchanged"], asked(server)) == (3, [])
        server.set("/feed", feed(server, range(3)).replace("<title>Wire", "<title>Wires"))  # the page is fetched again
        assert ingest(site, "--force").json["unchanged"] == 3
        assert (stamps(site / "articles"), asked(server)) == (before, [])
        assert state.count(b"\n") == (site / "feedtool.state").read_bytes().count(b"\n")


def test_only_changed_pages_are_fetched_again(tmp_path):
    with serve({f"/p/{n}": page(story(n), type="text/html") for n in range(3)}) as server:
        server.set("/feed", feed(server, range(3)))
        site = site_of(tmp_path, server)
        ingest(site)
        (path,) = (site / "articles").rglob("Story-2.*")
        path.write_text(path.read_text().replace("<p>The bridge number 2", "<p>My own words. The bridge number 2"))
        server.clear()
        for n in (1, 2):
            server.set(f"/p/{n}", page(story(n, "Corrected: "), type="text/html"))
        changed = feed(server, range(3)).replace("What bridge 1 will", "All that bridge 1 will")
        server.set("/feed", changed.replace("What bridge 2 will", "All that bridge 2 will"))
        assert ingest(site, "--force").json["updated"] == 1
        assert asked(server) == ["/p/1"]
        assert "Corrected: The bridge" in body(site, 1)
        assert "My own words. The bridge number 2" in body(site, 2)
        assert "Corrected" not in body(site, 2)
        before = tree(site / "articles")
        server.set(
            "/feed", changed.replace("<title>Wire", "<title>Wires").replace("What bridge 2", "All that bridge 2")
        )
        server.clear()
        ingest(site, "--force")
        assert (tree(site / "articles"), asked(server)) == (before, [])


def test_excess_pages_are_fetched_on_later_visits(tmp_path):
    with serve({"/p/": page(story(7), type="text/html")}) as server:
        server.set("/feed", page(feed(server, range(45)), etag="auto"))
        site = site_of(tmp_path, server)
        assert ingest(site).json["new"] == 45
        assert len(asked(server)) == 20
        for count, updated in ((40, 20), (45, 5), (45, 0)):
            done = ingest(site, "--force")
            assert (len(set(asked(server))), done.json["updated"]) == (count, updated)
        assert len(asked(server)) == 45
        assert not [
            path for path in (site / "articles").rglob("Story*") if "bridge 7 is expected" not in path.read_text()
        ]


def test_feed_text_replaces_missing_page_text(tmp_path):
    pages = {
        "/p/0": status(404),
        "/p/1": status(503),
        "/p/2": page(b"%PDF-1.7", type="application/pdf"),
        "/p/3": page("<html><body><p>Please log in.</p></body></html>", type="text/html"),
        "/p/4": redirect("http://169.254.169.254/latest/meta-data/"),
        "/p/5": reset(),
        "/p/6": page(story(6), type="text/html"),
    }
    teaser = "What bridge {} will cost, and who is to pay for it in the end, nobody can say before the summer has come."
    with serve(pages) as server:
        server.set("/feed", feed(server, range(7), teaser=teaser))
        site = site_of(tmp_path, server)
        done = ingest(site)
        assert (done.exit_code, done.json["new"], done.json["failed"]) == (0, 7, 0), done.stderr
        (problem,) = done.json["problems"]
        assert (problem["code"], problem["severity"]) == ("FT309", "warning")
        assert "the feed's own text is used" in problem["message"]
        assert [n for n in range(7) if body(site, n).endswith(f"---\n\n{teaser.format(n)}\n")] == list(range(6))
        server.clear()
        for n in range(6):
            server.set(f"/p/{n}", page(story(n), type="text/html"))
        again = ingest(site, "--force")
        # A page whose text may still improve is fetched again, a final one is not.
        assert (sorted(asked(server)), again.json["updated"]) == (["/p/1", "/p/5"], 2)
        assert "bridge 1 is expected" in body(site, 1)


def test_article_keeps_its_text_if_the_page_is_gone(tmp_path):
    with serve({"/p/1": page(story(1), type="text/html")}) as server:
        server.set("/feed", feed(server, [1]))
        site = site_of(tmp_path, server)
        ingest(site)
        for answer in (status(404), status(503)):
            server.set("/p/1", answer)
            server.set("/feed", feed(server, [1], teaser=f"Bridge {{}} costs more than {len(server.log)}."))
            assert ingest(site, "--force").exit_code == 0
            assert "bridge 1 is expected" in body(site, 1)


def test_source_headers_are_not_sent_to_pages(tmp_path):
    with serve({"/p/1": page(story(1), type="text/html")}) as server:
        server.set("/feed", feed(server, [1]))
        site = site_of(tmp_path, server, 'headers = { X-Token = "secret" }\n')
        ingest(site)
        assert [request.headers.get("x-token") for request in server.log] == ["secret", None]


def test_pages_of_one_host_are_fetched_two_at_a_time(tmp_path):
    with serve({"/p/": page(story(1), type="text/html", delay=0.15)}) as server:
        server.set("/feed", feed(server, range(6)))
        ingest(site_of(tmp_path, server))
        spans = [(request.started, request.ended or 0.0) for request in server.log if request.path != "/feed"]
        assert max(sum(start <= at < end for start, end in spans) for at, _ in spans) <= 2


@pytest.mark.parametrize(
    ("blocked", "words"),
    [
        ("trafilatura", "full_text needs trafilatura, which is not installed; pip install 'feedtool[fulltext]'"),
        ("aiohttp", "this needs aiohttp, which is not installed; pip install 'feedtool[ingest]'"),
        ("feedparser", "this needs feedparser, which is not installed; pip install 'feedtool[ingest]'"),
    ],
)
def test_missing_library_is_named_with_its_extra(tmp_path, blocked, words):
    with serve() as server:
        server.set("/feed", feed(server, [1]))
        site = site_of(tmp_path, server)
        if blocked != "trafilatura":
            (site / "feedtool.toml").write_text((site / "feedtool.toml").read_text().replace("full_text = true", ""))
        before = tree(site / "articles")
        start = f"import sys; sys.modules[{blocked!r}] = None; from feedtool.__main__ import main; sys.exit(main())"
        for arguments in (["ingest"], *([["add", server.url("/feed")]] if blocked != "trafilatura" else [])):
            done = subprocess.run(
                [sys.executable, "-c", start, "-C", str(site), *arguments],
                env=environment(), capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False), done.stderr
            assert words in done.stderr
            assert (tree(site / "articles"), (site / "feedtool.state").exists()) == (before, False)
