"""Run the tests that call a mutated function, in a fork of a process that has loaded the libraries but not the package."""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

FIRST = 10.0
"""Seconds of tests that are run before the others are even imported."""

EXAMPLES = 60
LIBRARIES = (
    "hypothesis.strategies", "lxml.etree", "lxml.html", "nh3", "selectolax.lexbor", "yaml", "yaml12", "pyromark", "jinja2", "click",
    "aiohttp", "feedparser",
)  # fmt: skip
_MEMORY = 6 << 30


class Outcome(NamedTuple):
    """`killed` says how: the name of the test that failed, "timeout", or "crash"; "" when no test noticed."""

    killed: str
    seconds: float
    tests: int


class _Failures:
    """A pytest plugin that tells another process which tests fail."""

    def __init__(self, end: int) -> None:
        self.end = end

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell of one that fails."""
        if report.failed:
            os.write(self.end, f"{report.nodeid.partition('[')[0]}\n".encode())

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell of a test file that cannot be imported."""
        if report.failed:
            os.write(self.end, f"{report.nodeid or 'collection'}\n".encode())


def warm_up() -> None:
    """Import what tests need besides the package itself."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def failures(root: Path, tests: list[str], limit: float, *, first_only: bool) -> tuple[list[str], str]:
    """Return the tests that fail in the tree at `root`, and "timeout" or "crash" where they came to no end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _test(root, tests, writing, first_only=first_only)
    os.close(writing)
    ended = _await(child, limit)
    with open(reading, encoding="utf-8") as told:
        return told.read().split("\n")[:-1], ended


def _test(root: Path, tests: list[str], end: int, *, first_only: bool) -> None:
    code = 3
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        _enter(root)
        os.environ["PYTHONPATH"] = str(root)
        options = ["-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
        _fewer_examples()
        code = int(pytest.main([*options, *(["-x"] if first_only else []), *tests], plugins=[_Failures(end)]))
    finally:
        os._exit(code)


def _enter(root: Path) -> None:
    """Forget the checkout that this module is of: its `tests` and its package are not those that are tried."""
    own = Path(__file__).resolve().parent.parent.parent
    sys.path[:] = [str(root), *(place for place in sys.path if Path(place or ".").resolve() != own)]
    for name in list(sys.modules):
        if name.partition(".")[0] in ("tests", "feedtool"):
            del sys.modules[name]
    os.chdir(root)


def _fewer_examples() -> None:
    """Let no law try more than `EXAMPLES`: most of the time of a mutant that lives would be theirs."""
    from hypothesis import settings

    own = settings.max_examples
    # The class of the class refuses to be changed.
    type.__setattr__(settings, "max_examples", property(lambda self: min(own.fget(self), EXAMPLES)))


def _await(child: int, limit: float) -> str:
    """Wait for a child and end its whole group; return "timeout" or "crash" where its tests came to no end."""
    end = time.monotonic() + limit
    ended, status = 0, 0
    while not ended and time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not ended:
        os.waitpid(child, 0)
        return "timeout"
    code = os.waitstatus_to_exitcode(status)
    return "" if code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED) else "crash"


@contextlib.contextmanager
def changed(path: Path, change: Callable[[str], str]) -> Iterator[None]:
    """Keep a file changed for a while; its mtime is another each time, so that no compiled file is taken for its own."""
    before = path.read_bytes()
    stamp = path.stat().st_mtime_ns + 10**10
    try:
        path.write_bytes(change(before.decode()).encode())
        os.utime(path, ns=(stamp, stamp))
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(stamp + 10**10, stamp + 10**10))


def outcome(root: Path, tests: list[tuple[str, float]]) -> Outcome:
    """Run tests (name and usual seconds), the quickest files first, until one fails."""
    start = time.monotonic()
    for part in _parts(tests):
        usual = sum(seconds for _, seconds in part)
        failed, no_end = failures(root, [name for name, _ in part], 30 + 5 * usual, first_only=True)
        if failed or no_end:
            return Outcome(failed[0] if failed else no_end, time.monotonic() - start, len(tests))
    return Outcome("", time.monotonic() - start, len(tests))


def _parts(tests: list[tuple[str, float]]) -> list[list[tuple[str, float]]]:
    """Share tests out in two parts, so that a mutant which a quick file notices costs little."""
    by_file: dict[str, float] = {}
    for name, seconds in tests:
        file = name.partition("::")[0]
        by_file[file] = by_file.get(file, 0.5) + seconds
    quick, spent = set(), 0.0
    for file, seconds in sorted(by_file.items(), key=lambda pair: pair[1]):
        if spent + seconds <= FIRST or not quick:
            quick.add(file)
            spent += seconds
    parts = ([one for one in tests if (one[0].partition("::")[0] in quick) == wanted] for wanted in (True, False))
    return [part for part in parts if part]
