"""Options and fixtures of all tests; puts the project's root on the path, so that tests find their tools."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# `tests.site` must not become the top-level name `site`: that is Python's own module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--accept`."""
    parser.addoption("--accept", action="store_true", help="rewrite the expected files; then read the diff")


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Say whether expected files are to be rewritten instead of compared."""
    return bool(request.config.getoption("--accept"))
