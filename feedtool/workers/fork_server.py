"""Fork worker processes from a small helper process, the fork server.

A child shares the memory that its parent had at the fork, and every page that the parent changes later exists twice. The
main process therefore forks the server once, early, while it is small, and the server forks all workers.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from feedtool.workers.forked import fork
from feedtool.workers.sandbox_child import Limits, close_inherited, run_child

_WORD = struct.Struct("!q")
"""The protocol. The request 0, sent with one end of a socket, starts a child; the response is its pid. A pid requests the
child's exit status; the response follows when the child has ended. A negative response is an errno."""
_SPAWN = 0


class ForkServer:
    """A process that forks workers, which run `function` under `limits`. Raise OSError if the system cannot fork."""

    def __init__(self, function: Callable[[Any], Any], limits: Limits) -> None:
        # Exclude all present objects from garbage collection: scanning them takes time and copies shared pages.
        gc.freeze()
        self._end, theirs = socket.socketpair()
        # Other threads may be running, to resolve names or write files. The child takes no lock that one of them could
        # hold, and has loaded all the modules that it needs.
        parent = os.getpid()
        try:
            self.pid = fork()
            if self.pid == 0:
                _serve(function, limits, theirs)
        except BaseException:
            if os.getpid() != parent:
                # Ctrl-C interrupted the child before `_serve`: it must never run its parent's code.
                os._exit(70)
            self._end.close()
            theirs.close()
            raise
        theirs.close()

    def spawn(self) -> tuple[int, socket.socket]:
        """Start a child. Return its pid and the parent's end of the socket to it."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = self._request(_SPAWN, [theirs.fileno()])
        except BaseException:
            ours.close()
            raise
        return pid, ours

    def status(self, pid: int) -> int:
        """Wait for a child to end and return its exit status in the form of `os.waitpid`. Call it once per child."""
        return self._request(pid, [])

    def close(self) -> None:
        """Stop the server and wait until it has ended. Children that still run see their sockets closed, and no more."""
        self._end.close()
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _request(self, number: int, ends: list[int]) -> int:
        socket.send_fds(self._end, [_WORD.pack(number)], ends)
        answer = self._end.recv(_WORD.size)
        if len(answer) < _WORD.size:
            raise ChildProcessError("the process that starts the workers has ended")
        (result,) = _WORD.unpack(answer)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return int(result)


def _serve(function: Callable[[Any], Any], limits: Limits, end: socket.socket) -> None:
    """Run the fork server: fork children and wait for them on request, until the parent is gone. Never return."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        close_inherited(end.fileno())
        end.setblocking(True)
        while True:
            message, numbers, _, _ = socket.recv_fds(end, _WORD.size, 1)
            if len(message) < _WORD.size:
                os._exit(0)
            try:
                if numbers:
                    answer = os.fork()
                    if answer == 0:
                        run_child(function, limits, socket.socket(fileno=numbers[0]))
                    os.close(numbers[0])
                else:
                    answer = os.waitpid(_WORD.unpack(message)[0], 0)[1]
            except OSError as error:
                answer = -(error.errno or 1)
            end.sendall(_WORD.pack(answer))
    except BaseException:  # noqa: BLE001  the server must never run its parent's code
        os._exit(70)
