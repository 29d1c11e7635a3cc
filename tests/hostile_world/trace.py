"""Run a command under strace and return its successful system calls for files in their order."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.site import command, environment

CALLS = "openat,write,writev,pwrite64,fsync,fdatasync,sync,rename,renameat,renameat2,link,linkat,mkdir,unlink"
_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (\d+)")
_UNFINISHED = re.compile(r"(\d+) +(\w+)\((.*?) *<unfinished \.\.\.>")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (\d+)")
_PATH = re.compile(r'"([^"]*)"')
_DESCRIPTOR_PATH = re.compile(r"\d+<([^>]*)>")


class Call(NamedTuple):
    """A successful call: its name and its absolute paths."""

    name: str
    paths: tuple[str, ...]


def trace(*words: str) -> tuple[int, list[Call]]:
    """Run `feedtool` under strace; return its exit code and its calls for files."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trace")
        line = ["strace", "-f", "-y", "-qq", "-s", "4096", "-o", str(file), "-e", f"trace={CALLS}", *command(*words)]
        done = subprocess.run(line, env=environment(), capture_output=True, timeout=300, check=False)
        return done.returncode, list(_calls(file.read_text("utf-8", "replace").splitlines()))


def _calls(lines: Sequence[str]) -> list[Call]:
    unfinished: dict[tuple[str, str], str] = {}
    calls = []
    for line in lines:
        if match := _UNFINISHED.match(line):
            unfinished[match[1], match[2]] = match[3]
        elif match := _RESUMED.match(line):
            calls.append(_call(match[2], unfinished.pop((match[1], match[2]), "") + match[3]))
        elif match := _LINE.match(line):
            calls.append(_call(match[2], match[3]))
    return calls


def _call(name: str, arguments: str) -> Call:
    if name in ("write", "writev", "pwrite64", "fsync", "fdatasync"):
        match = _DESCRIPTOR_PATH.match(arguments)
        return Call("write" if name == "writev" else name, (match[1],) if match else ())
    if name == "openat" and "O_CREAT" not in arguments and "O_WRONLY" not in arguments:
        return Call("open", tuple(map(_plain, _PATH.findall(arguments))))
    return Call(name, tuple(map(_plain, _PATH.findall(arguments))))


def _plain(path: str) -> str:
    return os.path.normpath(path.encode("latin-1", "replace").decode("unicode_escape"))
