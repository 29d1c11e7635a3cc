"""Map a function over items in forked child processes, which inherit the function, and yield the results in order.

The standard library's pool does the same, but its imports, threads, pickling and copying take 7 % of a cold build of 10,000
articles (ARCHITECTURE.md). Systems without `fork` use that pool.
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
from feedtool.pieces import Pieces, write_pieces

A = TypeVar("A")
B = TypeVar("B")

AHEAD = 2
"""Items that a child has at a time: the current one and the next."""
RAW, PIECES, MARSHALLED, PICKLED, ERROR = range(5)
"""The content of a message: plain bytes, a tuple of bytes, a value for `marshal`, any other value, or an exception."""
Data = bytes | Pieces
FAILED = 70
_SIZE = 8
_CLEANUP_TIMEOUT = 2.0
"""Seconds that a child has for its clean-up."""
_END: Any = object()


class ChildDiedError(FeedtoolError):
    """A child ended before it sent its result; most likely the system killed it because memory ran out."""


def can_fork() -> bool:
    """Return True if this process can fork safely: a lock held by another thread would stay locked in the child."""
    threading = sys.modules.get("threading")
    if not hasattr(os, "fork") or not hasattr(select, "poll"):
        return False
    return threading is None or threading.active_count() == 1


def fork() -> int:
    """Fork like `os.fork`, without the warning about threads: the callers of this function allow for them."""
    with warnings.catch_warnings():
        # Python 3.12 warns if the parent has any thread.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def spread(function: Callable[[A], B], items: Iterable[A], jobs: int) -> Iterator[B]:
    """Yield `function(item)` for each item, in order, computed by up to `jobs` children; read only a few items ahead.

    Raise what the function raises, and ChildDiedError. If the system cannot start another process, use fewer children, or
    only this process. The children end with the iterator, after their clean-up, and at once if this process ends.
    """
    children = _Children(function, jobs)
    try:
        yield from _run(function, iter(items), children)
    finally:
        children.end()


def _run(function: Callable[[A], B], items: Iterator[A], children: _Children) -> Iterator[B]:
    done: dict[int, tuple[int, Data]] = {}
    sent = yielded = 0
    is_over = False
    while True:
        while not is_over and sent - yielded < 4 * children.most and children.has_capacity():
            item = next(items, _END)
            if item is _END:
                is_over = True
            elif (child := children.idlest()) is not None:
                children.send(child, sent, item)
                sent += 1
            else:
                # The system cannot start any process.
                yield function(item)
                yield from map(function, items)
                return
        if yielded in done:
            yield _unpacked(*done.pop(yielded))
            yielded += 1
        elif yielded < sent:
            done.update(children.results())
        else:
            return


class _Children:
    """The children of one map. A new one is forked only when all others are busy."""

    def __init__(self, function: Callable[[Any], Any], most: int) -> None:
        self.most = most
        self._function = function
        self._children: list[_Child] = []
        self._owners: dict[int, _Child] = {}
        self._poll = select.poll()
        self._guard: tuple[int, int] | None = None
        """A pipe without messages: children see it closed when their parent has ended."""

    def has_capacity(self) -> bool:
        """Return True if a child can take an item, including a child that is still to be forked."""
        return len(self._children) < self.most or any(len(child.items) < AHEAD for child in self._children)

    def idlest(self) -> _Child | None:
        """Return the least busy child, or a new one if all are busy; None if no child can be started."""
        child = min(self._children, key=lambda one: len(one.items), default=None)
        if (child is None or child.items) and len(self._children) < self.most:
            try:
                return self._spawn()
            except OSError:
                self.most = len(self._children)
        return child

    def _spawn(self) -> _Child:
        if self._guard is None:
            self._guard = os.pipe()
        ours = [end for child in self._children for end in (child.jobs, child.results)]
        child = _Child(self._function, self._guard[0], [*ours, self._guard[1]])
        self._children.append(child)
        self._owners[child.results] = self._owners[child.jobs] = child
        self._poll.register(child.results, select.POLLIN)
        return child

    def send(self, child: _Child, number: int, item: Any) -> None:
        """Send an item to a child."""
        child.items.append(number)
        if child.push(b"".join(_message(*_packed(item)))):
            self._poll.register(child.jobs, select.POLLOUT)

    def results(self) -> Iterator[tuple[int, tuple[int, Data]]]:
        """Wait for at least one event on the pipes, and yield each result with the number of its item."""
        for end, _ in self._poll.poll():
            child = self._owners[end]
            if end == child.results:
                result = child.receive()
                yield child.items.popleft(), result
            elif not child.push():
                self._poll.unregister(end)

    def end(self) -> None:
        """Stop all children, and wait until they have ended."""
        for child in self._children:
            child.stop()
        for child in self._children:
            child.wait()
        for end in self._guard or ():
            os.close(end)


class _Child:
    """A child process, the numbers of the items that it has, and the bytes that are still to be sent to it."""

    def __init__(self, function: Callable[[Any], Any], guard: int, others: list[int]) -> None:
        """Fork. `others` are ends of pipes that the child must close, so that its siblings can see the pipes closed."""
        self.items: deque[int] = deque()
        self._unsent = b""
        ends: list[int] = []
        parent = os.getpid()
        try:
            ends += os.pipe()
            ends += os.pipe()
            self.pid = fork()
            if self.pid == 0:
                _run_child(function, ends[0], ends[3], guard, [*others, ends[1], ends[2]])
        except BaseException:
            if os.getpid() != parent:
                # Ctrl-C interrupted the child before `_run_child`: it must never run its parent's code.
                os._exit(FAILED)
            for end in ends:
                os.close(end)
            raise
        theirs, self.jobs, self.results, ours = ends
        os.close(theirs)
        os.close(ours)
        os.set_blocking(self.jobs, False)
        _enlarge_pipe(self.results)

    def push(self, message: bytes = b"") -> bool:
        """Append the message and send as much as the pipe takes.

        Return True if bytes are left over now and none were before: the pipe must then be polled for writing.
        """
        was_left = bool(self._unsent) and bool(message)
        self._unsent += message
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self.jobs, self._unsent) :]
        except BlockingIOError:
            return not was_left
        except BrokenPipeError:
            self._unsent = b""  # the child has ended; reading its results will show it
        return False

    def receive(self) -> tuple[int, Data]:
        """Return the next message. Raise ChildDiedError if the child has ended."""
        kind, data = _received(self.results)
        if kind is None:
            raise ChildDiedError(
                f"a worker process ended unexpectedly ({self._exit_reason()})",
                hint="check that there is enough memory; fewer processes (`jobs`) need less",
            )
        return kind, data

    def _exit_reason(self) -> str:
        pid, self.pid = self.pid, 0
        try:
            status = os.waitpid(pid, 0)[1]
        except ChildProcessError:  # SIGCHLD is ignored, a setting inherited from the parent: there is no status
            return "status unknown"
        return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"

    def stop(self) -> None:
        """Close the pipes and send SIGTERM."""
        os.close(self.jobs)
        os.close(self.results)
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> None:
        """Wait until the child has cleaned up and ended; kill it after _CLEANUP_TIMEOUT seconds."""
        until = time.monotonic() + _CLEANUP_TIMEOUT
        with suppress(ChildProcessError, ProcessLookupError):
            while self.pid and os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                if time.monotonic() > until:
                    os.kill(self.pid, signal.SIGKILL)
                time.sleep(0.0005)


def _run_child(function: Callable[[Any], Any], jobs: int, results: int, guard: int, others: list[int]) -> NoReturn:
    """Run the child: compute results until the parent closes the pipe. Never return."""
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
                result = _packed(function(_unpacked(kind, data)))
            except BaseException as error:  # noqa: BLE001 - the parent raises it
                result = ERROR, _pickled_error(error)
            write_pieces(results, _message(*result))
        status = 0
    finally:
        # The child must never run its parent's code.
        os._exit(status)


def _stop(*_: object) -> NoReturn:
    """End the child after the function's clean-up, by raising SystemExit."""
    # A library's callback may be unable to propagate the exception, and Python would then print it.
    sys.unraisablehook = lambda _: None
    raise SystemExit


