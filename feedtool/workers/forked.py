"""A function and items in, its results in their order out, by children that are forked for them and inherit the function.

The standard library's pool does the same, but to load it, its threads, and what it pickles and copies take 7 % of a cold
build of 10,000 articles (ARCHITECTURE.md). Where there is no fork, it is what is used.
"""

from __future__ import annotations

import _thread
import marshal
import os
import select
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

from feedtool.errors import FeedtoolError
from feedtool.pieces import Pieces, pour

A = TypeVar("A")
B = TypeVar("B")

AHEAD = 2
"""Items that a child has at a time: the one it works at, and the next."""
RAW, PIECES, MARSHALLED, PICKLED, ERROR = range(5)
"""What a message holds: bytes as they are, a tuple of such, what `marshal` carries, anything else, or what was raised."""
Data = bytes | Pieces
FAILED = 70
_SIZE = 8
_PATIENCE = 2.0
"""Seconds that a child has to clean up."""
_NOTHING: Any = object()


class ChildDiedError(FeedtoolError):
    """A child ended before it answered: the system ended it, most likely for want of memory."""


def can_fork() -> bool:
    """Say whether this process can go on in two: a lock that another thread holds would be held in the child for good."""
    threading = sys.modules.get("threading")
    if not hasattr(os, "fork") or not hasattr(select, "poll"):
        return False
    return threading is None or threading.active_count() == 1


def fork() -> int:
    """Do as `os.fork`, without a word of threads: who forks here knows of them, or they are a library's."""
    with warnings.catch_warnings():
        # Python 3.12 warns of any in the parent.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def spread(function: Callable[[A], B], items: Iterable[A], jobs: int) -> Iterator[B]:
    """Yield `function(item)` for each item, in order, by up to `jobs` children, reading few items ahead.

    Raises what the function raises, and ChildDiedError. Where the system has no room for another process, fewer do it, at
    last this one alone. The children end with the iterator, which lets them clean up, and at once when this process does.
    """
    crowd = _Children(function, jobs)
    try:
        yield from _shared(function, iter(items), crowd)
    finally:
        crowd.end()


def _shared(function: Callable[[A], B], items: Iterator[A], crowd: _Children) -> Iterator[B]:
    done: dict[int, tuple[int, Data]] = {}
    given = asked = 0
    is_over = False
    while True:
        while not is_over and given - asked < 4 * crowd.most and crowd.has_capacity():
            item = next(items, _NOTHING)
            if item is _NOTHING:
                is_over = True
            elif (child := crowd.idlest()) is not None:
                crowd.give(child, given, item)
                given += 1
            else:
                # The system has no room for any other process.
                yield function(item)
                yield from map(function, items)
                return
        if asked in done:
            yield _unpacked(*done.pop(asked))
            asked += 1
        elif asked < given:
            done.update(crowd.answers())
        else:
            return


class _Children:
    """The children of one map: each is born when all others have something to do."""

    def __init__(self, function: Callable[[Any], Any], most: int) -> None:
        self.most = most
        self._function = function
        self._children: list[_Child] = []
        self._owners: dict[int, _Child] = {}
        self._poll = select.poll()
        self._guard: tuple[int, int] | None = None
        """A pipe that nobody writes to: that its other end is gone tells children that their parent is."""

    def has_capacity(self) -> bool:
        """Say whether some child takes an item, one that is not born yet perhaps."""
        return len(self._children) < self.most or any(len(child.items) < AHEAD for child in self._children)

    def idlest(self) -> _Child | None:
        """Return the child that has least to do, a new one where all have something; None where there can be none."""
        child = min(self._children, key=lambda one: len(one.items), default=None)
        if (child is None or child.items) and len(self._children) < self.most:
            try:
                return self._born()
            except OSError:
                self.most = len(self._children)
        return child

    def _born(self) -> _Child:
        if self._guard is None:
            self._guard = os.pipe()
        ours = [end for child in self._children for end in (child.jobs, child.results)]
        child = _Child(self._function, self._guard[0], [*ours, self._guard[1]])
        self._children.append(child)
        self._owners[child.results] = self._owners[child.jobs] = child
        self._poll.register(child.results, select.POLLIN)
        return child

    def give(self, child: _Child, number: int, item: Any) -> None:
        """Send a child an item."""
        child.items.append(number)
        if child.push(b"".join(_message(*_packed(item)))):
            self._poll.register(child.jobs, select.POLLOUT)

    def answers(self) -> Iterator[tuple[int, tuple[int, Data]]]:
        """Wait for some answers, and yield each with the number of its item."""
        for end, _ in self._poll.poll():
            child = self._owners[end]
            if end == child.results:
                answer = child.answer()
                yield child.items.popleft(), answer
            elif not child.push():
                self._poll.unregister(end)

    def end(self) -> None:
        """Let all children go, and wait until they are gone."""
        for child in self._children:
            child.let_go()
        for child in self._children:
            child.wait()
        for end in self._guard or ():
            os.close(end)


