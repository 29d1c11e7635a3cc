"""Jobs in, what became of each out as it is done; a job that hangs, crashes or devours memory costs itself alone.

Each worker is a forked process that takes one job after another under limits of CPU, memory and time; the kernel or
the parent ends one that goes over, and another takes its place. A fork for each job would cost more than most jobs.
"""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from feedtool.workers.fork_server import ForkServer
from feedtool.workers.sandbox_child import ERROR, HEADER, LAST, MEMORY, RESULT, TOO_LARGE, Limits, describe_error

__all__ = ["Limits", "Lost", "Sandbox"]

J = TypeVar("J")
R = TypeVar("R")

_CHUNK = 1 << 18
_AHEAD = 2
"""Jobs a worker has at a time: the one it is at, and the next, so that it need not wait for the parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A job without a result: why, and the same for people."""

    kind: Literal["cpu", "wall", "memory", "crash", "result", "error"]
    message: str


class Sandbox:
    """Runs a function over jobs in `workers` children. `note` says so where jobs can't be ended, for want of fork.

    `early` has what starts them ready before the first job is asked for: a child has what its parent held then, and where jobs
    are sure to come, and many, that is best little.
    """

    def __init__(
        self,
        workers: int,
        *,
        limits: Limits | None = None,
        prepare: Callable[[], None] | None = None,
        early: bool = False,
    ) -> None:
        self.early = early
        self.workers = max(1, workers)
        self.limits = limits or Limits()
        self.prepare = prepare
        self.forks = hasattr(os, "fork")
        self.note = "" if self.forks else "this system can't fork: a feed that hangs can't be ended"

    def __call__(self, function: Callable[[J], R], jobs: Iterable[J | None], /) -> Iterator[tuple[J, R | Lost]]:
        """Yield each job with its result, or why it has none, in the order they finish.

        Jobs are asked for only when a worker has room, and where there is none, nothing is prepared or started. Whoever makes
        them and has to wait for the next gives None now and then, so that results do not wait as long.
        `prepare` is called once before the first worker starts, for what all of them need. Closing the iterator ends
        every worker.
        """
        if not self.forks:
            for number, job in enumerate(job for job in jobs if job is not None):
                if self.prepare is not None and not number:
                    self.prepare()
                yield job, _here(function, job)
            return
        crew = _Workers(function, self.workers, self.limits, self.prepare)
        try:
            if self.early:
                crew.fork_server()
            yield from crew.run(iter(jobs))
        finally:
            crew.close()


def _here(function: Callable[[J], R], job: J) -> R | Lost:
    try:
        return function(job)
    except MemoryError:
        return Lost(kind="memory", message="took more memory than there is")
    except Exception as error:  # noqa: BLE001  what a job raises is its result
        return Lost(kind="error", message=describe_error(error))


class _Worker(Generic[J]):
    """The parent's view of one child: its end of the socket, the jobs the child has, the bytes on their way."""

    def __init__(self, pid: int, end: socket.socket) -> None:
        self.pid = pid
        self.end = end
        self.jobs: deque[J] = deque()
        self.out: deque[memoryview] = deque()
        self.into = bytearray()
        self.deadline = 0.0
        self.killed = False
        self.leaving = False


