"""Serve the preview over HTTP: its files, and the events that tell pages when to reload."""

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
from feedtool.preview.inject import CSS, EVENTS, STYLE, message_page, with_reload
from feedtool.preview.rebuild import Outcome

TRIES = 20
"""The number of ports that are tried, starting from the default one."""
KEEP_ALIVE = 15.0
"""Seconds after which something is written to a silent connection, to notice browsers that went away."""


class PreviewServer(ThreadingHTTPServer):
    """A server that is bound to its port; `publish` sets the files that it shows. Requests are answered in threads of their own."""

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
        # A page from an earlier server must not take the first build of this one for its own.
        self._started = f"{time.time_ns():x}"
        self._count = 0
        self._condition = threading.Condition()
        self._closing = False

    def server_bind(self) -> None:
        """Bind to the port without resolving the machine's own name, which HTTPServer does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def port(self) -> int:
        """The port that the server is bound to."""
        return int(self.server_address[1])

    @property
    def version(self) -> str:
        """A text that changes with every `publish`."""
        return f"{self._started}-{self._count}"

    def publish(self, root: str, outcome: Outcome) -> None:
        """Show the files below `root` from now on, and notify every open page."""
        with self._condition:
            self.root, self.outcome = root, outcome
            self._count += 1
            self._condition.notify_all()

    def start(self, prefix: str) -> None:
        """Start answering requests in a thread."""
        self.prefix = prefix
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def stop(self) -> None:
        """Close the port and all connections."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self.shutdown()
        self.server_close()

    def wait_for_build(self, version: str) -> str | None:
        """Return the current version as soon as it is not `version`, "" after a while without a build, None if the
        server is stopping."""
        with self._condition:
            self._condition.wait_for(lambda: self._closing or self.version != version, timeout=KEEP_ALIVE)
            if self._closing:
                return None
            return self.version if self.version != version else ""

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore browsers that hang up; report other errors."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def bind(host: str, port: int, *, exact: bool) -> PreviewServer:
    """Return a server on the port, or unless `exact` on the next free one; raise UsageError if there is none."""
    for tried in range(port, port + (1 if exact or not port else TRIES)):
        try:
            return PreviewServer(host, tried)
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES) and not exact:
                continue
            raise _refused(host, tried, error) from None
    raise UsageError(f"ports {port} to {port + TRIES - 1} are all in use", where=host, hint="choose a free port")


def _refused(host: str, port: int, error: Exception) -> UsageError:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        hint = "stop the program that uses it, choose another port, or choose none to take the next free one"
        return UsageError("the port is in use", where=f"{host}:{port}", hint=hint)
    if number == errno.EACCES:
        return UsageError("you may not use this port", where=f"{host}:{port}", hint="choose a port above 1023")
    return UsageError(f"cannot be served at: {error}", where=f"{host}:{port}", hint="choose an address of this machine")


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: PreviewServer
    protocol_version = "HTTP/1.1"
    server_version = "feedtool"
    sys_version = ""
    # A silent connection must not hold a thread forever.
    timeout = 60

    def do_GET(self) -> None:
        """Answer a GET request."""
        path = self.path.partition("?")[0].partition("#")[0]
        if not is_own_host(self.headers.get("Host"), self.server.host):
            self._send(
                b"This server answers requests for its own name only.\n", "text/plain; charset=utf-8", status=421
            )
        elif path == EVENTS:
            self._send_events()
        elif path == STYLE:
            self._send(CSS.encode(), "text/css; charset=utf-8")
        else:
            self._show(path)

    def do_HEAD(self) -> None:
        """Answer a HEAD request, which gets no body."""
        self.do_GET()

    def _show(self, path: str) -> None:
        server = self.server
        version, outcome = server.version, server.outcome
        answer = answer_to(path, server.root, server.prefix)
        if isinstance(answer, Moved):
            self._send(b"", "text/plain", status=302, location=answer.location)
        elif isinstance(answer, File):
            self._send_file(answer, outcome, version)
        else:
            hint = (
                f"The site begins at {server.prefix}"
                if not path.startswith(server.prefix)
                else "Look at the start page."
            )
            page = message_page("Nothing here", hint, outcome, version)
            self._send(page, "text/html; charset=utf-8", status=404)

    def _send_file(self, file: File, outcome: Outcome, version: str) -> None:
        if file.type.startswith("text/html"):
            # A page also changes with its banner, so the date of the file does not validate it.
            self._send(with_reload(file.data, outcome, version), file.type)
        else:
            self._send(file.data, file.type, modified=file.modified)

    def _send(self, data: bytes, kind: str, *, status: int = 200, modified: str = "", location: str = "") -> None:
        tag = etag(data)
        etags, since = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
        if status == HTTPStatus.OK and is_unchanged(etags, since, tag=tag, modified=modified):
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

    def _send_events(self) -> None:
        """Send an event for every build for as long as the page listens."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        last = ""
        while self.command != "HEAD":
            version = self.server.wait_for_build(last)
            if version is None:
                return
            try:
                # The first event is the current version: a page that was asleep learns what it missed.
                self.wfile.write(f"event: build\ndata: {version}\n\n".encode() if version else b": still here\n\n")
                self.wfile.flush()
            except OSError:
                return
            last = version or last

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the requests of a page and its pictures would fill the terminal."""