class _Child:
    """One child, the items it has, by their numbers, and what of them it has not taken yet."""

    def __init__(self, function: Callable[[Any], Any], guard: int, others: list[int]) -> None:
        """Fork; `others` are ends of pipes that the child must not have: it would keep its siblings from seeing them gone."""
        self.items: deque[int] = deque()
        self._unsent = b""
        ends: list[int] = []
        parent = os.getpid()
        try:
            ends += os.pipe()
            ends += os.pipe()
            self.pid = fork()
            if self.pid == 0:
                _live(function, ends[0], ends[3], guard, [*others, ends[1], ends[2]])
        except BaseException:
            if os.getpid() != parent:
                # Ctrl-C came before the child knew what it is: it must never run its parent's code.
                os._exit(FAILED)
            for end in ends:
                os.close(end)
            raise
        theirs, self.jobs, self.results, ours = ends
        os.close(theirs)
        os.close(ours)
        os.set_blocking(self.jobs, False)
        _widen(self.results)

    def push(self, message: bytes = b"") -> bool:
        """Send what the child takes, this message last; say whether some is left where nothing was."""
        was_left = bool(self._unsent) and bool(message)
        self._unsent += message
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self.jobs, self._unsent) :]
        except BlockingIOError:
            return not was_left
        except BrokenPipeError:
            self._unsent = b""  # it is gone, which its results tell
        return False

    def answer(self) -> tuple[int, Data]:
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
        try:
            status = os.waitpid(pid, 0)[1]
        except ChildProcessError:  # this process was started by one that wants to know of no children
            return "how, the system does not tell"
        return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"

    def let_go(self) -> None:
        """Ask it to end, whatever it does."""
        os.close(self.jobs)
        os.close(self.results)
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> None:
        """Wait until it has cleaned up and ended; not for long."""
        until = time.monotonic() + _PATIENCE
        with suppress(ChildProcessError, ProcessLookupError):
            while self.pid and os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                if time.monotonic() > until:
                    os.kill(self.pid, signal.SIGKILL)
                time.sleep(0.0005)


def _live(function: Callable[[Any], Any], jobs: int, results: int, guard: int, others: list[int]) -> NoReturn:
    """Be a child: answer until there is nobody to answer."""
    status = FAILED
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
        signal.signal(signal.SIGTERM, _stop)
        signal.set_wakeup_fd(-1)
        for end in others:
            os.close(end)
        _thread.start_new_thread(_end_with_parent, (guard,))
        while True:
            kind, data = _received(jobs)
            if kind is None:
                break
            try:
                answer = _packed(function(_unpacked(kind, data)))
            except BaseException as error:  # noqa: BLE001 - what the function raises is raised where it is waited for
                answer = ERROR, _told(error)
            pour(results, _message(*answer))
        status = 0
    finally:
        # Whatever happens, it must never run its parent's code.
        os._exit(status)


def _stop(*_: object) -> NoReturn:
    """Let what a child is at clean up behind itself, and the child end."""
    # It may be in a callback of a library that can't pass this on, and would have it told: nobody is to hear of it.
    sys.unraisablehook = lambda _: None
    raise SystemExit


def _end_with_parent(guard: int) -> None:
    """End this process at once when its parent is gone: another run may be at work where that was."""
    os.read(guard, 1)
    os._exit(FAILED)


def _widen(end: int) -> None:
    """Let a pipe hold a whole result, so that a child begins the next before this one is taken."""
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 1 << 20)


def _message(kind: int, data: Data) -> list[bytes]:
    """Return a message in pieces: its kind, a size, and what it holds. Of many pieces, their sizes come first."""
    if isinstance(data, bytes):
        return [bytes((kind,)) + len(data).to_bytes(_SIZE, "big"), data]
    sizes = b"".join([len(piece).to_bytes(_SIZE, "big") for piece in data])
    return [bytes((kind,)) + len(sizes).to_bytes(_SIZE, "big") + sizes, *data]


def _received(end: int) -> tuple[int | None, Data]:
    """Return a message's kind and data; None where the other side is gone."""
    header = _exactly(end, 1 + _SIZE)
    if len(header) < 1 + _SIZE:
        return None, b""
    kind, size = header[0], int.from_bytes(header[1:], "big")
    data = _exactly(end, size)
    if len(data) < size:
        return None, b""
    if kind != PIECES:
        return kind, data
    sizes = [int.from_bytes(data[start : start + _SIZE], "big") for start in range(0, size, _SIZE)]
    pieces = tuple([_exactly(end, size) for size in sizes])
    return (kind, pieces) if list(map(len, pieces)) == sizes else (None, b"")


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


def _packed(value: Any) -> tuple[int, Data]:
    if type(value) is bytes:
        return RAW, value
    if type(value) is tuple and value and all(type(piece) is bytes for piece in value):
        return PIECES, value
    try:
        return MARSHALLED, marshal.dumps(value)
    except ValueError:
        # It refuses what it would not give back as it is; but for subclasses of bytes, which nothing here sends.
        import pickle

        return PICKLED, pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def _unpacked(kind: int, data: Data) -> Any:
    """Return what a message holds, or raise it."""
    if kind == RAW or not isinstance(data, bytes):
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
    import traceback

    with suppress(Exception):
        error.add_note("".join(traceback.format_exception(error)))
        data = pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)  # noqa: S301 - many an exception can be pickled and not be read again
        return data
    told = RuntimeError(f"{type(error).__name__} in another process")
    with suppress(Exception):
        told = RuntimeError(f"{type(error).__name__}: {error}"[:500])
        told.add_note("".join(traceback.format_exception(error)))
    return pickle.dumps(told, pickle.HIGHEST_PROTOCOL)
