"""A command in, what one run of it cost out: time, processor, memory of the whole tree of processes, bytes written."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SHARE = 40
"""Looking at the memory may cost one part in this many of the time."""


class Sample(NamedTuple):
    """One run: seconds of wall and of processor, bytes of memory at the peak, bytes and files written."""

    wall: float
    cpu: float
    memory: int
    written: int
    files: int


class FailedError(Exception):
    """A command that did not end well; the text is the end of what it said."""


def measured(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], watched: Sequence[Path] = (), code: int = 0
) -> Sample:
    """Run a command to its end; raises FailedError where it does not exit with `code`.

    `watched` are the folders whose files made or replaced are counted.

    Processor time is that of the process and of every child it waited for. Memory is the most that the tree was seen to
    hold, pages shared between processes counted once (PSS), and never less than the largest of its processes was.
    """
    before = _states(watched)
    with open(cwd / "bench.log", "w+b") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        watcher = _Watcher(process.pid)
        watcher.start()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.perf_counter() - started
        sent = _sent_to_disk(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.stop()
        if process.returncode != code:
            log.seek(0)
            raise FailedError(log.read()[-2_000:].decode("utf-8", "replace"))
    new = {path: state for path, state in _states(watched).items() if before.get(path) != state}
    memory = watcher.most
    if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        # What the child held before it became another program was ours, and counts in the kernel's figure.
        memory = max(memory, usage.ru_maxrss * 1024)
    written = sum(state[0] for state in new.values()) if sent is None else sent
    return Sample(wall, usage.ru_utime + usage.ru_stime, memory, written, len(new))


def _sent_to_disk(pid: int) -> int | None:
    """Return the bytes a process that has ended, and the children it waited for, had written to the disk; None: unknown."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/io", "rb") as file:
        for line in file:
            if line.startswith(b"write_bytes:"):
                return int(line.split()[1])
    return None


def _states(folders: Sequence[Path]) -> dict[str, tuple[int, int, int]]:
    """Return size, mtime and inode of every file below the folders."""
    states = {}
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                status = os.lstat(path)
                states[path] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return states


class _Watcher(threading.Thread):
    """Looks at the memory of a tree of processes, so seldom that it does not slow them."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._done = threading.Event()
        self.most = 0

    def run(self) -> None:
        pause = 0.01
        while not self._done.wait(pause):
            started = time.perf_counter()
            tree = _tree(self._root)
            together = sum(_figure(pid, "smaps_rollup", b"Pss:") for pid in tree)
            self.most = max(self.most, together, *(_figure(pid, "status", b"VmHWM:") for pid in tree))
            pause = max(0.02, SHARE * (time.perf_counter() - started))

    def stop(self) -> None:
        self._done.set()
        self.join()


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                    found.extend(map(int, file.read().split()))
    return found


def _figure(pid: int, file: str, name: bytes) -> int:
    """Return one figure of a process, in bytes; 0 when it is gone or the system does not tell."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{file}", "rb") as lines:
        for line in lines:
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0
