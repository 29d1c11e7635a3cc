"""Send signals to running commands, and check how and how soon they end; check if a site is locked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from feedtool.catalog.index import lock
from tests.support.site import command, environment

STOPPED = "\nerror: stopped\n"
SOON = 2.0
"""The seconds within which a run must end."""
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class SignalledCommand:
    """A command that gets a signal as soon as `ready` returns True and some seconds have passed after that.

    `code` is its exit code; None if it ended before the signal.
    """

    def __init__(
        self,
        site: Path,
        *words: str,
        number: int,
        after: float = 0,
        ready: Callable[[], bool] = lambda: True,
        again: float = 0,
        group: bool = False,
    ) -> None:
        self.site = site
        with subprocess.Popen(
            command(words[0], "-C", str(site), *words[1:]),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            self._process = process
            try:
                self._await_start()
                while self._process.poll() is None and not ready():
                    time.sleep(0.02)
                time.sleep(after)
                self.code = self._send_signal(number, again, group=group)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _await_start(self) -> None:
        """Wait until the process has the lock: an earlier signal would hit the start of Python itself."""
        until = time.monotonic() + 30
        while self._process.poll() is None and not is_locked(self.site):
            assert time.monotonic() < until
            time.sleep(0.002)

    def _send_signal(self, number: int, again: float, *, group: bool) -> int | None:
        process = self._process
        send = os.killpg if group else os.kill
        if process.poll() is not None:
            return None
        signalled_at = time.monotonic()
        with suppress(ProcessLookupError):
            send(process.pid, number)
        drained = threading.Thread(target=self._read)
        drained.start()
        if again:
            time.sleep(again)
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        self.seconds = time.monotonic() - signalled_at
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        drained.join()
        return process.wait()

    def _read(self) -> None:
        assert self._process.stderr is not None
        self.stderr = self._process.stderr.read().decode("utf-8", "replace")

    def check(self, number: int) -> None:
        """Assert that the command ended as it should, or had ended before the signal."""
        if self.code in (0, 1, None):
            return
        assert (self.code, self.stderr.count("Traceback")) == (CODES[signal.Signals(number)], 0), self.stderr
        assert self.stderr.endswith("error: stopped\n"), self.stderr
        assert not re.search("(?i)exception|warning: |never awaited|unclosed|destroyed", self.stderr), self.stderr
        assert self.seconds < SOON, f"it took {self.seconds:.2f} s"
        with lock(str(self.site / ".feedtool")):
            pass


def is_locked(site: Path) -> bool:
    """Return True if another process holds the lock of a site.

    The check itself holds the lock for a negligible time.
    """
    import sqlite3

    path = site / ".feedtool/lock"
    if not path.exists():
        return False
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
    return False
