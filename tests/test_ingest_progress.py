"""`feedtool ingest` on a real terminal: progress source by source, wiped at the end, and nowhere else."""

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
    """Return what a run shows on a terminal, what it prints on a standard output that is none, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("ingest", "-C", str(site), *arguments),
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment({"TERM": "xterm"}),
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux says EIO where the other side is closed
        while part := os.read(ours, 65_536):
            shown += part
    os.close(ours)
    printed, _ = process.communicate(timeout=60)
    return shown.decode(), printed.decode(), process.returncode


@pytest.fixture
def site(tmp_path):
    with serve({f"/{number}": page(rss(1, name=f"n{number}")) for number in range(2)}) as server:
        server.set("/2", status(404))
        tables = (
            f'[[sources]]\nname = "{name}"\nurl = "{server.url(f"/{number}")}"\n' for number, name in enumerate(NAMES)
        )
        yield make_site(tmp_path, {}, ALLOW + "".join(tables))


def test_progress_shows_each_source_and_is_cleared(site):
    shown, printed, code = on_terminal(site)
    assert code == 1
    steps = re.findall(r"\r(\S+): ([123]) of 3", shown)
    assert sorted(name for name, _ in steps) == ["one", "two", "三"]
    assert [number for _, number in steps] == ["1", "2", "3"]
    last = shown.rindex(" of 3")
    assert re.match(r" of 3 *\r +\r", shown[last:]), shown[last:]
    wiped = re.search(r"\r( +)\r", shown[last:])
    assert wiped is not None
    assert len(wiped[1]) == len(steps[-1][0].encode("gb18030")) + len(": 3 of 3")  # 三 takes two columns
    assert shown.index("error") > last  # what is said afterwards stands on a clean line
    assert "\r" not in printed
    assert "3 sources visited, 1 failed" in printed


@pytest.mark.parametrize("manner", ["--quiet", "--json"])
def test_quiet_modes_show_no_progress(site, manner):
    shown, _, code = on_terminal(site, manner)
    assert (code, " of 3" in shown) == (1, False)
