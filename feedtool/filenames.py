"""Make sure that names of files and arguments are read as UTF-8, whatever the locale is.

Ids and addresses are made from names of files. On Linux, Python decodes these by the locale: the same file would have another
id in another locale. Python's UTF-8 mode (PEP 540) reads names as UTF-8 everywhere, and bytes that are not UTF-8 as lone
surrogates (PEP 383), which become `%FF` in ids and addresses.
"""

from __future__ import annotations

import codecs
import os
import sys

from feedtool.errors import SettingsError

_UTF8_MODE = ["-X", "utf8"]


def uses_utf8() -> bool:
    """Return True if this process reads names of files as UTF-8."""
    return codecs.lookup(sys.getfilesystemencoding()).name == "utf-8"


def require_utf8() -> None:
    """Raise SettingsError if this process does not read names of files as UTF-8."""
    if not uses_utf8():
        raise SettingsError(
            f"the locale reads names of files as {sys.getfilesystemencoding()}, but feedtool needs UTF-8",
            hint="set PYTHONUTF8=1, or start Python with -X utf8",
        )


def restart_with_utf8() -> None:
    """Start this Python process anew in UTF-8 mode, with the same arguments and process id.

    Return if that is impossible or was tried already; `require_utf8` then refuses to go on.
    """
    if sys.platform == "win32" or getattr(sys, "frozen", False) or not sys.executable:
        return
    arguments = _arguments()
    if len(arguments) > 1 and sys.orig_argv[1:3] != _UTF8_MODE:
        try:
            # The same interpreter with the same arguments, none of which passes through a shell.
            os.execv(  # noqa: S606
                sys.executable, [os.fsencode(sys.executable), *map(os.fsencode, _UTF8_MODE), *arguments[1:]]
            )
        except OSError:
            return


def _arguments() -> list[bytes]:
    """Return the arguments of this process as they were given."""
    try:
        with open("/proc/self/cmdline", "rb") as file:
            arguments = file.read().split(b"\0")[:-1]
    except OSError:
        arguments = []
    # Some encodings do not return the same bytes: those of the C library and of Python differ in a few characters.
    return arguments if len(arguments) == len(sys.orig_argv) else [os.fsencode(one) for one in sys.orig_argv]


def make_streams_safe() -> None:
    """Let the standard streams write characters that their encoding does not have as escapes, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None or stream.errors not in ("strict", "surrogateescape"):
            continue
        if stream.errors == "strict" or codecs.lookup(stream.encoding).name != "utf-8":
            reconfigure(errors="backslashreplace")
