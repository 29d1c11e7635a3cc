"""Test `serve` as a process over real sockets: its answers, reloads after edits, safety, and a quiet end."""

from __future__ import annotations

import http.client
import json
import queue
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.config import Settings, load_settings
from feedtool.models import Problem, Report
from feedtool.preview import Outcome, Watch
from feedtool.preview.files import File, answer_to, is_own_host, is_unchanged
from feedtool.preview.inject import POLICY, with_reload
from feedtool.site import CONTENT_SECURITY_POLICY
from tests.readers.conftest import program  # noqa: F401 - a fixture
from tests.support.chromium import browser, chromium  # noqa: F401 - fixtures
from tests.support.site import ROOT, article, artifacts, build, command, environment, make_site, run, stamps, write

PATIENCE = 60.0


class Serving:
    """A running `feedtool serve` with its lines of output."""

    def __init__(self, site: Path, *args: str) -> None:
        self.site = site
        self.said: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            command("serve", "-C", str(site), *args),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
            encoding="utf-8",
        )
        threading.Thread(target=self._listen, daemon=True).start()
        self.url = self.wait_for(r"serving (\S+) ")[1]
        self.address = urlsplit(self.url)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put(line)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first line from now on that matches."""
        end = time.monotonic() + PATIENCE
        lines = ""
        while time.monotonic() < end:
            try:
                line = self.said.get(timeout=0.2)
            except queue.Empty:
                assert self.process.poll() is None, lines
                continue
            lines += line
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"nothing like {pattern!r} in {lines!r}")

    def ask(self, path: str, *, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (with lower-case names) and body of an answer without following redirects."""
        connection = http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=PATIENCE)
        connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        response = answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
        connection.close()
        return response

    def stop(self) -> int:
        """Press ctrl-C and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


class Events:
    """The event stream of a server, as a page reads it."""

    def __init__(self, serving: Serving) -> None:
        self._connection = socket.create_connection((serving.address.hostname, serving.address.port), PATIENCE)
        host = serving.address.netloc
        self._connection.sendall(f"GET /.feedtool/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        self._file = self._connection.makefile("rb")
        while self._file.readline().strip():
            pass

    def next(self) -> str:
        """Return the version in the next event."""
        assert self._file.readline() == b"event: build\n"
        version = self._file.readline().decode().removeprefix("data: ").strip()
        assert self._file.readline() == b"\n"
        return version

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._connection.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Serving]]:
    """Yield a function that starts servers, which all end with the test."""
    started: list[Serving] = []

    def start(site: Path, *args: str) -> Serving:
        started.append(Serving(site, *(args if "--port" in args else ("--port", "0", *args))))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Yield a server of a small site that no test may change."""
    serving = Serving(_small_site(tmp_path_factory.mktemp("shared")), "--port", "0")
    yield serving
    serving.process.kill()
    serving.process.wait()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a small site whose address has a path."""
    return _small_site(tmp_path)


def _small_site(folder: Path) -> Path:
    settings = '[site]\ntitle = "Test"\nurl = "https://example.org/repo/"\n'
    articles = {"a.md": article("One", front="categories: 金融\n"), "b.md": article("Two")}
    return make_site(folder / "site", articles, settings)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return a copy of the example site."""
    shutil.copytree(ROOT / "feeds", tmp_path / "feeds", ignore=shutil.ignore_patterns("public", ".feedtool"))
    return tmp_path / "feeds"


def test_site_is_served_with_content_types(shared: Serving) -> None:
    assert shared.address.path == "/repo/"
    types = {
        "/repo/": "text/html; charset=utf-8",
        "/repo/index.html": "text/html; charset=utf-8",
        "/repo/atom.xml": "application/xml; charset=utf-8",
        "/repo/rss.xml": "application/xml; charset=utf-8",
        "/repo/feed.json": "application/json; charset=utf-8",
        "/repo/feeds.opml": "application/xml; charset=utf-8",
        "/repo/site.css": "text/css; charset=utf-8",
        "/repo/categories/%E9%87%91%E8%9E%8D/": "text/html; charset=utf-8",
        "/repo/feed.json?x=1": "application/json; charset=utf-8",
    }
    for path, kind in types.items():
        status, headers, body = shared.ask(path)
        assert (status, headers["content-type"]) == (200, kind), path
        assert int(headers["content-length"]) == len(body) > 0
    moves = {
        "/": "/repo/",
        "/repo": "/repo/",
        "/repo/categories/%E9%87%91%E8%9E%8D": "/repo/categories/%E9%87%91%E8%9E%8D/",
    }
    assert {path: shared.ask(path)[1].get("location") for path in moves} == moves
    feed = json.loads(shared.ask("/repo/feed.json")[2])
    assert feed["feed_url"] == f"{shared.url}feed.json"
    assert shared.ask("/repo/", method="HEAD")[2] == b""
    assert shared.ask("/repo/", method="POST")[0] == 501