def _end_with_parent(guard: int) -> None:
    """End this process at once when its parent has ended: another run may already work on the same files."""
    os.read(guard, 1)
    os._exit(FAILED)


def _enlarge_pipe(end: int) -> None:
    """Enlarge a pipe to hold a whole result, so that a child can start on the next item before the result is read."""
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 1 << 20)


def _message(kind: int, data: Data) -> list[bytes]:
    """Return a message in pieces: its kind, its size and its content. The sizes of several pieces precede the pieces."""
    if isinstance(data, bytes):
        return [bytes((kind,)) + len(data).to_bytes(_SIZE, "big"), data]
    sizes = b"".join([len(piece).to_bytes(_SIZE, "big") for piece in data])
    return [bytes((kind,)) + len(sizes).to_bytes(_SIZE, "big") + sizes, *data]


def _received(end: int) -> tuple[int | None, Data]:
    """Return a message's kind and data; the kind is None if the other side has closed the pipe."""
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
        # `marshal` refuses values that it cannot restore exactly; except for subclasses of bytes, which nothing here sends.
        import pickle

        return PICKLED, pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def _unpacked(kind: int, data: Data) -> Any:
    """Return the value in a message, or raise the exception in it."""
    if kind == RAW or not isinstance(data, bytes):
        return data
    if kind == MARSHALLED:
        return marshal.loads(data)  # noqa: S302 - written by this process or its child
    import pickle

    value = pickle.loads(data)  # noqa: S301 - likewise
    if kind == ERROR:
        raise value
    return value


def _pickled_error(error: BaseException) -> bytes:
    import pickle
    import traceback

    with suppress(Exception):
        error.add_note("".join(traceback.format_exception(error)))
        data = pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)  # noqa: S301 - some exceptions can be pickled but not unpickled
        return data
    substitute = RuntimeError(f"{type(error).__name__} in another process")
    with suppress(Exception):
        substitute = RuntimeError(f"{type(error).__name__}: {error}"[:500])
        substitute.add_note("".join(traceback.format_exception(error)))
    return pickle.dumps(substitute, pickle.HIGHEST_PROTOCOL)
