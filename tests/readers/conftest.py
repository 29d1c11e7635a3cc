"""Build sites and serve them over HTTP on 127.0.0.1, so that feed readers can subscribe.

A test is skipped if the machine lacks its program; in CI it fails.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import pytest

from tests.bench.corpus import generate
from tests.support import site as sites

TYPES = {
    ".xml": "application/xml; charset=utf-8",
    ".json": "application/feed+json; charset=utf-8",
    ".opml": "text/x-opml; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
SLOW_LINES = 96  # of the body: as many as a window shows


def missing(program: str) -> NoReturn:
    """Skip the test because a program is missing; under FEEDTOOL_CI fail it, because CI must run every test."""
    if os.environ.get("FEEDTOOL_CI"):
        pytest.fail(f"{program} is missing, and FEEDTOOL_CI forbids skips", pytrace=False)
    pytest.skip(f"{program} is missing")


@pytest.fixture
def program() -> Callable[..., str]:
    """Return a function that finds the first installed one of some programs, or skips the test."""

    def find(*names: str) -> str:
        return next(filter(None, map(shutil.which, names)), None) or missing(" or ".join(names))

    return find


@dataclass
class Published:
    """A site whose output folder is served at `url`; `log` has (path, status) of every answered request."""

    site: Path
    url: str
    log: list[tuple[str, int]] = field(default_factory=list)
    slow: bool = False  # send the first lines of a page one by one

    @property
    def output(self) -> Path:
        """Return the output folder."""
        return self.site / "public"

    def build(self) -> sites.Result:
        """Build the site for its address; fail the test if the build did not finish."""
        result = sites.build(self.site, "--base-url", self.url)
        assert result.finished, result.stderr
        return result

    def get(self, path: str) -> bytes:
        """Fetch a file as a reader would."""
        with urlopen(self.url + path, timeout=10) as answer:
            data: bytes = answer.read()
        return data


@pytest.fixture(scope="session")
def publish() -> Iterator[Callable[[Path], Published]]:
    """Return a function that builds the site in a folder and serves it until the tests end."""
    servers: list[ThreadingHTTPServer] = []

    def start(folder: Path) -> Published:
        server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        published = Published(folder, f"http://127.0.0.1:{server.server_address[1]}/")
        server.RequestHandlerClass = _handler(published)
        published.build()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)  # `shutdown` never returns for a server that does not serve
        return published

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _handler(published: Published) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Serve the files of the output folder with types and ETags; answer 304 to a matching ETag."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).lstrip("/")
            file = published.output / path
            if ".." in path.split("/") or not file.is_file():
                return self.answer(404, b"not found", {})
            data = file.read_bytes()
            tag = f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}"'
            headers = {"ETag": tag, "Content-Type": TYPES.get(file.suffix, "application/octet-stream")}
            if self.headers.get("If-None-Match") == tag and not published.slow:
                return self.answer(304, b"", headers)
            return self.answer(200, data, headers)

        def answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            published.log.append((urlsplit(self.path).path, status))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if not published.slow or not headers.get("Content-Type", "").startswith("text/html"):
                self.wfile.write(data)
                return
            head, tag, body = data.partition(b"<body")
            self.wfile.write(head + tag)  # at once: nothing of it is painted
            *first, rest = body.split(b"\n", SLOW_LINES)
            for line in first:
                self.wfile.write(line + b"\n")
                time.sleep(0.02)  # longer than a frame: the browser paints the first lines before the others arrive
            self.wfile.write(rest)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory, publish: Callable[[Path], Published]) -> Published:
    """Return the example site of the repository, published."""
    folder = tmp_path_factory.mktemp("example") / "site"
    shutil.copytree(sites.ROOT / "feeds", folder, ignore=shutil.ignore_patterns("public", ".feedtool"))
    return publish(folder)


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory, publish: Callable[[Path], Published]) -> Published:
    """Return a generated site of 200 articles, published."""
    folder = tmp_path_factory.mktemp("generated")
    generate(folder, 200, categories=10, body=(2_000, 8_000))
    return publish(folder)
