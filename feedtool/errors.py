"""Errors that stop a run; each names in one line where it is, what it is, and how to fix it.

A defect that costs only one article is not an error but a `feedtool.models.Problem`: the run collects it and goes on.
"""

from __future__ import annotations

import errno


class FeedtoolError(Exception):
    """The base class of all errors that feedtool raises deliberately; `str()` is `where:line:column: what; hint`."""

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
    """A command or call was not understood; nothing was started."""


class SettingsError(FeedtoolError):
    """`feedtool.toml`, the environment or an option holds a value that feedtool can't use."""


class OutputError(FeedtoolError):
    """The output folder can't be used without harm: it holds files of others, or leads to a forbidden place."""


def refuse_newer_format(version: int, known: int, *, where: str, hint: str) -> None:
    """Raise OutputError if a file has a higher version of its format than this feedtool knows."""
    if version > known:
        what = f"was written by a newer feedtool (format {version}, this one knows {known})"
        raise OutputError(what, where=where, hint=hint)


class LockedError(FeedtoolError):
    """Another run holds the lock of this site."""


_HINTS = {
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.ENOENT: "it disappeared meanwhile; run again",
    errno.ENOTDIR: "there is a file in place of a folder; move it away",
    errno.EISDIR: "there is a folder in place of a file; move it away",
    errno.EEXIST: "move away the file in its place",
    errno.ELOOP: "remove the link",
    errno.EINVAL: "remove it",
    errno.ENOSPC: "free some space",
    getattr(errno, "EDQUOT", errno.ENOSPC): "free some space of your quota",
    errno.EROFS: "choose a writable place",
    errno.EFBIG: "it is larger than allowed; make it smaller",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "close some programs: the system has too many open files",
    errno.ENAMETOOLONG: "shorten its name",
    errno.EIO: "check the disk",
}


def remedy(error: OSError) -> str:
    """Return a hint on what to do when the system refuses a file."""
    return _HINTS.get(error.errno or 0, "check the disk and the permissions")
