"""End a run soon after Ctrl-C or SIGTERM: stop the work, keep its results, and exit after at most GRACE seconds.

Python raises KeyboardInterrupt between any two steps of the main thread. Within an event loop, that can lose the wake-up of a
task, which then waits forever. In an event loop the signal therefore cancels a task, as `asyncio.Runner` does for Ctrl-C only.
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
"""Seconds for a run to keep its results; then it exits as if it were killed, which does no harm."""
REPEAT_WINDOW = 0.3
"""Seconds within which a second signal counts as the same one: a parent process often forwards signals too."""


class _Stop:
    """The state of the signal that ends this process."""

    pid = 0
    number = 0
    since = 0.0
    raised = 0
    is_over = False
    cancel: Callable[[], object] | None = None
    is_cancelled = False


def install() -> None:
    """Make SIGINT and SIGTERM raise KeyboardInterrupt, once and in this process only. Ignored signals stay ignored.

    Only the command line calls this: a program that imports feedtool has its own signal handlers.
    """
    _Stop.pid = os.getpid()
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) == usual:
            with suppress(ValueError):  # not the main thread
                signal.signal(number, _stop)


def exit_code() -> int:
    """Return the exit code of a stopped run by the convention of shells: 130 for SIGINT, 143 for SIGTERM."""
    return 128 + (_Stop.number or signal.SIGINT)


def finish() -> None:
    """Let a signal end the process at once from now on: there are no results left to keep."""
    _Stop.is_over = True


def raised_count() -> int:
    """Return how often a signal has raised KeyboardInterrupt in this process, as far as the handlers of this module did.

    Libraries drop exceptions of callbacks. Whoever passes one compares the counts before and after, and uses no result that a
    lost exception may have damaged.
    """
    return _Stop.raised


class counting:  # noqa: N801 - used like a function, in a `with`
    """A context in which Ctrl-C is counted for `raised_count`, also in a program that did not call `install`.

    It has no effect outside the main thread or if another signal handler is installed.
    """

    def __enter__(self) -> None:
        self._replaced_handler = _is_main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._replaced_handler:
            signal.signal(signal.SIGINT, _cancel_or_raise)

    def __exit__(self, *_: object) -> None:
        if self._replaced_handler:
            signal.signal(signal.SIGINT, signal.default_int_handler)


class cancelling(counting):  # noqa: N801 - used like a function, in a `with`
    """A context in which a signal calls `cancel` instead of raising; KeyboardInterrupt is raised at the end of the context.

    It has no effect outside the main thread or if another signal handler is installed.
    """

    def __init__(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel

    def __enter__(self) -> None:
        if _is_main_thread():
            _Stop.is_cancelled, _Stop.cancel = False, self._cancel
        super().__enter__()

    def __exit__(self, *_: object) -> None:
        # The order matters: a signal between these two statements must work too.
        super().__exit__()
        if not _is_main_thread():
            return
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
        # A forked process that is not set up yet: it must never run its parent's code.
        os._exit(128 + number)
    now = time.monotonic()
    if _Stop.is_over or (_Stop.number and now - _Stop.since > REPEAT_WINDOW):
        _Stop.number = number
        _exit_now()
    if _Stop.number:
        return
    _Stop.number, _Stop.since = number, now
    sys.unraisablehook = _print_unraisable
    # Not `threading`: the interrupted code may hold one of its locks.
    _thread.start_new_thread(_exit_after_grace, ())
    _cancel_or_raise(number, frame)


def _cancel_or_raise(_number: int, _frame: FrameType | None) -> None:
    if _Stop.cancel is None:
        _Stop.raised += 1
        raise KeyboardInterrupt
    _Stop.is_cancelled = True
    _Stop.cancel()


def _print_unraisable(unraisable: Any) -> None:
    """Print unraisable exceptions except KeyboardInterrupt: it came while an object was freed, and the run ends after GRACE."""
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)


def _exit_after_grace() -> None:
    time.sleep(GRACE)
    _exit_now()


def _exit_now() -> NoReturn:
    with suppress(OSError):
        os.write(2, b"error: stopped\n")
    os._exit(exit_code())
