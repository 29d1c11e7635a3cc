"""Let Ctrl-C and SIGTERM end a run soon: it stops what it does, keeps what it has, and ends after GRACE seconds at the latest.

Python raises KeyboardInterrupt between any two steps of the main thread. Inside an event loop that can lose the wake-up of
a task, which then waits for ever; so there the signal cancels a task, as that of `asyncio.Runner` does for Ctrl-C alone.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

GRACE = 1.5
"""Seconds that a run has for keeping what it has; then it ends as if it were killed, which harms nothing."""
AGAIN = 0.3
"""Seconds within which a second signal is the same once more: what starts a program often passes signals on to it as well."""


class _Stop:
    """What is known of the signal that ends this process."""

    pid = 0
    number = 0
    since = 0.0
    is_over = False
    cancel: Callable[[], object] | None = None
    is_cancelled = False


def install() -> None:
    """Make SIGINT and SIGTERM raise KeyboardInterrupt, once and in this process alone. Signals that are ignored stay so.

    For the command line: a program that imports feedtool has its own signals.
    """
    _Stop.pid = os.getpid()
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) == usual:
            with suppress(ValueError):  # not the main thread
                signal.signal(number, _stop)


def exit_code() -> int:
    """Return the exit code of a run that was stopped, as shells have it: 130 for SIGINT, 143 for SIGTERM."""
    return 128 + (_Stop.number or signal.SIGINT)


def finish() -> None:
    """Let a signal end the process at once from now on: nothing is left to be kept."""
    _Stop.is_over = True


class cancelling:  # noqa: N801 - used like a function, in a `with`
    """Within this context, a signal calls `cancel` instead of raising; KeyboardInterrupt is raised at its end.

    Elsewhere than in the main thread, and where another handler of signals is installed, it does nothing.
    """

    def __init__(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel
        self._is_lent = False

    def __enter__(self) -> None:
        if not _is_main_thread():
            return
        _Stop.is_cancelled, _Stop.cancel = False, self._cancel
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _pass_on)
            self._is_lent = True

    def __exit__(self, *_: object) -> None:
        if not _is_main_thread():
            return
        # In this order: a signal that comes in between finds its way too.
        if self._is_lent:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _Stop.cancel = None
        if _Stop.is_cancelled:
            _Stop.is_cancelled = False
            raise KeyboardInterrupt


def _is_main_thread() -> bool:
    threading = sys.modules.get("threading")
    return threading is None or threading.current_thread() is threading.main_thread()


def _stop(number: int, frame: FrameType | None) -> None:
    """Handle a signal of the command line."""
    if os.getpid() != _Stop.pid:
        # A fork that has not become a child yet: it must never run its parent's code.
        os._exit(128 + number)
    now = time.monotonic()
    if _Stop.is_over or (_Stop.number and now - _Stop.since > AGAIN):
        _Stop.number = number
        _leave()
    if _Stop.number:
        return
    _Stop.number, _Stop.since = number, now
    sys.unraisablehook = _hear
    # Not by `threading`: a lock of it may be held by what was interrupted.
    _thread.start_new_thread(_leave_late, ())
    _pass_on(number, frame)


def _pass_on(_number: int, _frame: FrameType | None) -> None:
    if _Stop.cancel is None:
        raise KeyboardInterrupt
    _Stop.is_cancelled = True
    _Stop.cancel()


def _hear(unraisable: Any) -> None:
    """Print what could not be raised, but for KeyboardInterrupt: it came while something was being freed, and GRACE ends it."""
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)


def _leave_late() -> None:
    time.sleep(GRACE)
    _leave()


def _leave() -> NoReturn:
    with suppress(OSError):
        os.write(2, b"error: stopped\n")
    os._exit(exit_code())
