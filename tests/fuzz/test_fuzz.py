"""Test that stored findings, seeds, their mutations and coverage-guided inputs break no property.

With FEEDTOOL_FULL=1 the fuzzers take an hour, shared among the processors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fuzz.__main__ import is_guided, run_guided
from tests.fuzz.targets import TARGETS, findings
from tests.fuzz.unguided import BrokenError, attempt, play
from tests.reliability.results import FULL, trials

SEED = 20261126
TRIES = trials(100, 4000)
HOUR = 3600


@pytest.mark.fault_class("fuzz.findings")
@pytest.mark.parametrize("name", TARGETS)
def test_stored_findings_no_longer_fail(name: str, tally: Callable[[int], None]) -> None:
    inputs = findings(name)
    for data in inputs.values():
        attempt(name, data)
    tally(len(inputs))


@pytest.mark.fault_class("fuzz.mutations")
@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_their_variants_break_no_property(name: str, tally: Callable[[int], None]) -> None:
    tally(play(name, seed=SEED, tries=TRIES))


@pytest.mark.slow
@pytest.mark.fault_class("fuzz.guided")
def test_coverage_guided_inputs_break_no_property(tmp_path: Path, tally: Callable[[int], None]) -> None:
    if not is_guided():
        assert not os.environ.get("FEEDTOOL_CI"), "atheris is missing, and FEEDTOOL_CI forbids skips"
        pytest.skip("atheris is missing")
    names = list(TARGETS) if FULL else ["all"]
    seconds = trials(5, HOUR // len(TARGETS))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda name: run_guided(name, seconds, SEED, tmp_path), names))
    for count, broken in done:
        assert not broken, broken
        assert count > 100
    tally(sum(count for count, _ in done))


def test_failure_reports_the_input_that_caused_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def law(data: bytes) -> None:
        assert b"<" not in data

    target = TARGETS["state"]
    monkeypatch.setitem(TARGETS, "state", type(target)(law=law, texts=target.texts, words="<"))
    with pytest.raises(BrokenError) as broken:
        play("state", seed=SEED, tries=10_000)
    assert b"<" in broken.value.data
    assert broken.value.tried > 0
