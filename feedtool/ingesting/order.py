"""Sources that are due in, those to be asked out, in the order of their turns; asks nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from feedtool.html.urls import host_of
from feedtool.ingesting.models import Waiting
from feedtool.ingesting.schedule import resting_hosts

_EVER = datetime.min.replace(tzinfo=UTC)


def in_turn(due: Iterable[Waiting]) -> list[Waiting]:
    """Return the sources with the one first that has been due for longest: what a run has no time for comes first in the
    next, so that every source has its turn however short a run is."""
    return sorted(due, key=lambda one: one.health.next or _EVER)


def without_resting(due: Iterable[Waiting], everyone: Iterable[Waiting], now: datetime) -> list[Waiting]:
    """Leave one source of each host that is down as a whole, to see whether it is up again."""
    resting = resting_hosts(((host_of(one.requested.address), one.health) for one in everyone), now)
    kept: list[Waiting] = []
    for one in due:
        host = host_of(one.requested.address)
        if host in resting and one.health.failures:
            one.tally.outcome, one.tally.message = "waiting", f"{host} is down"
        else:
            kept.append(one)
    return kept
