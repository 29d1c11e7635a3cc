"""Test `feedtool ingest` and `feedtool add` as processes against a real server on loopback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.server import hang_midway, page, redirect, serve, status
from tests.support.site import SETTINGS, command, environment, make_site, run, tree
from tests.support.wire import ALLOW, rss


def sources(server, *paths: str) -> str:
    tables = (f'[[sources]]\nname = "{path}"\nurl = "{server.url("/" + path)}"\ncategories = ["C"]\n' for path in paths)
    return ALLOW + "".join(tables)


def ingest(site: Path, *more: str):
    return run("ingest", "-C", str(site), "--json", *more)


def test_run_mixes_good_and_bad_sources(tmp_path):
    pages = {
        "/good": page(rss(1, 2), etag="auto"),
        "/gone": status(410),
        "/busy": status(503, headers=[("Retry-After", "7200")]),
        "/login": "<!doctype html><html><body><form><input type=password></form></body></html>",
        "/slow": hang_midway(),
        "/moved": redirect("/good2", 301),
        "/good2": page(rss(3)),
    }
    with serve(pages) as server:
        site = make_site(tmp_path, {}, sources(server, "good", "gone", "busy", "login", "slow", "moved"))
        first = ingest(site)
        assert first.exit_code == 1
        outcomes = {one["source"]: one["outcome"] for one in first.json["sources"]}
        assert outcomes == {"good": "ingested", "moved": "ingested"} | dict.fromkeys(
            ["gone", "busy", "login", "slow"], "failed"
        )
        assert sorted(problem["code"] for problem in first.json["problems"]) == ["FT301", "FT301", "FT302", "FT303"]
        assert first.json["new"] == 3
        assert (
            max(one["ms"] for one in first.json["sources"]) <= first.json["ms"] == round(first.json["seconds"] * 1000)
        )
        text = (site / "articles/good/新闻-1-&-more.md").read_text()
        assert "script" not in text
        assert "onclick" not in text
        assert "link: 'https://news.example.org/1'\nguid: news1\n" in text
        before = tree(site)
        second = ingest(site)
        assert (second.exit_code, second.json["new"]) == (0, 0)  # nothing is due, and one source is muted
        assert {path for path, data in tree(site).items() if before.get(path) != data and path[0] != "."} == set()
        count = len(server.log)
        third = ingest(site, "good", "--force")
        assert (third.exit_code, third.json["unchanged"], len(server.log)) == (0, 2, count + 1)
        assert run("status", "-C", str(site)).exit_code == 1


def test_header_secret_is_sent_but_never_printed(tmp_path):
    with serve({"/a": page(rss(1)), "/b": status(403)}) as server:
        text = sources(server, "a", "b").replace(
            "categories", 'headers = { "X-Token" = "t=${FEED_TOKEN}" }\ncategories'
        )
        site = make_site(tmp_path, {}, text)
        done = run("ingest", "-C", str(site), "-v", env={"FEED_TOKEN": "hunter2"})
        assert done.exit_code == 1
        assert {request.headers["x-token"] for request in server.log} == {"t=hunter2"}
        assert "hunter2" not in done.stdout + done.stderr
        assert not [path for path, data in tree(site).items() if b"hunter2" in data]
        again = run("ingest", "-C", str(site), "--force")
        assert "FEED_TOKEN" in again.stderr


def test_retry_after_is_limited_to_a_week(tmp_path):
    for_ever = {"/date": "Fri, 31 Dec 9999 23:59:59 GMT", "/number": "9" * 200, "/silly": "-5"}  # and no Date: header
    with serve({path: status(503, headers=[("Retry-After", value)]) for path, value in for_ever.items()}) as server:
        done = ingest(make_site(tmp_path, {}, sources(server, "date", "number", "silly")))
        now = datetime.now(UTC)
        waits = [
            round((datetime.fromisoformat(one["next"]) - now) / timedelta(hours=1)) for one in done.json["sources"]
        ]
        assert waits == [168, 168, 1]


def test_problems_become_github_annotations(tmp_path):
    with serve({"/a": status(404)}) as server:
        site = make_site(tmp_path, {}, sources(server, "a"))
        done = run("ingest", "-C", str(site), env={"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(site)})
        assert "::error file=feedtool.toml,line=10,title=feedtool FT301::" in done.stderr


def test_add_finds_the_feed_of_a_page(tmp_path):
    html = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body>Hi</body></html>'
    with serve({"/": page(html, type="text/html"), "/feed.xml": page(rss(1, 2))}) as server:
        text = SETTINGS + "# mine\n" + ALLOW
        site = make_site(tmp_path, {}, text)
        done = run("add", server.url("/"), "-C", str(site), "-c", "A", "-c", "B")
        assert done.exit_code == 0, done.stderr
        assert "新闻 1 & more" in done.stdout
        after = (site / "feedtool.toml").read_text()
        assert (
            after == f'{text}\n[[sources]]\nname = "Wire"\nurl = "{server.url("/feed.xml")}"\ncategories = ["A", "B"]\n'
        )
        assert run("add", server.url("/feed.xml"), "-C", str(site)).exit_code == 2
        assert ingest(site).json["new"] == 2


def test_comment_feed_is_chosen_only_without_another(tmp_path):
    link = '<link rel="alternate" type="application/rss+xml" title="{}" href="{}">'
    comments = [
        ("Blog » Comments Feed", "/a/"),
        ("Blog", "/comments/feed/"),
        ("评论 Feed", "/c/"),
        ("Kommentar-Feed", "/d/"),
    ]
    named = "".join(link.format(*one) for one in comments)
    both = f"<html><head>{named}{link.format('Blog » Feed', '/feed.xml')}</head></html>"
    pages = {path: page(rss(1)) for path in ("/a/", "/comments/feed/", "/c/", "/d/", "/feed.xml")}
    pages |= {"/both": page(both, type="text/html"), "/only": page(f"<html>{named}</html>", type="text/html")}
    with serve(pages) as server:
        site = make_site(tmp_path, {}, ALLOW)
        for path, feed in (("/both", "/feed.xml"), ("/only", "/a/")):
            done = run("add", server.url(path), "-C", str(site), "--json", "--dry-run")
            assert done.json["url"] == server.url(feed)


def test_killed_run_loses_and_duplicates_nothing(tmp_path):
    names = [f"s{n}" for n in range(12)]
    pages = {f"/{name}": page(rss(*range(1, 9), name=name), etag="auto") for name in names}
    chance = random.Random(1)
    with serve(pages) as server:
        site = make_site(tmp_path, {}, sources(server, *names))
        words = command("ingest", "-C", str(site), "--json")
        for _ in range(3):
            with subprocess.Popen(
                words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            ) as process:
                time.sleep(0.35 + chance.random() * 0.4)
                os.kill(process.pid, signal.SIGKILL)
        done = ingest(site)
        assert done.exit_code == 0, done.stderr
        articles = {path: data for path, data in tree(site / "articles").items() if path.endswith(".md")}
        guids = [
            next(line for line in data.decode().splitlines() if line.startswith("guid:")) for data in articles.values()
        ]
        assert len(guids) == len(set(guids)) == 12 * 8
        assert ingest(site, "--force").json["unchanged"] == 96
