"""Commands that a signal strikes at some moment: how they ended, and how soon; whether a site is locked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from feedtool.catalog.index import lock
from tests.support.site import command, environment

STOPPED = "\nerror: stopped\n"
SOON = 2.0
"""Seconds within which a run has to end."""
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Struck:
    """A command that a signal strikes after some seconds; how it ended, None as a code where it was done before."""

    def __init__(
        self, site: Path, *words: str, after: float, number: int, again: float = 0, group: bool = False
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
                time.sleep(after)
                self.code = self._strike(number, again, group=group)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _await_start(self) -> None:
        """Wait until it has taken the lock: before that, Python itself may be struck, which is not there yet."""
        until = time.monotonic() + 30
        while self._process.poll() is None and not is_locked(self.site):
            assert time.monotonic() < until
            time.sleep(0.002)

    def _strike(self, number: int, again: float, *, group: bool) -> int | None:
        process = self._process
        send = os.killpg if group else os.kill
        if process.poll() is not None:
            return None
        struck = time.monotonic()
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
        self.seconds = time.monotonic() - struck
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        drained.join()
        return process.wait()

    def _read(self) -> None:
        assert self._process.stderr is not None
        self.said = self._process.stderr.read().decode("utf-8", "replace")

    def check(self, number: int) -> None:
        """See that it ended as it should, or was done before."""
        if self.code in (0, 1, None):
            return
        assert (self.code, self.said.count("Traceback")) == (CODES[signal.Signals(number)], 0), self.said
        assert self.said.endswith("error: stopped\n"), self.said
        assert not re.search("(?i)exception|warning: |never awaited|unclosed|destroyed", self.said), self.said
        assert self.seconds < SOON, f"it took {self.seconds:.2f} s"
        with lock(str(self.site / ".feedtool")):
            pass


def is_locked(site: Path) -> bool:
    """Return True if another process holds the lock of a site; looking takes it for no time that matters."""
    import sqlite3

    path = site / ".feedtool/lock"
    if not path.exists():
        return False
    found = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0)
    try:
        found.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.DatabaseError:
        return False
    finally:
        found.close()
    return False
