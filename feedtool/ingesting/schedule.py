"""Decide when to visit a source again, from its health and the result of a visit. The time is an argument.

The server, the feed and the last failures determine the next visit, so that no server is asked too often.
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
    from feedtool.ingesting.models import SourceRun

KIND = "source"
"""The kind of these records in `feedtool.state`."""

MIN_INTERVAL = timedelta(minutes=15)
MAX_INTERVAL = timedelta(days=1)
DEFAULT_INTERVAL = timedelta(minutes=60)
MIN_PAUSE = timedelta(hours=1)
MAX_PAUSE = timedelta(days=7)
SIGHTINGS = 3
"""How often a permanent redirect must be seen before it is believed: a hotel's login page redirects once, too."""
SLACK = timedelta(minutes=5)
"""Cron may start a run a little early; without this tolerance, the visit would wait for the run after that."""
WEEKS = 12
STALE = timedelta(days=30)
HOST_KINDS = frozenset({"timeout", "dns", "refused", "tls", "reset"})
"""The kinds of failures that concern a host rather than one of its feeds."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_BARS = "▁▂▃▄▅▆▇█"
_WEEK = 7 * 24 * 3600
_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:[/\\]{2})[^/\\?#]*@")

Condition = Literal["new", "good", "stale", "failing", "dead", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The record of one source that is kept between runs.

    `url` is the address of the source when the record was written, and `moved` is the target of a permanent redirect, seen
    `sightings` times. `digest` covers the last body and the settings with which it was read. `every` is in minutes, as the
    feed requests. `muted` is the reason why the source is no longer fetched. `weeks` counts new articles by ISO week. `seen`
    contains the keys of the entries with an article that the feed contained last, and of some that it contained earlier. They
    are joined by spaces, because as separate strings the many keys of all sources would take six times the memory. `formerly`
    are earlier names of the source. `warnings` name the repairs that were necessary to read the last feed.
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
    """The result of a successful visit: validators, `max_age` in seconds, `every` in minutes as the feed requests it (ttl, sy:)."""

    etag: str = ""
    modified: str = ""
    digest: str = ""
    max_age: int | None = None
    every: int = 0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()
    permanent_url: str | None = None


def health_of(facts: Mapping[str, Any], url: str) -> Health:
    """Return the health in a state record, without values of another address and values of a wrong type."""
    if without_password(_text(facts.get("url", url))) != without_password(url):
        return Health(
            url=url,
            weeks=_weeks(facts.get("weeks")),
            seen=join_keys(facts.get("seen")),
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
        seen=join_keys(facts.get("seen")),
        formerly=_texts(facts.get("formerly")),
        warnings=_texts(facts.get("warnings")),
    )


def facts_of(health: Health, earlier: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the state record of a health: only values that are set, and no password, since git tracks the file.

    `earlier` is the record before; values in it that this version does not know are kept.
    """
    facts = {name: value for name, value in (earlier or {}).items() if name not in Health.__slots__}
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


def join_keys(keys: object) -> str:
    """Return a list of keys, or a string of joined ones, in the form of `Health.seen`."""
    return keys if isinstance(keys, str) else " ".join([key for key in _texts(keys) if len(key.split()) == 1])


def without_password(url: str) -> str:
    """Return a URL as it may be shown and stored: without the name and password before its host."""
    return _CREDENTIALS.sub(r"\1", url, count=1)


def address(health: Health) -> str:
    """Return the URL to fetch: the source's own until a permanent redirect was seen often enough.

    When the new address has failed three times in a row, the source's own is tried again, because it may redirect elsewhere now.
    """
    is_confirmed = health.moved and health.sightings >= SIGHTINGS and health.failures < 3
    return health.moved if is_confirmed else health.url


def is_due(health: Health, now: datetime) -> bool:
    """Return True if a source is to be visited. A muted one never is."""
    if health.muted:
        return False
    slack = timedelta() if health.failures else SLACK
    return health.next is None or now + slack >= health.next


def after_success(health: Health, visit: Visit, now: datetime, *, new: int = 0) -> Health:
    """Return the health after a visit that returned a feed, changed or not."""
    moved, sightings = _redirect_after(health, visit.permanent_url)
    every = _bounded(visit.every, MAX_INTERVAL // timedelta(minutes=1))
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
        weeks=_add_new_articles(health.weeks, now, new),
    )


def after_failure(health: Health, kind: str, error: str, now: datetime, *, retry_after: int | None = None) -> Health:
    """Return the health after a failed visit. Each failure in a row doubles the pause, from an hour to a week.

    `retry_after` (seconds, at most a week) makes the pause longer if the server asks for it. 410 Gone (kind "gone") mutes the
    source.
    """
    failures = health.failures + 1
    pause = max(pause_after(failures), timedelta(seconds=_bounded(retry_after or 0, _WEEK)))
    muted = error if kind == "gone" else ""
    return replace(
        health, failed=now, next=now + pause, failures=failures, failure=kind, error=error, muted=muted or health.muted
    )


