"""A git server on loopback that stands in for GitHub: bare repositories over HTTP, for requests with the token only."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"
HEADER = f"AUTHORIZATION: basic {b64encode(f'x-access-token:{TOKEN}'.encode()).decode()}"


@dataclass(frozen=True)
class GitHost:
    """The running server: its address, the folder of its repositories, and the paths of requests without the token."""

    url: str
    folder: Path
    refused: list[str]


@contextlib.contextmanager
def git_host(folder: Path) -> Iterator[GitHost]:
    """Serve the bare repositories of a folder until the block ends; every request must carry HEADER."""
    refused: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if f"AUTHORIZATION: {self.headers.get('Authorization', '')}" != HEADER:
                refused.append(self.path)
                self.send_error(403)
                return
            path, _, query = self.path.partition("?")
            variables = {
                "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": "x-access-token",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }
            done = subprocess.run(
                ["git", "http-backend"], input=body, env={**os.environ, **variables}, capture_output=True, check=True
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # A client may close a connection before the server accepts it: without a timeout, `shutdown` would wait for the next one.
        server.socket.settimeout(1)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield GitHost(f"http://127.0.0.1:{server.server_port}", folder, refused)
        finally:
            server.shutdown()
