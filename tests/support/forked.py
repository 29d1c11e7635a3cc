"""Run `feedtool` commands in forks of one process that has imported the modules and compiled the templates already.

Most of a short run is spent on that. A fork gets the arguments, environment, folder, umask and streams that a
process of its own would get. Tests of start-up, of signals and of settings that an interpreter reads at its start use a
real process instead.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC", "ASAN", "COVERAGE")
"""The prefixes of the environment variables that an interpreter reads at its start."""
LIBRARIES = (
    "aiohttp", "brotli", "charset_normalizer", "concurrent.futures", "difflib", "encodings.idna", "encodings.utf_16",
    "feedparser", "jinja2.debug", "jinja2.ext", "json", "lxml.etree", "lxml.html", "nh3", "pyromark", "queue", "sqlite3",
    "tomllib", "trafilatura", "xml.sax.expatreader", "yaml", "yaml12", "zipfile", "zoneinfo",
)  # fmt: skip
"""What commands import while they run, besides the modules of feedtool."""


class Server:
    """The process that forks; it ends when the process that started it ends."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.interpreter = _read_by_interpreters(environment)
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair()
        self._end = ours
        self._answers = ours.makefile("rb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forked", str(theirs.fileno())],
            cwd=ROOT,
            env={
                **environment,
                "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")])),
            },
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Return True if a fork behaves exactly like a process that starts with this environment."""
        return self.interpreter == _read_by_interpreters(environment)

    def run(
        self, arguments: list[str], environment: Mapping[str, str], folder: Path, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one command.

        Raises subprocess.TimeoutExpired after `timeout` seconds.
        """
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr, self._lock:
            umask = os.umask(0)
            os.umask(umask)
            request = json.dumps([arguments, dict(environment), str(folder), umask]).encode()
            socket.send_fds(self._end, [len(request).to_bytes(4, "big")], [stdout.fileno(), stderr.fileno()])
            self._end.sendall(request)
            pid = int(self._answers.readline())
            code = self._wait_for(pid, timeout)
            if code is None:
                raise subprocess.TimeoutExpired(arguments, timeout)
            stdout.seek(0)
            stderr.seek(0)
            return subprocess.CompletedProcess(arguments, code, stdout.read(), stderr.read())

    def _wait_for(self, pid: int, timeout: float) -> int | None:
        timer = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
        start = time.monotonic()
        timer.start()
        code = int(self._answers.readline())
        timer.cancel()
        return None if code == -signal.SIGKILL and time.monotonic() - start >= timeout else code


def _read_by_interpreters(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(INTERPRETER)}


def import_libraries() -> None:
    """Import the packages that commands use and that are installed; no module of feedtool."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            import_module(name)


def main(end: socket.socket) -> None:
    """Fork for each request until the other end closes the socket."""
    import feedtool

    import_libraries()
    for module in pkgutil.walk_packages(feedtool.__path__, "feedtool."):
        with contextlib.suppress(ImportError):
            import_module(module.name)
    from feedtool.site import environment

    for template in (Path(str(feedtool.__file__)).parent / "data/templates").iterdir():
        environment._template(template.name, ())
    # A collection in a child would visit these objects, which never become garbage, and copy their pages.
    gc.collect()
    gc.freeze()
    # `python -m` puts the current folder first; a fork gets its own.
    sys.path[:] = [place for place in sys.path if place not in ("", str(ROOT))]
    while True:
        size, streams, _, _ = socket.recv_fds(end, 4, 2)
        if len(size) < 4:
            return
        request = b""
        while len(request) < int.from_bytes(size, "big"):
            request += end.recv(1 << 20)
        arguments, environment, folder, umask = json.loads(request)
        pid = os.fork()
        if pid == 0:
            end.close()
            _be(arguments, environment, folder, umask, streams)
        for stream in streams:
            os.close(stream)
        end.sendall(b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        end.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _be(arguments: list[str], environment: dict[str, str], folder: str, umask: int, streams: list[int]) -> None:
    """Become the process that `python -m feedtool` would have been; never return."""
    code = 1
    try:
        os.umask(umask)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        for number, stream in enumerate(streams, 1):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdout = sys.__stdout__ = _stream(1, "strict")  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = _stream(2, "backslashreplace")  # type: ignore[misc]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.path[:0] = [folder, *environment.get("PYTHONPATH", "").split(os.pathsep)]
        package = import_module("feedtool")
        sys.argv[:] = [os.path.join(os.path.dirname(str(package.__file__)), "__main__.py"), *arguments]
        import_module("feedtool.__main__").main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _stream(number: int, errors: str) -> io.TextIOWrapper:
    raw = io.FileIO(number, "wb", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors=errors, line_buffering=number == 2)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
