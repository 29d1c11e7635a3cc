"""Errors that stop a run: where, what and how to mend, in one line a person can act on.

What costs only one article is no error but a `feedtool.models.Problem`; a walk collects those and goes on.
"""

from __future__ import annotations

import errno


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


_REMEDIES = {
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.ENOENT: "it went away meanwhile; run again",
    errno.ENOTDIR: "a file stands where a folder has to be; move it away",
    errno.EISDIR: "a folder stands where a file has to be; move it away",
    errno.EEXIST: "move away what stands there",
    errno.ELOOP: "remove the link",
    errno.EINVAL: "remove it",
    errno.ENOSPC: "free some space",
    getattr(errno, "EDQUOT", errno.ENOSPC): "free some space of your quota",
    errno.EROFS: "choose a place that can be written to",
    errno.EFBIG: "it is larger than is allowed; make it smaller",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "close some programs: the system has too many open files",
    errno.ENAMETOOLONG: "shorten its name",
    errno.EIO: "look at the disk",
}


def remedy(error: OSError) -> str:
    """Return what a person can do where the system refuses a file."""
    return _REMEDIES.get(error.errno or 0, "look at the disk and the permissions")
