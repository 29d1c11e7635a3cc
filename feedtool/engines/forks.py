"""A function and items in, its results in their order out, by children that are forked for them and inherit the function.

The standard library's pool does the same, but to load it, its threads, and what it pickles and copies take a tenth of a cold
build of 10,000 articles (ARCHITECTURE.md). It is what is used where there is no fork, or where threads forbid one.
"""

from __future__ import annotations

import marshal
import os
import select
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

from feedtool.errors import FeedtoolError

A = TypeVar("A")
B = TypeVar("B")

AHEAD = 2
"""Items that a child has at a time: the one it works at, and the next."""
RAW, MARSHALLED, PICKLED, ERROR = range(4)
"""What a message holds: bytes as they are, what `marshal` carries, anything else, or what was raised."""
_HEADER = 9
_NOTHING: Any = object()


class ChildDiedError(FeedtoolError):
    """A child ended before it answered: the system ended it, most likely for want of memory."""


def can_fork() -> bool:
    """Say whether this process can go on in two: a lock that another thread holds would be held in the child for good."""
    threading = sys.modules.get("threading")
    if not hasattr(os, "fork") or not hasattr(select, "poll"):
        return False
    return threading is None or threading.active_count() == 1


def spread(function: Callable[[A], B], items: Iterable[A], jobs: int) -> Iterator[B]:
    """Yield `function(item)` for each item, in order, by `jobs` children, reading few items ahead.

    Raises what the function raises, and ChildDiedError. Where the system has no room for another process, fewer do it, at
    last this one alone. The children end with the iterator, and when this process does.
    """
    remaining = iter(items)
    first = next(remaining, _NOTHING)
    if first is _NOTHING:
        return
    children: list[_Child] = []
    try:
        with suppress(OSError):
            for _ in range(jobs):
                children.append(_Child(function, children))
        if children:
            yield from _shared(_chained(first, remaining), children)
        else:
            yield from map(function, _chained(first, remaining))
    finally:
        for child in children:
            child.end()


def _chained(first: A, others: Iterator[A]) -> Iterator[A]:
    yield first
    yield from others


def _shared(items: Iterator[A], children: list[_Child]) -> Iterator[Any]:
    poll = select.poll()
    owners = {}
    for child in children:
        owners[child.results] = owners[child.jobs] = child
        poll.register(child.results, select.POLLIN)
    done: dict[int, tuple[int, bytes]] = {}
    given = asked = 0
    is_over = False
    while True:
        for child in children:
            while len(child.given) < AHEAD and given - asked < 4 * len(children) and not is_over:
                item = next(items, _NOTHING)
                if item is _NOTHING:
                    is_over = True
                    break
                if child.give(given, item):
                    poll.register(child.jobs, select.POLLOUT)
                given += 1
        if asked in done:
            yield _unpacked(*done.pop(asked))
            asked += 1
            continue
        if asked == given:
            return
        for number, _ in poll.poll():
            child = owners[number]
            if number == child.results:
                answer = child.answer()
                done[child.given.popleft()] = answer
            elif not child.push():
                poll.unregister(number)


class _Child:
    """One child, the items it has, by their numbers, and what of them it has not taken yet."""

    def __init__(self, function: Callable[[Any], Any], before: list[_Child]) -> None:
        theirs, self.jobs = os.pipe()
        self.given: deque[int] = deque()
        self._unsent = b""
        try:
            self.results, ours = os.pipe()
        except OSError:
            os.close(theirs)
            os.close(self.jobs)
            raise
        try:
            self.pid = os.fork()
        except OSError:
            for end in (theirs, self.jobs, self.results, ours):
                os.close(end)
            raise
        if self.pid == 0:
            # An end of the parent's that is open here would keep the others from seeing that it is gone.
            _live(function, theirs, ours, [end for child in [*before, self] for end in (child.jobs, child.results)])
        os.close(theirs)
        os.close(ours)
        os.set_blocking(self.jobs, False)
        _widen(self.results)

    def give(self, number: int, item: Any) -> bool:
        """Send an item; say whether some of it is left to `push`, since the child does not listen now."""
        self.given.append(number)
        was_left = bool(self._unsent)
        self._unsent += _message(*_packed(item))
        return self.push() and not was_left

    def push(self) -> bool:
        """Send what the child takes; say whether some is left."""
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self.jobs, self._unsent) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            self._unsent = b""  # it is gone, which its results tell
        return False

    def answer(self) -> tuple[int, bytes]:
        """Return the next message, or raise ChildDiedError."""
        kind, data = _received(self.results)
        if kind is None:
            raise ChildDiedError(
                f"a process of this run was ended from outside ({self._how()})",
                hint="see whether there is memory enough; `--jobs 1` takes least",
            )
        return kind, data

    def _how(self) -> str:
        pid, self.pid = self.pid, 0
        status = os.waitpid(pid, 0)[1]
        return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"

    def end(self) -> None:
        """Let it go, whatever it does: all that it does is answer."""
        os.close(self.jobs)
        os.close(self.results)
        if self.pid:
            import signal

            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)


def _live(function: Callable[[Any], Any], jobs: int, results: int, others: list[int]) -> NoReturn:
    """Be a child: answer until there is nobody to answer."""
    try:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        for end in others:
            os.close(end)
        while True:
            kind, data = _received(jobs)
            if kind is None:
                break
            try:
                answer = _packed(function(_unpacked(kind, data)))
            except BaseException as error:  # noqa: BLE001 - what the function raises is raised where it is waited for
                answer = ERROR, _told(error)
            left = memoryview(_message(*answer))
            while left:
                left = left[os.write(results, left) :]
    finally:
        # Whatever happens, it must never run its parent's code.
        os._exit(0)


def _widen(end: int) -> None:
    """Let a pipe hold a whole result, so that a child begins the next before this one is taken."""
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 1 << 20)


def _message(kind: int, data: bytes) -> bytes:
    return b"".join((bytes((kind,)), len(data).to_bytes(_HEADER - 1, "big"), data))


def _received(end: int) -> tuple[int | None, bytes]:
    """Return a message's kind and data; None where the other side is gone."""
    header = _exactly(end, _HEADER)
    if len(header) < _HEADER:
        return None, b""
    size = int.from_bytes(header[1:], "big")
    data = _exactly(end, size)
    return (header[0], data) if len(data) == size else (None, b"")


def _exactly(end: int, size: int) -> bytes:
    data = os.read(end, size) if size else b""
    if len(data) == size or not data:
        return data
    parts = [data]
    left = size - len(data)
    while left and (part := os.read(end, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _packed(value: Any) -> tuple[int, bytes]:
    if type(value) is bytes:
        return RAW, value
    try:
        return MARSHALLED, marshal.dumps(value)
    except ValueError:
        # It takes exactly the types that it gives back.
        import pickle

        return PICKLED, pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def _unpacked(kind: int, data: bytes) -> Any:
    """Return what a message holds, or raise it."""
    if kind == RAW:
        return data
    if kind == MARSHALLED:
        return marshal.loads(data)  # noqa: S302 - what the other half of this process wrote
    import pickle

    value = pickle.loads(data)  # noqa: S301 - likewise
    if kind == ERROR:
        raise value
    return value


def _told(error: BaseException) -> bytes:
    import pickle

    with suppress(Exception):
        data = pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)  # noqa: S301 - many an exception can be pickled and not be read again
        return data
    return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"[:500]), pickle.HIGHEST_PROTOCOL)