def test_unchanged_files_are_not_sent_again(shared: Serving) -> None:
    for path in ("/repo/", "/repo/atom.xml"):
        _, headers, _ = shared.ask(path)
        assert shared.ask(path, If_None_Match=headers["etag"])[::2] == (304, b"")
        assert shared.ask(path, If_None_Match='"other"')[0] == 200
    since = shared.ask("/repo/atom.xml")[1]["last-modified"]
    assert shared.ask("/repo/atom.xml", If_Modified_Since=since)[::2] == (304, b"")
    assert shared.ask("/repo/atom.xml", If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT")[0] == 200


@pytest.mark.fault_class("text.serve")
def test_foreign_hosts_and_outside_paths_are_refused(shared: Serving) -> None:
    write(shared.site / "secret.txt", "secret")
    (shared.site / ".feedtool/preview/public/link").symlink_to(shared.site / "secret.txt")
    outside = [
        "/repo/../secret.txt",
        "/repo/%2e%2e/%2e%2e/%2e%2e/secret.txt",
        "/repo/..%2f..%2f..%2fsecret.txt",
        "/repo/..%5c..%5csecret.txt",
        "/repo//etc/passwd",
        "/repo/%00",
        "/repo/link",
        "/repo/.feedtool-manifest",
        "/repo/atom.xml/",
        "/secret.txt",
        "/.feedtool/preview/feedtool.state",
    ]
    assert {path: shared.ask(path)[0] for path in outside} == dict.fromkeys(outside, 404)
    port = shared.address.port
    hosts = {f"127.0.0.1:{port}": 200, f"localhost:{port}": 200, "evil.example": 421, f"evil.example:{port}": 421}
    assert {host: shared.ask("/repo/atom.xml", Host=host)[0] for host in hosts} == hosts


def test_edit_reaches_every_open_page(example: Path, serve: Any) -> None:
    serving = serve(example)
    events = Events(serving)
    first = events.next()
    assert f'data-version="{first}"'.encode() in serving.ask("/feeds/")[2]
    write(example / "articles/new.md", article("Fresh from the press", front="categories: Fresh\n"))
    second = events.next()
    assert second != first
    serving.wait_for(r"3 articles in ")
    page = serving.ask("/feeds/")[2]
    assert b"Fresh from the press" in page
    assert f'data-version="{second}"'.encode() in page
    assert serving.ask("/feeds/categories/fresh/atom.xml")[0] == 200
    # Settings and templates are watched as well.
    settings = (example / "feedtool.toml").read_text("utf-8")
    write(example / "templates/site.css", "body { color: red }")
    write(example / "feedtool.toml", settings.replace("Feeds 示例", "Renamed"))
    while b"<title>Renamed</title>" not in serving.ask("/feeds/")[2]:
        events.next()
    assert b"color: red" in serving.ask("/feeds/site.css")[2]
    events.close()


def test_problems_are_shown_and_the_site_is_kept(site: Path, serve: Any) -> None:
    serving = serve(site)
    events = Events(serving)
    events.next()
    write(site / "articles/bad.md", "---\ntitle: <script>alert(1)</script>\ndate: yesterday\n---\n")
    events.next()
    serving.wait_for(r"articles/bad\.md:3: .*FT011")
    page = serving.ask("/repo/")[2].decode()
    banner = re.search(r'<div id="feedtool-problems".*?</div>', page, re.DOTALL)
    assert banner is not None
    assert 'articles/bad.md:3: date: cannot read "yesterday"' in banner[0]
    good = (site / "feedtool.toml").read_text()
    write(site / "feedtool.toml", good + "titel = 1\n")
    events.next()
    serving.wait_for("unknown key")
    serving.wait_for("last good preview")
    page = serving.ask("/repo/")[2].decode()
    assert "The build failed; this is the last good build." in page
    assert "unknown key" in page
    assert "One" in page
    assert "unknown key" in serving.ask("/repo/nothing")[2].decode()
    write(site / "feedtool.toml", good)
    (site / "articles/bad.md").unlink()
    events.next()
    assert "feedtool-problems" not in serving.ask("/repo/")[2].decode()
    events.close()


def test_preview_changes_no_build_files(site: Path, serve: Any) -> None:
    build(site)
    before = stamps(site)
    write(site / "articles/draft.md", article("A draft", front="draft: true\n"))
    serving = serve(site, "--drafts")
    assert b"A draft" in serving.ask("/repo/")[2]
    events = Events(serving)
    events.next()
    (site / "articles/a.md").rename(site / "a.md")
    events.next()
    assert serving.stop() == 0
    (site / "a.md").rename(site / "articles/a.md")
    after = {name: stamp for name, stamp in stamps(site).items() if not name.startswith(".feedtool/preview/")}
    assert {name: stamp for name, stamp in after.items() if name != "articles/draft.md"} == before
    assert build(site).json["written"] == 0
    assert not (site / "feedtool.state").exists()


def test_ctrl_c_ends_serve_quietly(site: Path, serve: Any) -> None:
    serving = serve(site)
    events = Events(serving)
    events.next()
    assert serving.stop() == 0
    assert serving.said.empty()
    events.close()


def test_used_port_is_refused_or_skipped(site: Path, serve: Any) -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        refused = run("serve", "-C", str(site), "--port", str(port))
        assert refused.exit_code == 2
        assert refused.stderr == (
            f"error: 127.0.0.1:{port}: the port is in use; stop the program that uses it, choose another port, "
            "or choose none to take the next free one\n"
        )
    from feedtool.preview import bind

    with bind("127.0.0.1", 0, exact=True) as one, bind("127.0.0.1", one.port, exact=False) as next_one:
        assert one.port < next_one.port <= one.port + 20


def test_invalid_settings_stop_serve(site: Path) -> None:
    write(site / "feedtool.toml", "[sight]\n")
    result = run("serve", "-C", str(site), "--port", "0")
    assert result.exit_code == 2
    assert "unknown key" in result.stderr


@pytest.mark.browser
def test_browser_reloads_and_runs_no_other_script(site: Path, serve: Any, chromium: Any) -> None:  # noqa: F811
    write(site / "articles/script.md", article("Script", body="<p>x</p><script>document.title = 'run'</script>\n"))
    serving = serve(site)
    chromium.get(serving.url)
    write(site / "articles/c.md", article("Three", date="2022-13-45"))
    end = time.monotonic() + PATIENCE
    while "feedtool-problems" not in chromium.page_source and time.monotonic() < end:
        time.sleep(0.1)
    colour = "return getComputedStyle(document.getElementById('feedtool-problems')).backgroundColor"
    assert chromium.execute_script(colour) == "rgb(92, 69, 0)"
    assert chromium.save_screenshot(str(artifacts() / "serve-problem.png"))
    write(site / "articles/c.md", article("Three"))
    while "Three" not in chromium.page_source and time.monotonic() < end:
        time.sleep(0.1)
    assert "Three" in chromium.page_source
    assert chromium.title == "Test"
    assert chromium.get_log("browser") == []


# -- laws


@pytest.mark.fault_class("text.serve")
@given(st.text(st.sampled_from("./\\%ab:\0é2ef"), max_size=12))
def test_no_path_leaves_the_folder(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    top = tmp_path_factory.getbasetemp() / "served"
    if not top.exists():
        write(top / "a", "outside")
        write(top / "root/a/b", "inside")
        write(top / "root/.a", "hidden")
    answer = answer_to(f"/{path}", str(top / "root"), "/")
    assert not isinstance(answer, File) or answer.data == b"inside"


@pytest.mark.fault_class("text.serve")
def test_server_answers_only_to_its_own_names() -> None:
    own = [
        "127.0.0.1",
        "127.0.0.1:8000",
        "localhost:8000",
        "LOCALHOST",
        "[::1]:8000",
        "[::1]",
        "192.168.1.5:80",
        "box:1",
    ]
    others = [None, "", ":", "evil.example", "localhost.evil.example:8000", "127.0.0.1.nip.io", "2130706433", "0x7f.1"]
    assert [is_own_host(host, "box") for host in own] == [True] * len(own)
    assert [is_own_host(host, "box") for host in others] == [False] * len(others)


MODIFIED = "Mon, 23 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("etag", "since", "expected"),
    [
        (None, None, False),
        ('"a"', None, True),
        ('W/"a"', None, True),
        ('"x", "a"', None, True),
        ("*", None, True),
        ('"b"', MODIFIED, False),
        (None, MODIFIED, True),
        (None, "Tue, 24 Nov 2026 08:00:00 GMT", True),
        (None, "Sun, 22 Nov 2026 08:00:00 GMT", False),
        (None, "yesterday", False),
    ],
)
def test_validators_follow_rfc_9110(etag: str | None, since: str | None, expected: bool) -> None:
    assert is_unchanged(etag, since, tag='"a"', modified=MODIFIED) is expected


@pytest.mark.fault_class("text.serve")
@given(st.text(max_size=60))
def test_problems_never_add_markup_to_a_page(text: str) -> None:
    page = f'<head><meta content="{CONTENT_SECURITY_POLICY}"></head><body class="x"><p>Text</p></body>'.encode()
    problem = Problem(file=text, code="FT001", message=text, hint=text)
    for outcome in (Outcome(report=Report(problems=(problem,))), Outcome(error=text + "x")):
        changed = with_reload(page, outcome, "v").decode()
        assert changed.count("<") == changed.count(">") - changed.count("=>")
        without = re.sub(r"<li>[^<>]*</li>", "", changed)
        bare = with_reload(
            page, Outcome(error="x") if outcome.error else Outcome(report=Report(problems=(PLAIN,))), "v"
        )
        assert without == re.sub(r"<li>[^<>]*</li>", "", bare.decode())


PLAIN = Problem(file="f", code="FT001", message="m")


def test_page_policy_allows_only_the_reload_script() -> None:
    page = f'<head><meta content="{CONTENT_SECURITY_POLICY}"></head><body>{CONTENT_SECURITY_POLICY}</body>'.encode()
    changed = with_reload(page, Outcome(), "v").decode()
    assert changed.count(POLICY) == 1
    added = POLICY.removeprefix(CONTENT_SECURITY_POLICY)
    assert re.fullmatch(r"; script-src 'sha256-[\w+/]{43}='; connect-src 'self'", added)


@pytest.mark.fault_class("text.serve")
@pytest.mark.parametrize(
    "page",
    [
        "<p><img alt='<body><x>'> text",
        "<body><img alt='</body>' title='</html>'><p>text",
        "<!-- <body> </body> --><p>text",
        "<body><textarea></body></textarea></body></html>\n",
        "<title>&lt;body></title><BODY><p>text</BODY></HTML>",
    ],
)
def test_banner_is_added_at_the_end_of_the_page(page: str) -> None:
    """A template of the site may omit parts that other pages have."""
    changed = with_reload(page.encode(), Outcome(error="x"), "v").decode()
    end = re.search(r"</body>\s*(</html>\s*)?$", page, re.IGNORECASE)
    body = page[: end.start()] if end else page
    assert changed.startswith(body + "<link ")
    assert changed.endswith("</script>" + page[len(body) :])


@pytest.mark.fault_class("text.serve")
def test_event_contains_only_a_version(example: Path, serve: Any) -> None:
    hostile = "a\n\nevent: build\ndata: forged"
    write(example / "articles/x.md", f"{json.dumps({'title': hostile, 'date': hostile})}\ntext\n")
    serving = serve(example)
    connection = http.client.HTTPConnection(
        str(serving.address.hostname), int(serving.address.port or 80), timeout=PATIENCE
    )
    connection.request("GET", "/.feedtool/events")
    answer = connection.getresponse()
    lines = [answer.readline() for _ in range(3)]
    connection.close()
    assert lines[0] == b"event: build\n"
    assert re.fullmatch(rb"data: [0-9a-f]+-\d+\n", lines[1])
    assert lines[2] == b"\n"


def test_costly_watching_is_slowed_down(tmp_path: Path) -> None:
    watch = Watch(lambda: Settings(folder=str(tmp_path)))
    assert watch.has_changed()
    assert not watch.has_changed()
    assert watch.pause == 0.5
    watch.cost = 0.4
    assert watch.pause == pytest.approx(4)


def test_every_kind_of_change_is_detected(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": article("One"), "b/c.md": article("Two")})
    settings = load_settings(str(site))
    watch = Watch(lambda: settings)
    watch.has_changed()
    steps: list[Callable[[], object]] = [
        lambda: write(site / "articles/a.md", article("One!")),
        lambda: write(site / "articles/new.md", ""),
        lambda: (site / "articles/b/c.md").unlink(),
        lambda: (site / "articles/a.md").rename(site / "articles/d.md"),
        lambda: write(site / "feedtool.toml", ""),
        lambda: write(site / "templates/site.css", ""),
        lambda: (site / "templates/site.css").unlink(),
    ]
    for step in steps:
        step()
        assert watch.has_changed()
        assert not watch.has_changed()
