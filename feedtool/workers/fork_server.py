"""A function in; children that live by it out, forked from a process that stays as small as its parent was at the start.

A child holds what its parent held when it began, and every page of it that the parent changes later is there twice. So the
process of the run forks once, early, and what it forks forks all others.
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
from feedtool.workers.sandbox_child import Limits, let_go, live

_WORD = struct.Struct("!q")
"""All that is said: 0 with one end of a socket asks for a child and is answered with its pid; a pid asks for its exit status,
which is answered once it has ended. A negative answer is an errno."""
_BEAR = 0


class ForkServer:
    """Children of `function` under `limits`; raises OSError where the system has no room for another process."""

    def __init__(self, function: Callable[[Any], Any], limits: Limits) -> None:
        # Neither the parent nor a child has to look through what is here to stay: that takes time, and copies pages.
        gc.freeze()
        self._end, theirs = socket.socketpair()
        # There may be threads. A child of ours takes no lock that one of them could hold, and has loaded all it needs: what
        # makes jobs may resolve names or write files meanwhile.
        parent = os.getpid()
        try:
            self.pid = fork()
            if self.pid == 0:
                _serve(function, limits, theirs)
        except BaseException:
            if os.getpid() != parent:
                # Ctrl-C came before it knew what it is: it must never run its parent's code.
                os._exit(70)
            self._end.close()
            theirs.close()
            raise
        theirs.close()

    def spawn(self) -> tuple[int, socket.socket]:
        """Return the pid of a new child and our end of the socket to it."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = self._asked(_BEAR, [theirs.fileno()])
        except BaseException:
            ours.close()
            raise
        return pid, ours

    def status(self, pid: int) -> int:
        """Wait for a child to end and return its exit status, as `os.waitpid` has it. Each may be asked for once."""
        return self._asked(pid, [])

    def close(self) -> None:
        """Let it go, and wait until it is gone. Children that are still there see the ends of their sockets, no more."""
        self._end.close()
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _asked(self, number: int, ends: list[int]) -> int:
        socket.send_fds(self._end, [_WORD.pack(number)], ends)
        answer = self._end.recv(_WORD.size)
        if len(answer) < _WORD.size:
            raise ChildProcessError("the process that starts others is gone")
        (result,) = _WORD.unpack(answer)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return int(result)


def _serve(function: Callable[[Any], Any], limits: Limits, end: socket.socket) -> None:
    """Be the nursery: fork and wait as asked, until nobody is there to ask. Never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        let_go(end.fileno())
        end.setblocking(True)
        while True:
            message, numbers, _, _ = socket.recv_fds(end, _WORD.size, 1)
            if len(message) < _WORD.size:
                os._exit(0)
            try:
                if numbers:
                    answer = os.fork()
                    if answer == 0:
                        live(function, limits, socket.socket(fileno=numbers[0]))
                    os.close(numbers[0])
                else:
                    answer = os.waitpid(_WORD.unpack(message)[0], 0)[1]
            except OSError as error:
                answer = -(error.errno or 1)
            end.sendall(_WORD.pack(answer))
    except BaseException:  # noqa: BLE001  whatever happens, it must never run its parent's code
        os._exit(70)
