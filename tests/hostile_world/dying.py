"""Make the n-th system call for files fail in a process, or end the process at it.

All file operations of feedtool itself go through these calls; those of SQLite are tested by kills and by strace.
"""

from __future__ import annotations

import builtins
import itertools
import os
from collections.abc import Callable
from typing import Any

CALLS = ("open", "write", "writev", "fsync", "replace", "unlink", "rmdir", "mkdir", "link", "fchmod", "fchown")
DIED = 86
"""The exit code of a process that died of an injected fault."""


class Fault:
    """A fault at the call number `at` (from 1 on).

    `how` is an errno, "before", "after" or, for a write, "half". With `at` 0 calls are only counted. `only` names the
    calls that count.
    """

    def __init__(self, at: int, how: int | str, only: tuple[str, ...] = CALLS) -> None:
        self.at = at
        self.how = how
        self.only = only
        self.calls: list[str] = []
        self._numbers = itertools.count(1)

    def __call__(self) -> None:
        """Replace the calls in this process permanently, and start to count."""
        for name in self.only:
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        builtins.open = self._opening(builtins.open)  # type: ignore[assignment]

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR):
                return real(*arguments, **named)
            return self._intercepted(name, lambda: real(*arguments, **named), real, arguments)

        return call

    def _opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if isinstance(file, int) or not set(mode) & set("wax"):
                return real(file, mode, *arguments, **named)
            return self._intercepted("open", lambda: real(file, mode, *arguments, **named), real, (file,))

        return call

    def _intercepted(
        self, name: str, work: Callable[[], Any], real: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> Any:
        number = next(self._numbers)
        self.calls.append(name)
        if number != self.at:
            return work()
        if isinstance(self.how, int):
            raise OSError(self.how, os.strerror(self.how), arguments[0] if isinstance(arguments[0], str) else None)
        if self.how == "half" and name == "write":
            real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        if self.how == "half" and name == "writev":
            data = b"".join(arguments[1])
            real(arguments[0], [data[: len(data) // 2]])
        if self.how == "after":
            work()
        os._exit(DIED)
