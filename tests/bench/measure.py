"""Measure one run of a command: time, processor, memory of all its processes, and bytes written."""

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
"""Reading the memory may take at most 1/SHARE of the time."""


class Sample(NamedTuple):
    """One run: wall and processor seconds, peak memory in bytes, bytes and files written."""

    wall: float
    cpu: float
    memory: int
    written: int
    files: int


class FailedError(Exception):
    """A command failed; the text is the end of its output."""


def measured(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], watched: Sequence[Path] = (), code: int = 0
) -> Sample:
    """Run a command to its end and return its costs.

    Files that the run created or replaced in the `watched` folders are counted. Raises FailedError if the exit code is
    not `code`. Processor time includes every child that the process waited for. Memory is the largest sum over the
    process tree, with shared pages counted once (PSS), and at least the peak of the largest process.
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
        # The kernel's figure includes the memory of the child before exec, which was a copy of ours.
        memory = max(memory, usage.ru_maxrss * 1024)
    written = sum(state[0] for state in new.values()) if sent is None else sent
    return Sample(wall, usage.ru_utime + usage.ru_stime, memory, written, len(new))


def _sent_to_disk(pid: int) -> int | None:
    """Return the bytes that an ended process and its children wrote to the disk; None if unknown."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/io", "rb") as file:
        for line in file:
            if line.startswith(b"write_bytes:"):
                return int(line.split()[1])
    return None


def _states(folders: Sequence[Path]) -> dict[str, tuple[int, int, int]]:
    """Return the size, mtime and inode of every file below the folders."""
    states = {}
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                status = os.lstat(path)
                states[path] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return states


class _Watcher(threading.Thread):
    """Read the memory of a process tree, so rarely that it does not slow the processes."""

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
    pids = [root]
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                    pids.extend(map(int, file.read().split()))
    return pids


def _figure(pid: int, file: str, name: bytes) -> int:
    """Return one figure of a process in bytes; 0 if the process has ended or the system does not report it."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{file}", "rb") as lines:
        for line in lines:
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0