class _Workers(Generic[J, R]):
    """All workers of one run, served from one loop."""

    def __init__(
        self, function: Callable[[J], R], size: int, limits: Limits, prepare: Callable[[], None] | None
    ) -> None:
        self.prepare = prepare
        self.function = function
        self.size = size
        self.limits = limits
        self.selector = selectors.DefaultSelector()
        self.workers: list[_Worker[J]] = []
        self.again: deque[J] = deque()
        self._fork_server: ForkServer | None = None

    def run(self, jobs: Iterator[J | None]) -> Iterator[tuple[J, R | Lost]]:
        exhausted = False
        while True:
            yield from self._serve(0.0)
            if (self.again or not exhausted) and self._has_room():
                try:
                    job = self.again.popleft() if self.again else next(jobs)
                except StopIteration:
                    exhausted = True
                    continue
                if job is not None:
                    self._hand(self._roomy(), job)
            elif any(each.jobs for each in self.workers):
                yield from self._serve(self._patience())
            elif exhausted and not self.again:
                return

    def fork_server(self) -> ForkServer:
        """Return what starts workers, made when it is first asked for."""
        if self.prepare is not None:
            self.prepare()
            self.prepare = None
        if self._fork_server is None:
            self._fork_server = ForkServer(self.function, self.limits)
        return self._fork_server

    def _patience(self) -> float:
        """Return how long to wait at most: until the first deadline."""
        soonest = min(each.deadline for each in self.workers if each.jobs)
        return min(1.0, max(0.01, soonest - time.monotonic()))

    def close(self) -> None:
        """End every child at once and leave nothing of them behind."""
        for worker in list(self.workers):
            self._remove(worker, kill=True)
        self.selector.close()
        if self._fork_server is not None:
            self._fork_server.close()

    def _hire(self) -> None:
        pid, end = self._spawned()
        end.setblocking(False)
        worker: _Worker[J] = _Worker(pid, end)
        self.workers.append(worker)
        self.selector.register(end, selectors.EVENT_READ, worker)

    def _spawned(self) -> tuple[int, socket.socket]:
        """Return a child and the socket to it, of another nursery where the system ended the first."""
        nursery = self.fork_server()
        try:
            return nursery.spawn()
        except (ChildProcessError, ConnectionError):
            nursery.close()
            self._fork_server = None
        return self.fork_server().spawn()

    def _staying(self) -> list[_Worker[J]]:
        return [each for each in self.workers if not each.leaving and not each.killed]

    def _has_room(self) -> bool:
        """Say whether a job could be handed on: a worker waits for one, or may be hired."""
        staying = self._staying()
        return len(staying) < self.size or any(len(each.jobs) < _AHEAD for each in staying)

    def _roomy(self) -> _Worker[J]:
        """Return the worker to hand a job to: one with nothing to do, a new one, or the least busy."""
        staying = self._staying()
        if len(staying) < self.size and all(each.jobs for each in staying):
            self._hire()
            return self.workers[-1]
        return min(staying, key=lambda each: len(each.jobs))

    def _hand(self, worker: _Worker[J], job: J) -> None:
        try:
            data = pickle.dumps(job, pickle.HIGHEST_PROTOCOL)
        except BaseException:
            self.again.append(job)
            raise
        if not worker.jobs:
            worker.deadline = time.monotonic() + self.limits.wall
        worker.jobs.append(job)
        worker.out += (memoryview(HEADER.pack(RESULT, len(data))), memoryview(data))
        self._write(worker)

    def _serve(self, wait: float) -> Iterator[tuple[J, R | Lost]]:
        """Move what can be moved, within `wait` seconds, and yield what has been done."""
        for key, events in self.selector.select(wait):
            worker: _Worker[J] = key.data
            if events & selectors.EVENT_WRITE:
                self._write(worker)
            if events & selectors.EVENT_READ:
                yield from self._read(worker)
        now = time.monotonic()
        for worker in self.workers:
            if worker.jobs and now > worker.deadline and not worker.killed:
                worker.killed = True
                _kill(worker.pid)

    def _write(self, worker: _Worker[J]) -> None:
        try:
            while worker.out:
                sent = worker.end.send(worker.out[0][:_CHUNK])
                rest = worker.out.popleft()[sent:]
                if rest:
                    worker.out.appendleft(rest)
        except BlockingIOError:
            pass
        except OSError:
            worker.out.clear()  # it is gone: reading will tell
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.out else 0)
        self.selector.modify(worker.end, events, worker)

    def _read(self, worker: _Worker[J]) -> Iterator[tuple[J, R | Lost]]:
        try:
            data = worker.end.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            yield from self._reap(worker)
            return
        worker.into += data
        while (frame := _frame(worker.into)) is not None:
            kind, payload = frame
            job = worker.jobs.popleft()
            worker.deadline = time.monotonic() + self.limits.wall
            worker.leaving = worker.leaving or kind in (LAST, MEMORY)
            yield job, self._value(kind, payload)

    def _value(self, kind: int, payload: bytes) -> Any:
        if kind == ERROR:
            return Lost(kind="error", message=payload.decode("utf-8", "replace"))
        if kind == MEMORY:
            return _memory(self.limits)
        if kind == TOO_LARGE:
            return Lost(kind="result", message=f"made more than {self.limits.result // 1_000_000} MB out of it")
        return pickle.loads(payload)  # noqa: S301  our own child wrote it

    def _reap(self, worker: _Worker[J]) -> Iterator[tuple[J, R | Lost]]:
        """Take leave of a child: the job it was at is lost, the one it had not begun goes to another."""
        status = self._remove(worker)
        if worker.jobs and not worker.leaving:
            yield worker.jobs.popleft(), _cause(status, worker.killed, self.limits)
        self.again += worker.jobs
        worker.jobs.clear()

    def _remove(self, worker: _Worker[J], *, kill: bool = False) -> int:
        self.workers.remove(worker)
        with suppress(KeyError, ValueError):
            self.selector.unregister(worker.end)
        worker.end.close()
        if kill:
            _kill(worker.pid)
        try:
            return self._fork_server.status(worker.pid) if self._fork_server else 0
        except OSError:
            return 0


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _frame(data: bytearray) -> tuple[int, bytes] | None:
    """Take one whole message off the front, None when it has not all come yet."""
    if len(data) < HEADER.size:
        return None
    kind, size = HEADER.unpack_from(data)
    end = HEADER.size + size
    if len(data) < end:
        return None
    payload = bytes(memoryview(data)[HEADER.size : end])
    del data[:end]
    return kind, payload


def _cause(status: int, killed: bool, limits: Limits) -> Lost:
    if killed:
        return Lost(kind="wall", message=f"took more than {limits.wall:g} s")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return Lost(kind="cpu", message=f"took more than {limits.cpu} s of CPU")
        if number == signal.SIGKILL:
            return Lost(kind="memory", message="was killed by the system, most likely for want of memory")
        return Lost(kind="crash", message=f"crashed its worker ({_signal_name(number)})")
    return Lost(kind="crash", message=f"ended its worker (status {os.waitstatus_to_exitcode(status)})")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _memory(limits: Limits) -> Lost:
    return Lost(kind="memory", message=f"took more than {limits.memory // 1_000_000} MB of memory")
