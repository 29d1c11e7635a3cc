"""A function and one end of a socket in: the child that takes jobs there under limits, and answers each; never returns."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

HEADER = struct.Struct("!BQ")
RESULT, LAST, ERROR, MEMORY, TOO_LARGE = range(5)
"""How a message begins: what it is, and how long. Jobs go out as RESULT, answers come as any of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one job may take: seconds of CPU and of wall clock, bytes of memory beyond the start, bytes of result; and `left`,
    how many bytes more than at its start a child may hold between jobs before another takes its place."""

    cpu: int = 20
    wall: float = 60.0
    memory: int = 1_000_000_000
    result: int = 256_000_000
    left: int = 24_000_000


def describe_error(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def live(function: Callable[[Any], Any], limits: Limits, end: socket.socket) -> None:
    """Be the child: take jobs until the parent says no more. Never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        let_go(end.fileno())
        end.setblocking(True)
        _bound_memory(limits.memory)
        most = _held() + limits.left
        gc.freeze()  # what the parent had loaded is no garbage of ours, and looking at it would copy its pages
        while (data := _receive(end)) is not None:
            _bound_cpu(limits.cpu)
            kind, payload = _worked(function, data, limits)
            del data
            kind = LAST if kind == RESULT and _held() > most else kind
            end.sendall(HEADER.pack(kind, len(payload)))
            end.sendall(payload)
            if kind in (LAST, MEMORY):
                break
        os._exit(0)
    except BaseException:  # noqa: BLE001  whatever happens, a child must never run its parent's code
        os._exit(70)


def let_go(kept: int) -> None:
    """Close every file and connection of the parent but one: a child that a hostile feed took over has none of them,
    and a server sees a connection end when the parent ends it."""
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        numbers = list(range(3, 256))
    for number in numbers:
        if number > 2 and number != kept:
            with suppress(OSError):
                os.close(number)


def _receive(end: socket.socket) -> bytearray | None:
    header = _exactly(end, HEADER.size)
    return None if header is None else _exactly(end, HEADER.unpack(header)[1])


def _exactly(end: socket.socket, size: int) -> bytearray | None:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        got = end.recv_into(view[at:])
        if not got:
            return None
        at += got
    return data


def _worked(function: Callable[[Any], Any], data: bytearray, limits: Limits) -> tuple[int, bytes]:
    try:
        job = pickle.loads(data)  # noqa: S301  our own parent wrote it
        payload = pickle.dumps(function(job), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return MEMORY, b""
    except BaseException as error:  # noqa: BLE001  what a job raises is its result, a PanicException of Rust too
        return ERROR, describe_error(error).encode("utf-8", "replace")
    return (RESULT, payload) if len(payload) <= limits.result else (TOO_LARGE, b"")


def _bound_cpu(seconds: int) -> None:
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def _bound_memory(budget: int) -> None:
    import resource

    start = _size(0)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = start + budget
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (soft if hard < 0 else min(soft, hard), hard))


def _held() -> int:
    """Return the bytes of memory this process holds, but for pages of files, which the system maps and takes back as it likes.

    What a large job freed is rarely given back to the system, and a child that goes is quicker replaced than its memory is
    mended. Where the system tells only the most it ever held: that.
    """
    import resource
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return _size(1) - _size(2) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _size(field: int) -> int:
    """Return how many bytes of addresses (`field` 0), of memory (1), of that shared with files (2) this process has; 0: unknown."""
    import resource

    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[field]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0
