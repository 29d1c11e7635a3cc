"""A host and a port in, an HTTP server of the preview out: files, and the event that says when to reload."""

from __future__ import annotations

import errno
import socket
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from feedtool.errors import UsageError
from feedtool.preview.files import File, Moved, answer_to, etag, is_own_host, is_unchanged
from feedtool.preview.inject import CSS, EVENTS, STYLE, dressed, message_page
from feedtool.preview.rebuild import Outcome

TRIES = 20
"""Ports that are tried, from the default one on."""
BEAT = 15.0
"""Seconds after which a silent connection is written to, so that one whose browser went away is noticed."""


class Bound(ThreadingHTTPServer):
    """A server that holds its port; `publish` says what it shows. Answers come from threads of its own."""

    daemon_threads = True
    # A browser opens many connections at once.
    request_queue_size = 64

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        self.host = host
        self.root = ""
        self.prefix = "/"
        self.outcome = Outcome()
        # A page that an earlier server sent must not take our first build for its own.
        self._started = f"{time.time_ns():x}"
        self._count = 0
        self._news = threading.Condition()
        self._closing = False

    def server_bind(self) -> None:
        """Bind, without asking the name server for our name as HTTPServer does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def port(self) -> int:
        """The port that it holds."""
        return int(self.server_address[1])

    @property
    def version(self) -> str:
        """A text that changes with everything that is published."""
        return f"{self._started}-{self._count}"

    def publish(self, root: str, outcome: Outcome) -> None:
        """Show the files below `root` from now on, and tell every page that is open."""
        with self._news:
            self.root, self.outcome = root, outcome
            self._count += 1
            self._news.notify_all()

    def start(self, prefix: str) -> None:
        """Begin to answer, in a thread."""
        self.prefix = prefix
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def stop(self) -> None:
        """Let go of the port and of every page that listens."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self.shutdown()
        self.server_close()

    def wait_for_news(self, seen: str) -> str | None:
        """Return the version once it is not `seen`, "" after a while without news, None when it is time to go."""
        with self._news:
            self._news.wait_for(lambda: self._closing or self.version != seen, timeout=BEAT)
            if self._closing:
                return None
            return self.version if self.version != seen else ""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of browsers that hang up; tell the rest."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def bind(host: str, port: int, *, exact: bool) -> Bound:
    """Return a server on the port, or unless `exact` on the next that is free; raises UsageError where none can be had."""
    for tried in range(port, port + (1 if exact or not port else TRIES)):
        try:
            return Bound(host, tried)
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES) and not exact:
                continue
            raise _refused(host, tried, error) from None
    raise UsageError(
        f"ports {port} to {port + TRIES - 1} are all in use", where=host, hint="name a free one with --port"
    )


def _refused(host: str, port: int, error: Exception) -> UsageError:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        hint = "stop what uses it, name another with --port, or leave --port out to take the next free one"
        return UsageError("the port is in use", where=f"{host}:{port}", hint=hint)
    if number == errno.EACCES:
        return UsageError("the port is not open to you", where=f"{host}:{port}", hint="name one above 1023 with --port")
    return UsageError(
        f"cannot be served at: {error}", where=f"{host}:{port}", hint="name an address of this machine with --host"
    )


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Bound
    protocol_version = "HTTP/1.1"
    server_version = "feedtool"
    sys_version = ""
    # A connection that says nothing must not hold a thread for ever.
    timeout = 60

    def do_GET(self) -> None:
        """Answer a request."""
        path = self.path.partition("?")[0].partition("#")[0]
        if not is_own_host(self.headers.get("Host"), self.server.host):
            self._send(b"This server answers to its own name only.\n", "text/plain; charset=utf-8", status=421)
        elif path == EVENTS:
            self._tell()
        elif path == STYLE:
            self._send(CSS.encode(), "text/css; charset=utf-8")
        else:
            self._show(path)

    def do_HEAD(self) -> None:
        """Answer a request without the body."""
        self.do_GET()

    def _show(self, path: str) -> None:
        server = self.server
        version, outcome = server.version, server.outcome
        found = answer_to(path, server.root, server.prefix)
        if isinstance(found, Moved):
            self._send(b"", "text/plain", status=302, location=found.location)
        elif isinstance(found, File):
            self._send_file(found, outcome, version)
        else:
            hint = (
                f"The site begins at {server.prefix}"
                if not path.startswith(server.prefix)
                else "Look at the start page."
            )
            page = message_page("Nothing here", hint, outcome, version)
            self._send(page, "text/html; charset=utf-8", status=404)

    def _send_file(self, found: File, outcome: Outcome, version: str) -> None:
        if found.type.startswith("text/html"):
            # A page changes with the banner too, which its file's date knows nothing of.
            self._send(dressed(found.data, outcome, version), found.type)
        else:
            self._send(found.data, found.type, modified=found.modified)

    def _send(self, data: bytes, kind: str, *, status: int = 200, modified: str = "", location: str = "") -> None:
        tag = etag(data)
        known, since = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
        if status == HTTPStatus.OK and is_unchanged(known, since, tag=tag, modified=modified):
            status, data = 304, b""
        self.send_response(status)
        headers = {"Location": location, "ETag": tag if status in (200, 304) else "", "Last-Modified": modified}
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.send_header("Cache-Control", "no-cache")
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", kind)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _tell(self) -> None:
        """Send an event for every build, as long as the page listens."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        seen = ""
        while self.command != "HEAD":
            version = self.server.wait_for_news(seen)
            if version is None:
                return
            try:
                # The first is the version as it is now: a page that was asleep learns what it missed.
                self.wfile.write(f"event: build\ndata: {version}\n\n".encode() if version else b": still here\n\n")
                self.wfile.flush()
            except OSError:
                return
            seen = version or seen

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a page and its pictures would fill the terminal."""