def pause_after(failures: int) -> timedelta:
    """Return how long to wait after this many failures in a row."""
    doubled: int = 2 ** min(max(failures - 1, 0), 10)
    return min(MIN_PAUSE * doubled, MAX_PAUSE)


def next_visit(
    now: datetime,
    *,
    max_age: int | None = None,
    every: int = 0,
    skip_hours: Iterable[int] = (),
    skip_days: Iterable[str] = (),
) -> datetime:
    """Return the time of the next visit: the longest interval that the server or the feed requests, from 15 minutes to a day.

    `skip_hours` (GMT) and `skip_days` (English names) are those of RSS 2.0. A feed that would skip all of them is not obeyed.
    """
    # The numbers come from servers: bound them before they become a timedelta, which could overflow.
    intervals = [timedelta(seconds=_bounded(max_age, _WEEK))] if max_age is not None else []
    intervals += [timedelta(minutes=_bounded(every, _WEEK))] if every else []
    moment = now + min(max(max(intervals, default=DEFAULT_INTERVAL), MIN_INTERVAL), MAX_INTERVAL)
    hours = {hour % 24 for hour in skip_hours}  # Netscape's RSS 0.91 counts from 1 to 24.
    days = {day.strip().lower() for day in skip_days}
    if len(hours) == 24 or len(days & set(_DAYS)) == 7:
        return moment
    for _ in range(24 * 8):
        utc = moment.astimezone(UTC)
        if utc.hour not in hours and _DAYS[utc.weekday()] not in days:
            break
        moment = (utc + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    return moment


def down_hosts(healths: Iterable[tuple[str, Health]], now: datetime) -> set[str]:
    """Return the hosts, of pairs of host and health, that are down as a whole.

    A feed's own failure proves nothing about other feeds. A host is down if at least three of its sources failed in a way that only
    the host can cause and are still in their pauses, and if none of its other sources was ever read successfully.
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
    """Return the condition of a source in one word."""
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
    """Return the number of new articles in each of the last weeks, this week last."""
    counted = dict(health.weeks)
    return tuple(counted.get(_week(now - timedelta(weeks=back)), 0) for back in reversed(range(weeks)))


def sparkline(counts: Iterable[int]) -> str:
    """Return numbers as a row of bars, with a dot for zero."""
    listed = list(counts)
    most = max(listed, default=0)
    return "".join(_BARS[(count * 8 - 1) // most] if count else "·" for count in listed)


def _redirect_after(health: Health, permanent_url: str | None) -> tuple[str, int]:
    """Return the permanent redirect after a visit and how often it was seen. One that is not seen again is forgotten."""
    is_confirmed = bool(health.moved) and health.sightings >= SIGHTINGS
    if not permanent_url or permanent_url == health.moved:
        if is_confirmed:
            return health.moved, health.sightings
        return (health.moved, health.sightings + 1) if permanent_url else ("", 0)
    if permanent_url == without_password(health.url):
        return "", 0
    # A confirmed address that redirects in turn is no longer confirmed: the new redirect has to be seen often enough itself.
    return permanent_url, 1


def _last_new(health: Health, now: datetime) -> timedelta:
    recent = counts_by_week(health, now)
    for back, count in enumerate(reversed(recent)):
        if count:
            return timedelta(weeks=back)
    return timedelta(weeks=WEEKS)


def _add_new_articles(weeks: tuple[tuple[str, int], ...], now: datetime, new: int) -> tuple[tuple[str, int], ...]:
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


_EARLIEST = datetime.min.replace(tzinfo=UTC)


def longest_due_first(due: Iterable[SourceRun]) -> list[SourceRun]:
    """Return the sources sorted by the time at which they were due.

    A source that a run has no time for comes first in the next run, so each source is visited however short the runs are.
    """
    return sorted(due, key=lambda run: run.health.next or _EARLIEST)


def skip_down_hosts(due: Iterable[SourceRun], all_sources: Iterable[SourceRun], now: datetime) -> list[SourceRun]:
    """Return the due sources without the failing ones of hosts that are down.

    Such a source is visited once fewer than three sources of its host are in their pauses.
    """
    down = down_hosts(((host_of(run.requested.address), run.health) for run in all_sources), now)
    kept: list[SourceRun] = []
    for run in due:
        host = host_of(run.requested.address)
        if host in down and run.health.failures:
            run.tally.outcome, run.tally.message = "waiting", f"{host} is down"
        else:
            kept.append(run)
    return kept
