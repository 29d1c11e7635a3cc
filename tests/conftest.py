"""Options and fixtures of all tests; the root of the project is put on the path, so that tests can import `tests`."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# `tests.support.site` must not become the top-level name `site`: that is Python's own module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# Property tests are not benchmarks: on a busy machine an example may take longer than the default deadline of hypothesis.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


# The key that signs the contents of `.feedtool/`: tests make their own and do not touch the user's.
_state = tempfile.TemporaryDirectory(prefix="feedtool-tests-")
os.environ["XDG_STATE_HOME"] = _state.name

# Tests interrupt the processes that they start; a shell that runs the tests in the background makes them ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--accept`."""
    parser.addoption("--accept", action="store_true", help="rewrite the expected files; then read the diff")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Use half as many workers again as there are cores for `-n auto`: tests wait for servers, browsers and disks."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + cores // 2


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Return True if expected files are to be rewritten instead of compared."""
    return bool(request.config.getoption("--accept"))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Return a function that records the number of cases of a fault-class test; a test that does not call it counts as one."""
    return lambda count: request.node.user_properties.append(("tried", count))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add the fault class of a test to its report: properties reach the process that writes the results."""
    marker = item.get_closest_marker("fault_class")
    if marker is not None and ("fault_class", marker.args[0]) not in item.user_properties:
        item.user_properties.append(("fault_class", marker.args[0]))
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record the outcome of a fault-class test."""
    from tests.reliability.results import note

    note(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Save the results of the fault-class tests for `python -m tests.reliability`."""
    if not hasattr(session.config, "workerinput"):
        from tests.reliability.results import keep

        keep()
