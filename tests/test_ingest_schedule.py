"""Test when a source is visited again, and which facts about its visits are stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.ingesting.schedule import (
    MAX_INTERVAL,
    MAX_PAUSE,
    MIN_INTERVAL,
    Health,
    Visit,
    address,
    after_failure,
    after_success,
    condition,
    counts_by_week,
    down_hosts,
    facts_of,
    health_of,
    is_due,
    next_visit,
    sparkline,
)

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)  # a Monday
URL = "https://example.org/feed"
MINUTES = [
    ({}, 60),
    ({"max_age": 0}, 15),
    ({"max_age": 1800}, 30),
    ({"max_age": 10**9}, 1440),
    ({"every": 5}, 15),
    ({"every": 180}, 180),
    ({"every": 180, "max_age": 60}, 180),
    ({"every": 60, "max_age": 7200}, 120),
    ({"skip_hours": range(24)}, 60),
    ({"skip_hours": [19, 20]}, 150),
    ({"skip_hours": [24]}, 60),
    ({"skip_days": ["Monday"]}, 330),
    ({"skip_days": ["Tuesday"]}, 60),
    ({"skip_days": ["Monday", "Tuesday"], "skip_hours": [0]}, 24 * 60 + 390),
]


@pytest.mark.parametrize(("requested", "minutes"), MINUTES)
def test_next_visit_is_the_longest_requested_wait(requested, minutes):
    assert next_visit(NOW, **requested) == NOW + timedelta(minutes=minutes)


@given(max_age=st.none() | st.integers(0, 10**9), every=st.integers(0, 10**6))
def test_visit_interval_is_bounded(max_age, every):
    assert MIN_INTERVAL <= next_visit(NOW, max_age=max_age, every=every) - NOW <= MAX_INTERVAL


def test_failures_double_the_pause():
    health, hours = Health(url=URL), []
    for _ in range(10):
        health = after_failure(health, "status", "500", NOW)
        hours.append((health.next - NOW) / timedelta(hours=1))
    assert hours == [1, 2, 4, 8, 16, 32, 64, 128, 168, 168]
    assert condition(health, NOW) == "dead"
    good = after_success(health, Visit(), NOW, new=3)
    assert (good.failures, good.error, good.failed, condition(good, NOW)) == (0, "", None, "good")


@given(st.integers(1, 60), st.none() | st.integers(0, 7 * 86_400))
def test_retry_after_only_lengthens_the_pause(failures, retry_after):
    health = Health(url=URL, failures=failures - 1)
    plain = after_failure(health, "status", "429", NOW).next
    next_time = after_failure(health, "status", "429", NOW, retry_after=retry_after).next
    assert plain <= next_time <= NOW + max(MAX_PAUSE, timedelta(seconds=retry_after or 0))
    assert next_time >= NOW + timedelta(seconds=retry_after or 0)


def test_gone_source_is_muted_until_its_url_changes():
    health = after_failure(Health(url=URL), "gone", "410 Gone", NOW)
    assert not is_due(health, NOW + timedelta(days=999))
    assert is_due(health_of(facts_of(health), URL + "2"), NOW)


def test_redirect_is_permanent_after_three_visits():
    health, new = Health(url=URL), "https://example.com/feed"
    for times in range(1, 4):
        assert address(health) == URL
        health = after_success(health, Visit(permanent_url=new), NOW)
        assert health.sightings == times
    assert address(health) == new
    health = after_success(health, Visit(), NOW)
    assert address(health) == new
    for _ in range(3):
        health = after_failure(health, "dns", "no such host", NOW)
    assert address(health) == URL


def test_single_redirect_is_forgotten():
    health = after_success(Health(url=URL), Visit(permanent_url="https://login.hotel/"), NOW)
    assert after_success(health, Visit(), NOW).sightings == 0


def test_host_rests_if_down_for_three_sources():
    down = after_failure(Health(url=URL), "timeout", "no answer", NOW)
    own = after_failure(Health(url=URL), "status", "503", NOW)
    up = after_success(Health(url=URL), Visit(), NOW)
    assert down_hosts([("a", down)] * 3, NOW) == {"a"}
    assert down_hosts([("a", down)] * 2, NOW) == set()
    assert down_hosts([("a", own)] * 9, NOW) == set()
    assert down_hosts([*[("a", down)] * 9, ("a", up)], NOW) == set()
    assert down_hosts([("a", down)] * 3, NOW + timedelta(days=1)) == set()


moments = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
healths = st.builds(
    Health,
    url=st.just(URL),
    etag=st.text(),
    error=st.text(),
    good=moments,
    next=moments,
    failures=st.integers(0, 99),
    skip_hours=st.sets(st.integers(0, 23)).map(lambda hours: tuple(sorted(hours))),
    weeks=st.dictionaries(st.sampled_from(["2026-W46", "2026-W47"]), st.integers(1, 99)).map(
        lambda weeks: tuple(sorted(weeks.items()))
    ),
    seen=st.lists(st.text("abcdefgh-_0123", min_size=1)).map(" ".join),
)


@given(healths)
def test_health_reads_back_unchanged(health):
    assert health_of(facts_of(health), URL) == health


@given(
    st.dictionaries(st.sampled_from(Health.__slots__), st.none() | st.integers() | st.text() | st.lists(st.integers()))
)
def test_a_damaged_record_never_stops_a_run(facts):
    health = health_of(facts, URL)
    assert health_of(facts_of(health), URL) == health
    is_due(health, NOW)
    condition(health, NOW)


def test_articles_are_counted_by_week():
    health = Health(url=URL)
    for weeks in range(20):
        health = after_success(health, Visit(), NOW + timedelta(weeks=weeks), new=weeks % 4)
    counts = counts_by_week(health, NOW + timedelta(weeks=19))
    assert counts == (0, 1, 2, 3) * 3
    assert len(health.weeks) <= 12
    assert sparkline(counts) == "·▃▆█" * 3
    assert condition(health, NOW + timedelta(weeks=20)) == "good"
    assert condition(health, NOW + timedelta(weeks=26)) == "stale"


@given(st.lists(st.integers(0, 10**6)))
def test_sparkline_has_a_bar_for_each_number(counts):
    bars = sparkline(counts)
    assert len(bars) == len(counts)
    assert [bar == "·" for bar in bars] == [count == 0 for count in counts]


def ago(**time):
    return NOW - timedelta(**time)


@pytest.mark.parametrize(
    ("health", "due"),
    [
        ({}, True),
        ({"next": NOW}, True),
        ({"next": NOW + timedelta(minutes=5)}, True),
        ({"next": NOW + timedelta(minutes=5, seconds=1)}, False),
        ({"next": NOW, "failures": 1}, True),
        ({"next": NOW + timedelta(seconds=1), "failures": 1}, False),
        ({"muted": "410 Gone"}, False),
    ],
)
def test_source_is_due_early_unless_it_failed(health, due):
    assert is_due(Health(url=URL, **health), NOW) is due


@pytest.mark.parametrize(
    ("health", "word"),
    [
        ({}, "new"),
        ({"failures": 1}, "failing"),
        ({"failures": 9, "good": ago(days=9)}, "failing"),
        ({"failures": 10, "good": ago(days=9)}, "dead"),
        ({"muted": "gone"}, "dead"),
        ({"good": NOW}, "stale"),
        ({"good": NOW, "weeks": (("2026-W48", 1),)}, "good"),
        ({"good": NOW, "weeks": (("2026-W44", 1),)}, "good"),
        ({"good": NOW, "weeks": (("2026-W43", 1),)}, "stale"),
    ],
)
def test_source_condition_is_one_word(health, word):
    assert condition(Health(url=URL, **health), NOW) == word
    assert condition(Health(url=URL, **health), NOW, enabled=False) == "off"


@pytest.mark.parametrize(
    ("kind", "of_the_host"),
    [(kind, True) for kind in ("timeout", "dns", "refused", "tls", "reset")]
    + [(kind, False) for kind in ("status", "gone", "protocol", "too-large", "redirect", "private", "other", "")],
)
def test_some_failures_affect_the_whole_host(kind, of_the_host):
    down = after_failure(Health(url=URL), kind, "no", NOW)
    assert (down_hosts([("a", down)] * 3, NOW) == {"a"}) is of_the_host


def test_host_rests_until_the_pause_ends():
    down = after_failure(Health(url=URL), "dns", "no", NOW)
    assert down_hosts([("a", down)] * 3, down.next - timedelta(seconds=1)) == {"a"}
    assert down_hosts([("a", down)] * 3, down.next) == set()
    silent = Health(url=URL, failures=1, failure="dns")
    assert down_hosts([("a", silent)] * 9, NOW) == set()
    own = after_failure(Health(url=URL, good=ago(days=1)), "status", "503", NOW)
    assert down_hosts([*[("a", down)] * 3, ("a", own)], NOW) == set()
    assert down_hosts([*[("a", down)] * 3, ("b", own)], NOW) == {"a"}
    assert down_hosts([*[("a", down)] * 3, ("a", Health(url=URL))], NOW) == {"a"}


@pytest.mark.parametrize("number", range(7))
def test_skip_days_postpone_the_visit(number):
    day = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[number]
    at = NOW + timedelta(days=number)
    for spelling in (day, day.upper(), f" {day} "):
        assert next_visit(at, skip_days=[spelling]) == datetime(2026, 11, 24, tzinfo=UTC) + timedelta(days=number)
    assert next_visit(at, skip_days=[day[:3], "day"]) == at + timedelta(hours=1)


@pytest.mark.parametrize(
    ("before", "target", "expected"),
    [
        (("", 0), None, ("", 0)),
        (("", 0), "https://n.org/", ("https://n.org/", 1)),
        (("https://n.org/", 1), "https://n.org/", ("https://n.org/", 2)),
        (("https://n.org/", 2), None, ("", 0)),
        (("https://n.org/", 2), "https://o.org/", ("https://o.org/", 1)),
        (("https://n.org/", 3), None, ("https://n.org/", 3)),
        (("https://n.org/", 3), "https://n.org/", ("https://n.org/", 3)),
        (("https://n.org/", 3), "https://o.org/", ("https://o.org/", 1)),
        (("https://n.org/", 3), URL, ("", 0)),
    ],
)
def test_permanent_redirects_are_counted(before, target, expected):
    health = Health(url=URL, moved=before[0], sightings=before[1])
    after = after_success(health, Visit(permanent_url=target), NOW)
    assert (after.moved, after.sightings) == expected


def test_changed_address_forgets_its_facts():
    health = Health(
        url="https://ann:pw@example.org/feed", etag="e", failures=3, moved="https://u:p@n.org/", weeks=(("2026-W47", 1),),
        seen="a b", formerly=("old",), good=NOW, every=5, muted="m",
    )  # fmt: skip
    facts = facts_of(health)
    assert (facts["url"], facts["moved"], facts["weeks"]) == (URL, "https://n.org/", {"2026-W47": 1})
    assert health_of(facts, "https://bob:other@example.org/feed").etag == "e"
    assert health_of(facts, "https://example.org/other") == Health(
        url="https://example.org/other", weeks=(("2026-W47", 1),), seen="a b", formerly=("old",)
    )
    assert facts_of(Health()) == {}


@pytest.mark.parametrize(
    ("facts", "health"),
    [
        ({"failures": 2**31 - 1}, {"failures": 2**31 - 1}),
        ({"failures": 2**31, "sightings": -1, "every": True}, {}),
        ({"skip_hours": [3, 1, 1, "2", True, None]}, {"skip_hours": (1, 3)}),
        ({"skip_days": ["Monday", 1]}, {"skip_days": ("Monday",)}),
        ({"weeks": {"2026-W47": 0, "2026-W46": 2, "2026-W45": "1"}}, {"weeks": (("2026-W46", 2),)}),
        ({"seen": ["a", "b c", "", 1, "d"]}, {"seen": "a d"}),
        ({"seen": "a b"}, {"seen": "a b"}),
        ({"good": "2026-11-23T18:30:00Z", "next": "never"}, {"good": NOW}),
    ],
)
def test_invalid_facts_are_ignored(facts, health):
    assert health_of({"url": URL, **facts}, URL) == Health(url=URL, **health)


def test_weeks_follow_iso_8601():
    health = Health(url=URL)
    for moment in (
        datetime(2026, 12, 31, tzinfo=UTC),
        datetime(2027, 1, 3, 23, tzinfo=UTC),
        datetime(2027, 1, 4, tzinfo=UTC),
    ):
        health = after_success(health, Visit(), moment, new=2)
    assert health.weeks == (("2026-W53", 4), ("2027-W01", 2))
    assert counts_by_week(health, datetime(2027, 1, 4, tzinfo=UTC), 3) == (0, 4, 2)


def test_bar_height_is_relative_to_the_highest():
    assert sparkline(range(9)) == "·▁▂▃▄▅▆▇█"
    assert sparkline([1, 800]) == "▁█"
    assert sparkline([5]) == "█"
    assert sparkline([]) == ""


@pytest.mark.parametrize(
    ("failures", "retry_after", "hours"),
    [(0, 0, 1), (0, 3600, 1), (0, 7200, 2), (0, 10**9, 168), (0, -5, 1), (7, 0, 128), (8, 0, 168), (50, None, 168)],
)
def test_longer_pause_wins(failures, retry_after, hours):
    after = after_failure(Health(url=URL, failures=failures), "status", "503", NOW, retry_after=retry_after)
    assert after.next - NOW == timedelta(hours=hours)
    assert (after.failed, after.failure, after.error, after.muted) == (NOW, "status", "503", "")


def test_only_a_success_unmutes_a_source():
    muted = after_failure(Health(url=URL, muted="410 Gone"), "dns", "no", NOW)
    assert muted.muted == "410 Gone"
    assert after_success(muted, Visit(etag="e", modified="m", digest="d", every=7, skip_hours=(1,)), NOW) == Health(
        url=URL,
        etag="e",
        modified="m",
        digest="d",
        every=7,
        skip_hours=(1,),
        good=NOW,
        next=NOW + timedelta(minutes=15),
    )
    assert after_success(muted, Visit(every=10**9), NOW).every == 1440
