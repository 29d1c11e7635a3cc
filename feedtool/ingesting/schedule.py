"""What is known of a source and how a visit went in, when to come again and what to remember out; asks no clock.

Being polite is arithmetic: what the server, the feed and the last failures say decides the next visit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from feedtool.dates.parse import iso, parse_date
from feedtool.html.urls import host_of

if TYPE_CHECKING:
    from feedtool.ingesting.models import Waiting

KIND = "source"
"""The kind of these records in `feedtool.state`."""

SOONEST = timedelta(minutes=15)
LATEST = timedelta(days=1)
USUAL = timedelta(minutes=60)
FIRST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(days=7)
SIGHTINGS = 3
"""How often a permanent redirect must be met before it is believed: a hotel's login page redirects once, too."""
SLACK = timedelta(minutes=5)
"""Cron comes a little early at times; half an interval more would be lost then."""
WEEKS = 12
STALE = timedelta(days=30)
HOST_KINDS = frozenset({"timeout", "dns", "refused", "tls", "reset"})
"""Failures that say more about a host than about one feed of it."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_BARS = "▁▂▃▄▅▆▇█"
_WEEK = 7 * 24 * 3600
_USER = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:[/\\]{2})[^/\\?#]*@")

Condition = Literal["new", "good", "stale", "failing", "dead", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is remembered of one source between runs.

    `url` is the address the record is about; `moved` where it redirects for good, met `sightings` times. `digest` is of
    the last body and of the settings it was read with. `every` is in minutes, as the feed asks for. `muted` says why it
    is left alone. `weeks` counts new articles by ISO week; `seen` holds marks of the entries the feed held
    last, and of some that it held before, that have an article; with a space between them, since there are many of them
    for every source, and as texts of their own they would take six times the memory. `formerly` are names that the source had.
    `warnings` say what had to be repaired to read the last feed.
    """

    url: str = ""
    etag: str = ""
    modified: str = ""
    digest: str = ""
    good: datetime | None = None
    failed: datetime | None = None
    next: datetime | None = None
    failures: int = 0
    failure: str = ""
    error: str = ""
    muted: str = ""
    moved: str = ""
    sightings: int = 0
    every: int = 0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()
    weeks: tuple[tuple[str, int], ...] = ()
    seen: str = ""
    formerly: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a good visit told: validators, `max_age` in seconds, `every` in minutes as the feed asks for (ttl, sy:)."""

    etag: str = ""
    modified: str = ""
    digest: str = ""
    max_age: int | None = None
    every: int = 0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()
    permanent_url: str | None = None


def health_of(facts: Mapping[str, Any], url: str) -> Health:
    """Return the health in a state record; facts of another address, or of no sense, are forgotten."""
    if without_password(_text(facts.get("url", url))) != without_password(url):
        return Health(
            url=url,
            weeks=_weeks(facts.get("weeks")),
            seen=joined(facts.get("seen")),
            formerly=_texts(facts.get("formerly")),
        )
    return Health(
        url=url,
        etag=_text(facts.get("etag")),
        modified=_text(facts.get("modified")),
        digest=_text(facts.get("digest")),
        good=_moment(facts.get("good")),
        failed=_moment(facts.get("failed")),
        next=_moment(facts.get("next")),
        failures=_number(facts.get("failures")),
        failure=_text(facts.get("failure")),
        error=_text(facts.get("error")),
        muted=_text(facts.get("muted")),
        moved=_text(facts.get("moved")),
        sightings=_number(facts.get("sightings")),
        every=_number(facts.get("every")),
        skip_hours=tuple(sorted({hour for hour in _list(facts.get("skip_hours")) if type(hour) is int})),
        skip_days=_texts(facts.get("skip_days")),
        weeks=_weeks(facts.get("weeks")),
        seen=joined(facts.get("seen")),
        formerly=_texts(facts.get("formerly")),
        warnings=_texts(facts.get("warnings")),
    )


def facts_of(health: Health) -> dict[str, Any]:
    """Return what the state keeps of a health: only what says something, and no password, since git tracks it."""
    facts: dict[str, Any] = {}
    for name in Health.__slots__:
        value = getattr(health, name)
        if value:
            facts[name] = iso(value) if isinstance(value, datetime) else list(value) if type(value) is tuple else value
    for name in ("url", "moved"):
        if name in facts:
            facts[name] = without_password(facts[name])
    if health.weeks:
        facts["weeks"] = dict(health.weeks)
    return facts


def joined(marks: object) -> str:
    """Return the marks in a list, or joined already, as `Health.seen` has them."""
    return marks if isinstance(marks, str) else " ".join([mark for mark in _texts(marks) if len(mark.split()) == 1])


def without_password(url: str) -> str:
    """Return a URL as it may be shown and stored: without the name and password before its host."""
    return _USER.sub(r"\1", url, count=1)


def address(health: Health) -> str:
    """Return where to fetch a source: its own address until a permanent redirect was met often enough.

    When the new address fails three times in a row, the old one may tell where things went since.
    """
    settled = health.moved and health.sightings >= SIGHTINGS and health.failures < 3
    return health.moved if settled else health.url


def is_due(health: Health, now: datetime) -> bool:
    """Say whether a source is to be visited; a muted one never is."""
    if health.muted:
        return False
    slack = timedelta() if health.failures else SLACK
    return health.next is None or now + slack >= health.next


def after_success(health: Health, visit: Visit, now: datetime, *, new: int = 0) -> Health:
    """Return the health after a visit that brought a feed, changed or not."""
    moved, sightings = _sighted(health, visit.permanent_url)
    every = _bounded(visit.every, LATEST // timedelta(minutes=1))
    return replace(
        health,
        etag=visit.etag,
        modified=visit.modified,
        digest=visit.digest,
        good=now,
        next=next_visit(
            now,
            max_age=visit.max_age,
            every=every,
            skip_hours=visit.skip_hours,
            skip_days=visit.skip_days,
        ),
        failed=None,
        failures=0,
        failure="",
        error="",
        muted="",
        moved=moved,
        sightings=sightings,
        every=every,
        skip_hours=visit.skip_hours,
        skip_days=visit.skip_days,
        weeks=_counted(health.weeks, now, new),
    )


def after_failure(health: Health, kind: str, error: str, now: datetime, *, retry_after: int | None = None) -> Health:
    """Return the health after a visit that failed: each failure in a row doubles the pause, from an hour to a week.

    `retry_after` (seconds, at most a week) makes it longer where the server asks for more; 410 Gone ("gone") mutes the source.
    """
    failures = health.failures + 1
    pause = max(pause_after(failures), timedelta(seconds=_bounded(retry_after or 0, _WEEK)))
    muted = error if kind == "gone" else ""
    return replace(
        health, failed=now, next=now + pause, failures=failures, failure=kind, error=error, muted=muted or health.muted
    )


def pause_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    doubled: int = 2 ** min(max(failures - 1, 0), 10)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


def next_visit(
    now: datetime,
    *,
    max_age: int | None = None,
    every: int = 0,
    skip_hours: Iterable[int] = (),
    skip_days: Iterable[str] = (),
) -> datetime:
    """Return when to come again: the longest wait that anyone asks for, within a quarter of an hour and a day.

    `skip_hours` (GMT) and `skip_days` (English names) as in RSS 2.0; a feed that would skip all of them is not believed.
    """
    # Numbers of a stranger: bounded before they are time, which overflows.
    asked = [timedelta(seconds=_bounded(max_age, _WEEK))] if max_age is not None else []
    asked += [timedelta(minutes=_bounded(every, _WEEK))] if every else []
    moment = now + min(max(max(asked, default=USUAL), SOONEST), LATEST)
    hours = {hour % 24 for hour in skip_hours}  # Netscape's RSS 0.91 counted to 24.
    days = {day.strip().lower() for day in skip_days}
    if len(hours) == 24 or len(days & set(_DAYS)) == 7:
        return moment
    for _ in range(24 * 8):
        greenwich = moment.astimezone(UTC)
        if greenwich.hour not in hours and _DAYS[greenwich.weekday()] not in days:
            break
        moment = (greenwich + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    return moment


def resting_hosts(healths: Iterable[tuple[str, Health]], now: datetime) -> set[str]:
    """Return the hosts (of the pairs of host and health) that are down as a whole: one probe of each is enough.

    A feed's own failures say nothing about its neighbours: it takes three sources, all of that host that were
    visited, failing in a way that only the host can cause, and still within their pauses.
    """
    down: dict[str, int] = {}
    up: set[str] = set()
    for host, health in healths:
        if health.failures and health.failure in HOST_KINDS:
            waits = health.next is not None and now < health.next
            down[host] = down.get(host, 0) + waits
        elif health.good is not None:
            up.add(host)
    return {host for host, count in down.items() if count >= 3 and host not in up}


def condition(health: Health, now: datetime, *, enabled: bool = True) -> Condition:
    """Return how a source does, in a word."""
    if not enabled:
        return "off"
    if health.muted or health.failures >= 10:
        return "dead"
    if health.failures:
        return "failing"
    if health.good is None:
        return "new"
    return "stale" if _last_new(health, now) > STALE else "good"


def counts_by_week(health: Health, now: datetime, weeks: int = WEEKS) -> tuple[int, ...]:
    """Return how many new articles each of the last weeks brought, this week last."""
    counted = dict(health.weeks)
    return tuple(counted.get(_week(now - timedelta(weeks=back)), 0) for back in reversed(range(weeks)))


def sparkline(counts: Iterable[int]) -> str:
    """Return numbers as a row of bars, a dot for nothing."""
    listed = list(counts)
    most = max(listed, default=0)
    return "".join(_BARS[(count * 8 - 1) // most] if count else "·" for count in listed)


def _sighted(health: Health, permanent_url: str | None) -> tuple[str, int]:
    """Return the permanent redirect known now and how often it was met; one that is not met again is forgotten."""
    settled = bool(health.moved) and health.sightings >= SIGHTINGS
    if not permanent_url or permanent_url == health.moved:
        if settled:
            return health.moved, health.sightings
        return (health.moved, health.sightings + 1) if permanent_url else ("", 0)
    if permanent_url == without_password(health.url):
        return "", 0
    # A settled address that redirects in turn is believed at once less: it has to be met anew, from the old one.
    return permanent_url, 1


def _last_new(health: Health, now: datetime) -> timedelta:
    recent = counts_by_week(health, now)
    for back, count in enumerate(reversed(recent)):
        if count:
            return timedelta(weeks=back)
    return timedelta(weeks=WEEKS)


def _counted(weeks: tuple[tuple[str, int], ...], now: datetime, new: int) -> tuple[tuple[str, int], ...]:
    counted = dict(weeks)
    if new:
        counted[_week(now)] = counted.get(_week(now), 0) + new
    oldest = _week(now - timedelta(weeks=WEEKS - 1))
    return tuple((week, count) for week, count in sorted(counted.items()) if week >= oldest)


def _week(moment: datetime) -> str:
    year, week, _ = moment.astimezone(UTC).isocalendar()
    return f"{year}-W{week:02}"


def _bounded(number: int, most: int) -> int:
    return min(max(number, 0), most)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if type(value) is int and 0 <= value < 1 << 31 else 0


def _moment(value: object) -> datetime | None:
    return parse_date(value) if isinstance(value, str) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in _list(value) if isinstance(item, str))


def _weeks(value: object) -> tuple[tuple[str, int], ...]:
    pairs = value.items() if isinstance(value, dict) else ()
    return tuple(sorted((week, count) for week, count in pairs if type(count) is int and count > 0))


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
