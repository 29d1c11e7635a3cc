"""Run jobs in worker processes under limits, so that a job that hangs, crashes or takes too much memory harms no other.

Each worker is a forked process that runs one job after another under limits of CPU, memory and time. The kernel or the
parent ends a worker that exceeds them, and another one replaces it. One fork per job would cost more than most jobs.
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

__all__ = ["JobFailure", "Limits", "Sandbox"]

J = TypeVar("J")
R = TypeVar("R")

_CHUNK = 1 << 18
_AHEAD = 2
"""Jobs that a worker has at a time: the current one and the next, so that it does not wait for the parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailure:
    """The reason why a job has no result: its kind, and a message for users, to follow a subject such as "the feed"."""

    kind: Literal["cpu", "wall", "memory", "crash", "result", "error"]
    message: str


class Sandbox:
    """Run a function over jobs in `workers` children. `note` is a message for users if the system cannot fork.

    With `early`, the fork server starts before the first job is requested. The children then share less memory with the
    main process, which pays if many jobs are certain to come.
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
        self.can_fork = hasattr(os, "fork")
        self.note = "" if self.can_fork else "this system can't fork, so a feed that hangs can't be stopped"

    def __call__(self, function: Callable[[J], R], jobs: Iterable[J | None], /) -> Iterator[tuple[J, R | JobFailure]]:
        """Yield each job with its result, or with the reason why it has none, in the order in which they finish.

        The next job is requested only when a worker can take it. Without jobs, nothing is prepared or started. An iterable
        that waits for its next job yields None now and then, so that finished results are not delayed.
        `prepare` is called once before the first worker starts, to load what all of them need. Closing the iterator ends
        all workers.
        """
        if not self.can_fork:
            for number, job in enumerate(job for job in jobs if job is not None):
                if self.prepare is not None and not number:
                    self.prepare()
                yield job, _run_here(function, job)
            return
        workers = _Workers(function, self.workers, self.limits, self.prepare)
        try:
            if self.early:
                workers.fork_server()
            yield from workers.run(iter(jobs))
        finally:
            workers.close()


def _run_here(function: Callable[[J], R], job: J) -> R | JobFailure:
    try:
        return function(job)
    except MemoryError:
        return JobFailure(kind="memory", message="ran out of memory")
    except Exception as error:  # noqa: BLE001  an exception is the job's result
        return JobFailure(kind="error", message=describe_error(error))


class _Worker(Generic[J]):
    """The parent's view of a child: the socket, the child's jobs, and the bytes in transit."""

    def __init__(self, pid: int, end: socket.socket) -> None:
        self.pid = pid
        self.end = end
        self.jobs: deque[J] = deque()
        self.unsent: deque[memoryview] = deque()
        self.received = bytearray()
        self.deadline = 0.0
        self.is_killed = False
        self.is_ending = False


class _Workers(Generic[J, R]):
    """All workers of a run, served by one loop."""

    def __init__(
        self, function: Callable[[J], R], size: int, limits: Limits, prepare: Callable[[], None] | None
    ) -> None:
        self.prepare = prepare
        self.function = function
        self.size = size
        self.limits = limits
        self.selector = selectors.DefaultSelector()
        self.workers: list[_Worker[J]] = []
        self.requeued: deque[J] = deque()
        self._fork_server: ForkServer | None = None

    def run(self, jobs: Iterator[J | None]) -> Iterator[tuple[J, R | JobFailure]]:
        exhausted = False
        while True:
            yield from self._serve(0.0)
            if (self.requeued or not exhausted) and self._has_capacity():
                try:
                    job = self.requeued.popleft() if self.requeued else next(jobs)
                except StopIteration:
                    exhausted = True
                    continue
                if job is not None:
                    self._assign(self._next_worker(), job)
            elif any(each.jobs for each in self.workers):
                yield from self._serve(self._longest_wait())
            elif exhausted and not self.requeued:
                return

    def fork_server(self) -> ForkServer:
        """Return the fork server; start it at the first call."""
        if self.prepare is not None:
            self.prepare()
            self.prepare = None
        if self._fork_server is None:
            self._fork_server = ForkServer(self.function, self.limits)
        return self._fork_server

    def _longest_wait(self) -> float:
        """Return the seconds to wait at most: until the first deadline."""
        soonest = min(each.deadline for each in self.workers if each.jobs)
        return min(1.0, max(0.01, soonest - time.monotonic()))

    def close(self) -> None:
        """Kill and reap all children at once, and stop the fork server."""
        for worker in list(self.workers):
            self._remove(worker, kill=True)
        self.selector.close()
        if self._fork_server is not None:
            self._fork_server.close()

    def _add_worker(self) -> None:
        pid, end = self._spawn()
        end.setblocking(False)
        worker: _Worker[J] = _Worker(pid, end)
        self.workers.append(worker)
        self.selector.register(end, selectors.EVENT_READ, worker)

    def _spawn(self) -> tuple[int, socket.socket]:
        """Return a new child's pid and the socket to it. Replace the fork server if the system has killed it."""
        server = self.fork_server()
        try:
            return server.spawn()
        except (ChildProcessError, ConnectionError):
            server.close()
            self._fork_server = None
        return self.fork_server().spawn()

    def _available(self) -> list[_Worker[J]]:
        return [each for each in self.workers if not each.is_ending and not each.is_killed]

    def _has_capacity(self) -> bool:
        """Return True if a job can be assigned, to a worker that waits for one or to a new worker."""
        available = self._available()
        return len(available) < self.size or any(len(each.jobs) < _AHEAD for each in available)

    def _next_worker(self) -> _Worker[J]:
        """Return the worker for the next job: an idle one, a new one, or the least busy one."""
        available = self._available()
        if len(available) < self.size and all(each.jobs for each in available):
            self._add_worker()
            return self.workers[-1]
        return min(available, key=lambda each: len(each.jobs))

    def _assign(self, worker: _Worker[J], job: J) -> None:
        try:
            data = pickle.dumps(job, pickle.HIGHEST_PROTOCOL)
        except BaseException:
            self.requeued.append(job)
            raise
        if not worker.jobs:
            worker.deadline = time.monotonic() + self.limits.wall
        worker.jobs.append(job)
        worker.unsent += (memoryview(HEADER.pack(RESULT, len(data))), memoryview(data))
        self._write(worker)

    def _serve(self, wait: float) -> Iterator[tuple[J, R | JobFailure]]:
        """Send and receive for at most `wait` seconds, yield finished jobs, and kill workers past their deadline."""
        for key, events in self.selector.select(wait):
            worker: _Worker[J] = key.data
            if events & selectors.EVENT_WRITE:
                self._write(worker)
            if events & selectors.EVENT_READ:
                yield from self._read(worker)
        now = time.monotonic()
        for worker in self.workers:
            if worker.jobs and now > worker.deadline and not worker.is_killed:
                worker.is_killed = True
                _kill(worker.pid)

    def _write(self, worker: _Worker[J]) -> None:
        try:
            while worker.unsent:
                sent = worker.end.send(worker.unsent[0][:_CHUNK])
                rest = worker.unsent.popleft()[sent:]
                if rest:
                    worker.unsent.appendleft(rest)
        except BlockingIOError:
            pass
        except OSError:
            worker.unsent.clear()  # the worker has ended; reading from it will show it
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.unsent else 0)
        self.selector.modify(worker.end, events, worker)

    def _read(self, worker: _Worker[J]) -> Iterator[tuple[J, R | JobFailure]]:
        try:
            data = worker.end.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            yield from self._reap(worker)
            return
        worker.received += data
        while (frame := _frame(worker.received)) is not None:
            kind, payload = frame
            job = worker.jobs.popleft()
            worker.deadline = time.monotonic() + self.limits.wall
            worker.is_ending = worker.is_ending or kind in (LAST, MEMORY)
            yield job, self._value(kind, payload)

    def _value(self, kind: int, payload: bytes) -> Any:
        if kind == ERROR:
            return JobFailure(kind="error", message=payload.decode("utf-8", "replace"))
        if kind == MEMORY:
            return _memory_failure(self.limits)
        if kind == TOO_LARGE:
            return JobFailure(kind="result", message=f"produced more than {self.limits.result // 1_000_000} MB")
        return pickle.loads(payload)  # noqa: S301  written by the child

    def _reap(self, worker: _Worker[J]) -> Iterator[tuple[J, R | JobFailure]]:
        """Reap a dead worker: fail its current job, and requeue the next one."""
        status = self._remove(worker)
        if worker.jobs and not worker.is_ending:
            yield worker.jobs.popleft(), _cause(status, worker.is_killed, self.limits)
        self.requeued += worker.jobs
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
    """Remove the first message from the data and return it; None if it is incomplete."""
    if len(data) < HEADER.size:
        return None
    kind, size = HEADER.unpack_from(data)
    end = HEADER.size + size
    if len(data) < end:
        return None
    payload = bytes(memoryview(data)[HEADER.size : end])
    del data[:end]
    return kind, payload


def _cause(status: int, killed: bool, limits: Limits) -> JobFailure:
    if killed:
        return JobFailure(kind="wall", message=f"took more than {limits.wall:g} s")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return JobFailure(kind="cpu", message=f"took more than {limits.cpu} s of CPU")
        if number == signal.SIGKILL:
            return JobFailure(kind="memory", message="was killed by the system, probably because memory ran out")
        return JobFailure(kind="crash", message=f"crashed its worker ({_signal_name(number)})")
    return JobFailure(kind="crash", message=f"ended its worker (status {os.waitstatus_to_exitcode(status)})")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _memory_failure(limits: Limits) -> JobFailure:
    return JobFailure(kind="memory", message=f"took more than {limits.memory // 1_000_000} MB of memory")
