"""Run the tests that call a mutated function, in a fork of a process that has imported the libraries but not the package."""

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
"""The seconds of tests that run before the other tests are even imported."""

EXAMPLES = 60
LIBRARIES = (
    "hypothesis.strategies", "lxml.etree", "lxml.html", "nh3", "selectolax.lexbor", "yaml", "yaml12", "pyromark", "jinja2", "click",
    "aiohttp", "feedparser",
)  # fmt: skip
_MEMORY = 6 << 30


class Outcome(NamedTuple):
    """The result of a mutant.

    `killed` is the name of the failed test, "timeout", "crash", or "" if no test noticed the mutant.
    """

    killed: str
    seconds: float
    tests: int


class _Failures:
    """A pytest plugin that sends the names of failed tests to another process."""

    def __init__(self, end: int) -> None:
        self.end = end

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Send the name of a failed test."""
        if report.failed:
            os.write(self.end, f"{report.nodeid.partition('[')[0]}\n".encode())

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Send the name of a test file that cannot be imported."""
        if report.failed:
            os.write(self.end, f"{report.nodeid or 'collection'}\n".encode())


def warm_up() -> None:
    """Import the libraries that tests need besides the package itself."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def failures(root: Path, tests: list[str], limit: float, *, first_only: bool) -> tuple[list[str], str]:
    """Return the tests that fail in the tree at `root`, and "timeout" or "crash" if they did not finish."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _test(root, tests, writing, first_only=first_only)
    os.close(writing)
    abort = _await(child, limit)
    with open(reading, encoding="utf-8") as pipe:
        return pipe.read().split("\n")[:-1], abort


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
    """Remove the modules of this checkout, so that the `tests` and the package below `root` are imported."""
    own = Path(__file__).resolve().parent.parent.parent
    sys.path[:] = [str(root), *(place for place in sys.path if Path(place or ".").resolve() != own)]
    for name in list(sys.modules):
        if name.partition(".")[0] in ("tests", "feedtool"):
            del sys.modules[name]
    os.chdir(root)


def _fewer_examples() -> None:
    """Limit every property test to `EXAMPLES` examples, which would take most of the time of a survivor."""
    from hypothesis import settings

    own = settings.max_examples
    # The metaclass forbids changes of the class.
    type.__setattr__(settings, "max_examples", property(lambda self: min(own.fget(self), EXAMPLES)))


def _await(child: int, limit: float) -> str:
    """Wait for a child and end its process group; return "timeout" or "crash" if its tests did not finish."""
    end = time.monotonic() + limit
    ended_pid, status = 0, 0
    while not ended_pid and time.monotonic() < end:
        ended_pid, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not ended_pid:
        os.waitpid(child, 0)
        return "timeout"
    code = os.waitstatus_to_exitcode(status)
    return "" if code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED) else "crash"


@contextlib.contextmanager
def changed(path: Path, change: Callable[[str], str]) -> Iterator[None]:
    """Change a file until the block ends.

    Its mtime differs each time, so that no compiled file is used for another version.
    """
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
    """Split tests into two parts, so that a mutant that a quick file notices costs little."""
    by_file: dict[str, float] = {}
    for name, seconds in tests:
        file = name.partition("::")[0]
        by_file[file] = by_file.get(file, 0.5) + seconds
    quick, spent = set(), 0.0
    for file, seconds in sorted(by_file.items(), key=lambda pair: pair[1]):
        if spent + seconds <= FIRST or not quick:
            quick.add(file)
            spent += seconds
    parts = ([one for one in tests if (one[0].partition("::")[0] in quick) == is_quick] for is_quick in (True, False))
    return [part for part in parts if part]
