"""Errors that stop a run: where, what and how to mend, in one line a person can act on.

What costs only one article is no error but a `feedtool.model.Problem`; a walk collects those and goes on.
"""

from __future__ import annotations


class FeedtoolError(Exception):
    """The root of everything feedtool raises on purpose; `str()` is `where:line:column: what; hint`."""

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        line: int | None = None,
        column: int | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.line = line
        self.column = column
        self.hint = hint

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.where, self.line, self.column) if part not in (None, ""))
        text = f"{place}: {self.what}" if place else self.what
        return f"{text}; {self.hint}" if self.hint else text


class UsageError(FeedtoolError):
    """The command or the call was not understood: nothing was started."""


class SettingsError(FeedtoolError):
    """`feedtool.toml`, the environment or an option holds something feedtool can't use."""


class OutputError(FeedtoolError):
    """The output folder can't be used without harm: it is not ours, or leads somewhere it must not."""


class LockedError(FeedtoolError):
    """Another run holds this site's lock."""
