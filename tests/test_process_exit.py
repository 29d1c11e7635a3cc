"""Test that the process ends without module teardown, after all output is written and all exit handlers ran."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

START = "import atexit, os, sys; from feedtool.__main__ import main; sys.argv = ['feedtool', *sys.argv[1:]]; "


def ended(start: str, *args: str) -> tuple[int, str, str]:
    """Return the exit code and output of a process that starts with this code."""
    done = subprocess.run(
        [sys.executable, "-c", START + start, *args], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def site(tmp_path: Path) -> str:
    (tmp_path / "articles").mkdir()
    (tmp_path / "feedtool.toml").write_text("[site]\nurl = 'https://example.org/'\n")
    return str(tmp_path)


def test_exit_runs_handlers_and_flushes_output(site: str) -> None:
    start = "atexit.register(print, 'last', end=''); print('first'); main()"
    assert ended(start, "-C", site, "build", "-q") == (0, "first\nlast", "")
    assert ended(start, "-C", site + "x", "build")[:2] == (2, "first\nlast")


def test_exit_skips_module_teardown(site: str) -> None:
    start = "K = type('K', (), {'__del__': lambda self, write=os.write: write(1, b'apart')}); k = K(); "
    assert ended(start + "main()", "-C", site, "build", "-q") == (0, "", "")
    for watched in ("sys.setprofile(lambda *_: None)", "sys.settrace(lambda *_: None)", "import multiprocessing"):
        assert ended(f"{start}{watched}; main()", "-C", site, "build", "-q") == (0, "apart", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_failed_final_write_is_an_error(site: str) -> None:
    start = "os.dup2(os.open('/dev/full', os.O_WRONLY), 1); sys.stdout.write('lost'); main()"
    code, _, complaints = ended(start, "-C", site, "build", "-q")
    assert (code != 0, "No space left" in complaints) == (True, True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["", "build", "build --json", "check", "--help", "schema", "opml export"])
def test_failed_message_write_is_reported_in_one_line(
    site: str, command: str, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    place = ("-C", site) if command else ()
    code, _, complaints = ended("os.dup2(os.open('/dev/full', os.O_WRONLY), 1); main()", *place, *command.split())
    words = "error: cannot write the output: No space left on device\n"
    assert (code, complaints.endswith(words), "Traceback" in complaints) == (1, True, False)


def test_exit_works_without_streams(site: str) -> None:
    assert ended("sys.stdout = sys.stderr = None; main()", "-C", site, "build", "-q") == (0, "", "")


def test_idle_build_imports_no_heavy_modules(site: str) -> None:
    Path(site, "articles", "a.md").write_text("---\ntitle: A\ndate: 2024-01-01\n---\nText.\n", "utf-8")
    time.sleep(0.1)  # a file that changed just now is read again
    assert ended("main()", "-C", site, "build", "-q")[0] == 0
    start = "atexit.register(lambda: print(*sys.modules)); main()"
    code, loaded, _ = ended(start, "-C", site, "build", "-q")
    heavy = {"json", "_hashlib", "urllib.parse", "ipaddress", "lxml", "nh3", "selectolax", "yaml", "yaml12", "queue"}
    ours = {
        f"feedtool.{name}"
        for name in (
            "feeds.selection",
            "slugs",
            "feeds.entries",
            "html.urls",
            "articles.reader",
            "site",
            "feeds.xml_writer",
        )
    }
    assert (code, (heavy | ours).intersection(loaded.split())) == (0, set())


@pytest.mark.skipif(os.name != "posix", reason="uses a shell to close streams")
@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", ">&- 2>&- <&-"])
def test_initially_closed_stream_is_no_error(site: str, closed: str) -> None:
    for command, code in (("build", 0), ("build --nonsense", 2), ("check", 0), ("doctor", 0)):
        line = f"{sys.executable} -m feedtool -C {site} {command} {closed}"
        done = subprocess.run(line, shell=True, capture_output=True, timeout=60, check=False)
        assert done.returncode == code, (line, done.stderr.decode())
