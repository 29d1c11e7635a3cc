"""Test the first use of an installed wheel in a new environment with an empty home.

It installs from the package index, so it runs only under FEEDTOOL_CI. It reports the duration of each step.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.bench.corpus import generate
from tests.support.server import page, serve
from tests.support.site import ROOT, artifacts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("FEEDTOOL_CI"), reason="installs from the package index; FEEDTOOL_CI=1 allows it"
    ),
]
FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>一位朋友</title><link>https://friend.example.org/</link><description>Notes</description>
<item><title>城市里的鸟</title><link>https://friend.example.org/1</link><guid>https://friend.example.org/1</guid>
<pubDate>Mon, 25 Jul 2022 12:11:30 GMT</pubDate><description>&lt;p&gt;白鹭。&lt;/p&gt;</description></item>
<item><title>Second</title><link>https://friend.example.org/2</link><guid>https://friend.example.org/2</guid>
<pubDate>Tue, 26 Jul 2022 08:00:00 +0800</pubDate><description>Text.</description></item>
</channel></rss>
"""
HEXO = """title: 新闻站
url: https://news.example.org/blog
permalink: :year/:month/:day/:title/
language: zh-CN
timezone: Asia/Shanghai
author: 张三
"""


class Newcomer:
    """A user at a shell without settings, with feedtool on PATH; `times` has the seconds of each step."""

    def __init__(self, home: Path, times: dict[str, float]) -> None:
        self.home, self.times = home, dict(times)
        self._environment = {"HOME": str(home), "PATH": f"{home.parent / 'venv/bin'}:/usr/bin:/bin", "LANG": "C.UTF-8"}

    def feedtool(self, *words: str, step: str = "") -> str:
        """Run a command and return its output."""
        start = time.perf_counter()
        done = subprocess.run(
            ["feedtool", *words],
            cwd=self.home,
            env=self._environment,
            executable=str(self.home.parent / "venv/bin/feedtool"),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        self.times[step or words[0]] = time.perf_counter() - start
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def preview(self, site: str) -> dict[str, Any]:
        """Serve the site, fetch its page and feed, press ctrl-C; return the feed."""
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(self.home.parent / "venv/bin/feedtool"), "serve", "-C", site, "--port", "0"],
            cwd=self.home,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        lines: queue.Queue[str] = queue.Queue()
        assert process.stdout is not None
        threading.Thread(target=lambda: [lines.put(line) for line in process.stdout or ()], daemon=True).start()
        try:
            url = None
            while url is None:
                url = re.search(r"serving (\S+) ", lines.get(timeout=30))
            with urlopen(url[1], timeout=10) as answer:
                assert "<h1" in answer.read().decode()
            self.times["serve, until its page is there"] = time.perf_counter() - start
            with urlopen(f"{url[1]}feed.json", timeout=10) as answer:
                feed: dict[str, Any] = json.load(answer)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()
        return feed


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    """Return a folder whose `venv` has feedtool installed, and the seconds that took."""
    folder = tmp_path_factory.mktemp("newcomer")
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, capture_output=True, timeout=120)
    created = time.perf_counter()
    words = [str(folder / "venv/bin/pip"), "install", "-q", "--disable-pip-version-check", f"{ROOT}[ingest]"]
    subprocess.run(words, cwd=folder, check=True, timeout=300)
    return folder, {"python3 -m venv": created - start, "pip install '.[ingest]'": time.perf_counter() - created}


@pytest.fixture
def newcomer(
    installed: tuple[Path, dict[str, float]], request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> Iterator[Newcomer]:
    """Yield a user with an empty home; print the duration of each step afterwards."""
    folder, times = installed
    home = folder / request.node.name
    home.mkdir()
    someone = Newcomer(home, times)
    yield someone
    lines = [f"{seconds:7.2f} s  {step}" for step, seconds in someone.times.items()]
    lines.append(f"{sum(someone.times.values()):7.2f} s  in all")
    text = "\n".join([f"{request.node.name}:", *lines]) + "\n"
    (artifacts() / f"{request.node.name}.txt").write_text(text, encoding="utf-8")
    with capsys.disabled():
        print(f"\n{text}", end="")


def test_new_user_publishes_an_ingested_feed(newcomer: Newcomer) -> None:
    site = newcomer.home / "my-site"
    output = newcomer.feedtool("init", "my-site", "--title", "My notes", "--url", "https://example.org/feeds/")
    assert "feedtool serve -C my-site" in output
    with serve({"/feed.xml": page(FEED.encode(), type="application/rss+xml", etag="auto")}) as friend:
        # Only a test subscribes to a feed on this machine.
        settings = site / "feedtool.toml"
        allowed = '\n[ingest]\nallow_private_hosts = ["127.0.0.1"]\n'
        settings.write_text(settings.read_text("utf-8") + allowed, encoding="utf-8")
        assert "城市里的鸟" in newcomer.feedtool("add", friend.url("/feed.xml"), "-C", "my-site")
        newcomer.feedtool("ingest", "-C", "my-site")
        newcomer.feedtool("build", "-C", "my-site")
        assert ": 0 files written" in newcomer.feedtool("build", "-C", "my-site", step="build again")
    titles = [item["title"] for item in json.loads((site / "public/feed.json").read_text("utf-8"))["items"]]
    assert titles[1:] == ["Second", "城市里的鸟"]
    assert [item["title"] for item in newcomer.preview("my-site")["items"]] == titles
    assert newcomer.times["build again"] < 10


def test_large_hexo_site_is_detected_and_published(newcomer: Newcomer) -> None:
    blog = newcomer.home / "blog"
    generate(newcomer.home / "generated", 1000, body=(1_000, 4_000))
    (blog / "source").mkdir(parents=True)
    (newcomer.home / "generated/articles").rename(blog / "source/_posts")
    (blog / "_config.yml").write_text(HEXO, encoding="utf-8")
    output = newcomer.feedtool("init", "blog")
    settings = tomllib.loads((blog / "feedtool.toml").read_text("utf-8"))
    assert settings["articles"]["path"] == "source/_posts", output
    assert settings["articles"]["generator"] == "hexo"
    assert settings["articles"]["permalink"] == "/blog/{year}/{month}/{day}/{path}/"
    assert settings["site"]["timezone"] == "Asia/Shanghai"
    assert settings["site"]["title"] == "新闻站"
    assert newcomer.feedtool("build", "-C", "blog").startswith("997 articles in ")  # three are dated `Invalid Date`
    assert ": 0 files written" in newcomer.feedtool("build", "-C", "blog", step="build again")
    assert len(newcomer.preview("blog")["items"]) == 50
    feed = json.loads((blog / "public/feeds/feed.json").read_text("utf-8"))
    own = r"https://news\.example\.org/blog/\d{4}/\d\d/\d\d/.+/$"
    elsewhere = r"https://news\.example\.com/\d{4}/\d+\.shtml$"  # a link in the article's front matter
    assert all(re.match(f"{own}|{elsewhere}", item["url"]) for item in feed["items"])
