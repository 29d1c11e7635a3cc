"""Run a sandbox's child process: receive jobs from a socket, run each under limits, and send the results back."""

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
"""The header of a message: its kind and its size. Jobs are sent as RESULT; answers have any of these kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a job: seconds of CPU and wall clock, bytes of memory beyond those at the start, bytes of result.

    A child that holds more than `left` bytes beyond those at its start after a job is replaced.
    """

    cpu: int = 20
    wall: float = 60.0
    memory: int = 1_000_000_000
    result: int = 256_000_000
    left: int = 24_000_000


def describe_error(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def run_child(function: Callable[[Any], Any], limits: Limits, end: socket.socket) -> None:
    """Run the child: execute jobs until the parent closes the socket. Never return."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        close_inherited(end.fileno())
        end.setblocking(True)
        _limit_memory(limits.memory)
        most = _own_memory() + limits.left
        gc.freeze()  # scanning the parent's objects for garbage would copy their pages
        while (data := _receive(end)) is not None:
            _limit_cpu(limits.cpu)
            kind, payload = _run_job(function, data, limits)
            del data
            kind = LAST if kind == RESULT and _own_memory() > most else kind
            end.sendall(HEADER.pack(kind, len(payload)))
            end.sendall(payload)
            if kind in (LAST, MEMORY):
                break
        os._exit(0)
    except BaseException:  # noqa: BLE001  a child must never run its parent's code
        os._exit(70)


def close_inherited(kept: int) -> None:
    """Close all files and connections of the parent except `kept`.

    A child that a hostile feed took over cannot use them, and a server sees a connection closed when the parent closes it.
    """
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


def _run_job(function: Callable[[Any], Any], data: bytearray, limits: Limits) -> tuple[int, bytes]:
    try:
        job = pickle.loads(data)  # noqa: S301  written by the parent
        payload = pickle.dumps(function(job), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return MEMORY, b""
    except BaseException as error:  # noqa: BLE001  an exception is the job's result, including a PanicException of Rust
        return ERROR, describe_error(error).encode("utf-8", "replace")
    return (RESULT, payload) if len(payload) <= limits.result else (TOO_LARGE, b"")


def _limit_cpu(seconds: int) -> None:
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def _limit_memory(budget: int) -> None:
    import resource

    start = _statm_bytes(0)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = start + budget
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (soft if hard < 0 else min(soft, hard), hard))


def _own_memory() -> int:
    """Return the bytes of memory of this process, without pages of files, which the system can reclaim at any time.

    Memory that a large job freed rarely returns to the system, and replacing the child takes less time than compacting it.
    Systems that only report the peak give the peak.
    """
    import resource
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return _statm_bytes(1) - _statm_bytes(2) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _statm_bytes(field: int) -> int:
    """Return the bytes of address space (`field` 0), of memory (1) or of memory shared with files (2); 0 if unknown."""
    import resource

    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[field]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0
