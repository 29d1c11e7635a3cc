"""Options and fixtures of all tests; puts the project's root on the path, so that tests find their tools."""

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

# A law is no benchmark: on a busy machine any example may take longer than hypothesis grants by itself.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


# The key that signs what `.feedtool/` holds: tests make one of their own, and leave the user's alone.
_state = tempfile.TemporaryDirectory(prefix="feedtool-tests-")
os.environ["XDG_STATE_HOME"] = _state.name

# Tests interrupt what they start; a shell that runs this in the background would let it and its children ignore that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--accept`."""
    parser.addoption("--accept", action="store_true", help="rewrite the expected files; then read the diff")


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Say whether expected files are to be rewritten instead of compared."""
    return bool(request.config.getoption("--accept"))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Return what says how many cases a test of a fault class tried; a test that does not say tried one."""
    return lambda count: request.node.user_properties.append(("tried", count))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note on a test's report which fault class it is of: properties reach the process that writes them down."""
    mark = item.get_closest_marker("fault_class")
    if mark is not None and ("fault_class", mark.args[0]) not in item.user_properties:
        item.user_properties.append(("fault_class", mark.args[0]))
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember how a test of a fault class ended."""
    from tests.reliability.results import note

    note(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down what tests of fault classes did, for `python -m tests.reliability`."""
    if not hasattr(session.config, "workerinput"):
        from tests.reliability.results import keep

        keep()
