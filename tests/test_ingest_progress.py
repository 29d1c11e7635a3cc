"""Test that `feedtool ingest` shows progress for each source only on a terminal, and clears it at the end."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.server import page, serve, status
from tests.support.site import command, environment, make_site
from tests.support.wire import ALLOW, rss

NAMES = ("one", "two", "三")


def on_terminal(site: Path, *arguments: str) -> tuple[str, str, int]:
    """Return a run's terminal output, its piped standard output, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("ingest", "-C", str(site), *arguments),
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment({"TERM": "xterm"}),
    )  # fmt: skip
    os.close(theirs)
    screen = b""
    with contextlib.suppress(OSError):  # Linux raises EIO when the other side is closed
        while part := os.read(ours, 65_536):
            screen += part
    os.close(ours)
    printed, _ = process.communicate(timeout=60)
    return screen.decode(), printed.decode(), process.returncode


@pytest.fixture
def site(tmp_path):
    with serve({f"/{number}": page(rss(1, name=f"n{number}")) for number in range(2)}) as server:
        server.set("/2", status(404))
        tables = (
            f'[[sources]]\nname = "{name}"\nurl = "{server.url(f"/{number}")}"\n' for number, name in enumerate(NAMES)
        )
        yield make_site(tmp_path, {}, ALLOW + "".join(tables))


def test_progress_shows_each_source_and_is_cleared(site):
    screen, printed, code = on_terminal(site)
    assert code == 1
    steps = re.findall(r"\r(\S+): ([123]) of 3", screen)
    assert sorted(name for name, _ in steps) == ["one", "two", "三"]
    assert [number for _, number in steps] == ["1", "2", "3"]
    last = screen.rindex(" of 3")
    assert re.match(r" of 3 *\r +\r", screen[last:]), screen[last:]
    wiped = re.search(r"\r( +)\r", screen[last:])
    assert wiped is not None
    assert len(wiped[1]) == len(steps[-1][0].encode("gb18030")) + len(": 3 of 3")  # 三 is two columns wide
    assert screen.index("error") > last  # the next message starts on a clean line
    assert "\r" not in printed
    assert "3 sources visited, 1 failed" in printed


@pytest.mark.parametrize("manner", ["--quiet", "--json"])
def test_quiet_modes_show_no_progress(site, manner):
    screen, _, code = on_terminal(site, manner)
    assert (code, " of 3" in screen) == (1, False)
