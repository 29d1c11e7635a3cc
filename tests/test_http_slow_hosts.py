"""Test that slow and dead hosts do not delay others; each fault of a server is in `hostile_world/network`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from feedtool.http import Failure, Request, Response, fetch
from tests.support import server as play
from tests.support.fence import LIMITS, Net, failure_text, network

SILENT = "timeout: timed out after 1 s while waiting for a response"


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with network({"/hang": play.hang()}) as running:
        yield running


def test_slow_hosts_do_not_delay_others(net: Net) -> None:
    slow = [Request(url=f"http://slow{at}.example/hang", key="slow") for at in range(3)]
    slow += [Request(url=f"http://slow.example/hang?{at}", key="slow") for at in range(4)]
    good = [Request(url=f"http://h{at}.example/ok", key="good") for at in range(30)]
    outcomes = net.all(slow + good, timeout=2.5, concurrency=8, per_host=2)
    assert [outcome.key for outcome in outcomes] == ["good"] * 30 + ["slow"] * 7


def test_dead_host_is_asked_only_a_few_times(net: Net) -> None:
    requests = [Request(url=f"http://dead.example/hang?{at}") for at in range(40)]
    outcomes = net.all(requests, timeout=0.2, per_host=3)
    unasked = "timeout: not fetched: dead.example has not answered 6 other requests of this run"
    assert 32 <= [failure_text(outcome) for outcome in outcomes].count(unasked) <= 34


def test_one_slow_route_of_a_host_fails_alone(net: Net) -> None:
    requests = [Request(url=f"http://rsshub.example/{'hang' if at % 2 else 'ok'}?{at}") for at in range(24)]
    outcomes = net.all(requests, timeout=1, per_host=4)
    assert sum(isinstance(outcome, Response) for outcome in outcomes) == 12
    assert {failure_text(outcome) for outcome in outcomes if isinstance(outcome, Failure)} == {SILENT}


def test_late_run_starts_no_new_requests(net: Net) -> None:
    requests = [Request(url=f"http://late{at}.example/{'hang' if at % 2 else 'ok'}") for at in range(30)]
    fence = net.fence()
    limits = replace(LIMITS, timeout=0.3, concurrency=4)
    late = lambda: len(fence.connected) >= 12  # noqa: E731
    outcomes = list(fetch(requests, limits, connect=fence.connect, resolve=fence.resolve, late=late))
    assert len(outcomes) == 30
    assert len(fence.connected) < 12 + 4
    skipped = [outcome for outcome in outcomes if isinstance(outcome, Failure) and outcome.kind == "late"]
    assert len(skipped) == 30 - len(fence.connected)
    assert {outcome.message for outcome in skipped} == {"not fetched: the run had no time left"}
