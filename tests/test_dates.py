"""Test that dates in the forms that people write are read or refused, and written alike in every environment."""

from __future__ import annotations

import locale
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedtool.dates.parse import date_in_name, iso, load_zone, parse_date, rfc822

TABLE = Path(__file__).parent / "data" / "dates.tsv"
UTC = UTC
SHANGHAI = load_zone("Asia/Shanghai")
ZONES = st.sampled_from(
    ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "-12:00", "+14:00"]
)
MINUTES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
LOWEST, HIGHEST = datetime(1001, 1, 1), datetime(2198, 12, 31)  # noqa: DTZ001  hypothesis adds the zone
MOMENTS = st.datetimes(LOWEST, HIGHEST, timezones=MINUTES).map(lambda d: d.replace(microsecond=0))
WORDS = """
2022 7 07 25 30 206 99 0000 99999 - / . , : T Z W W30 + +0800 +08:00 -15:30 年 月 日 时 分 秒 下午 上午 년 월 일 오후
Mon Jul July mar juillet de le PM am p.m. CST GMT ET UTC+8 (CST) ( ) [Asia/Shanghai] [A/B] 1658751090 20220725
２ \u0660 ² ſ İ \ud800 \x00
"""
SCRAPS = st.lists(st.sampled_from(WORDS.split()) | st.just(" "), max_size=14).map("".join)


def rows() -> list[tuple[str, str, str]]:
    lines = TABLE.read_text("utf-8").splitlines()[1:]
    cases = []
    for line in lines:
        text, zone, expected = line.split("\t")
        text = re.sub(r"\\(?:n|t|x..|u....)", lambda match: match[0].encode().decode("unicode_escape"), text)
        cases.append((text, zone, expected))
    return cases


@pytest.mark.parametrize(("text", "zone", "expected"), rows())
def test_dates_are_read_as_in_the_table(text: str, zone: str, expected: str) -> None:
    moment = parse_date(text, zone=load_zone(zone))
    assert (iso(moment) if moment else "-") == expected


def test_date_table_has_200_distinct_cases() -> None:
    assert len(rows()) == len(set(rows())) >= 200


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5/7/2022", "2022-07-05"), ("5-7-2022", "2022-07-05"), ("5.7.2022", "2022-07-05"), ("7/25/2022", "2022-07-25")],
)
def test_ambiguous_date_may_put_the_day_first(text: str, expected: str) -> None:
    moment = parse_date(text, day_first=True)
    assert moment is not None
    assert moment.strftime("%Y-%m-%d") == expected


@given(st.text(max_size=40) | SCRAPS, ZONES, st.booleans())
@example("2022-07-25T20:11:30\ud800", "UTC", False)
@example("1000-01-01T00:00:00+14:00", "UTC", False)
@example("2199-12-31T24:00", "UTC", False)
def test_any_text_gives_an_aware_date_or_none(text: str, zone: str, day_first: bool) -> None:
    moment = parse_date(text, zone=load_zone(zone), day_first=day_first)
    if moment is not None:
        assert moment.utcoffset() is not None
        assert 998 < moment.astimezone(UTC).year < 2201
        parsed = parse_date(iso(moment), zone=SHANGHAI)
        assert parsed == moment.replace(microsecond=0) or moment.year in (1000, 2199, 2200)


@given(MOMENTS)
def test_written_dates_read_back_unchanged(moment: datetime) -> None:
    for write in (iso, rfc822):
        read = parse_date(write(moment), zone=SHANGHAI)
        assert read == moment
        assert read is not None
        assert read.utcoffset() == moment.utcoffset()
    assert rfc822(moment) == format_datetime(moment)
    assert parsedate_to_datetime(rfc822(moment)) == moment
    assert datetime.fromisoformat(iso(moment)) == moment


@given(
    MOMENTS,
    ZONES,
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y年%m月%d日 %H时%M分%S秒"]),
)
def test_naive_date_uses_the_given_zone(moment: datetime, zone: str, form: str) -> None:
    local = moment.replace(tzinfo=load_zone(zone))
    read = parse_date(local.strftime(form), zone=load_zone(zone))
    assert read == local


def test_fractional_seconds_are_read_but_not_written() -> None:
    moment = parse_date("2022-07-25 20:11:30,1234567 GMT")
    assert moment == datetime(2022, 7, 25, 20, 11, 30, 123456, UTC)
    assert parse_date("1658751090123") == datetime(2022, 7, 25, 12, 11, 30, 123000, UTC)
    assert iso(datetime(2022, 7, 25, 12, 11, 30, 999999, UTC)) == "2022-07-25T12:11:30Z"


def test_local_mean_time_offset_is_rounded_to_minutes() -> None:
    moment = datetime(1900, 1, 1, 12, tzinfo=SHANGHAI)
    assert iso(moment) == "1900-01-01T11:59:17+08:05"
    assert datetime.fromisoformat(iso(moment)) == moment


def test_weekday_follows_the_rounded_offset() -> None:
    moment = datetime(1903, 5, 1, tzinfo=load_zone("America/St_Johns"))
    assert rfc822(moment) == "Thu, 30 Apr 1903 23:59:52 -0331"
    assert parse_date(rfc822(moment)) == moment


def test_naive_moment_is_refused() -> None:
    for write in (iso, rfc822):
        with pytest.raises(ValueError, match="no offset"):
            write(datetime(2022, 7, 25))  # noqa: DTZ001  naive on purpose


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("2022-07-25-title", "2022-07-25T00:00:00+08:00"),
        ("20220725-title", "2022-07-25T00:00:00+08:00"),
        ("20220725", "2022-07-25T00:00:00+08:00"),
        ("2022-07-25", "2022-07-25T00:00:00+08:00"),
        ("2022-7-5-title", "2022-07-05T00:00:00+08:00"),
        ("2022_07_25_title", "2022-07-25T00:00:00+08:00"),
        ("2022.07.25 title", "2022-07-25T00:00:00+08:00"),
        ("2022-07-25标题", "2022-07-25T00:00:00+08:00"),
        ("2022-07-25-20-11-title", "2022-07-25T20:11:00+08:00"),
        ("2022-07-25-20-11-30-title", "2022-07-25T20:11:30+08:00"),
        ("2022-07-25T20-11-title", "2022-07-25T20:11:00+08:00"),
        ("20220725-201130-title", "2022-07-25T20:11:30+08:00"),
        ("20220725201130", "2022-07-25T20:11:30+08:00"),
        ("20220725T2011", "2022-07-25T20:11:00+08:00"),
        ("202207252011-title", "2022-07-25T20:11:00+08:00"),
        ("2022-07-25-99-99-title", "2022-07-25T00:00:00+08:00"),
        ("2022-07-25-20-title", "2022-07-25T00:00:00+08:00"),
        ("2022-07-25-12-14yearolds", "2022-07-25T00:00:00+08:00"),
        ("20220725-2022-review", "2022-07-25T00:00:00+08:00"),
        ("1900-01-01-title", "1899-12-31T23:59:17+08:05"),
        ("2199-12-31-title", "2199-12-31T00:00:00+08:00"),
        ("1899-12-31-title", "-"),
        ("2200-01-01-title", "-"),
        ("2022-13-45-title", "-"),
        ("2022-02-30", "-"),
        ("2022-07-251", "-"),
        ("2022-07-25th", "-"),
        ("20220725title", "-"),
        ("1658751090", "-"),
        ("1658751090000", "-"),
        ("1612010400-title", "-"),
        ("10001231-title", "-"),
        ("title-2022-07-25", "-"),
        ("2022-07-title", "-"),
        ("2022-07.25", "-"),
        ("", "-"),
    ],
)
def test_file_name_date_must_be_real(stem: str, expected: str) -> None:
    moment = date_in_name(stem, zone=SHANGHAI)
    assert (iso(moment) if moment else "-") == expected


@given(st.text(max_size=30) | st.from_regex(r"\A[12]\d{3}[-_.]?\d\d?[-_.]?\d\d?[-_.T]?[\d-]{0,9}\Z"))
def test_any_file_name_gives_a_date_or_none(stem: str) -> None:
    moment = date_in_name(stem, zone=SHANGHAI)
    assert moment is None or iso(moment)[:4] == stem[:4]


@pytest.mark.parametrize(
    ("name", "minutes"),
    [
        ("UTC", 0),
        ("GMT", 0),
        ("Z", 0),
        ("+08:00", 480),
        ("-0330", -210),
        ("+8", 480),
        ("UTC+08:00", 480),
        ("Asia/Shanghai", 480),
    ],
)
def test_a_zone_is_a_name_or_an_offset(name: str, minutes: int) -> None:
    zone: tzinfo = load_zone(name)
    assert datetime(2022, 7, 25, tzinfo=zone).utcoffset() == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Asia/Shanghia", "did you mean Asia/Shanghai?"),
        ("asia/shanghai", "did you mean Asia/Shanghai?"),
        ("Mars", "write an IANA name"),
        ("", "write an IANA name"),
        ("localtime", "unknown time zone"),
        ("../../etc/passwd", "unknown time zone"),
        ("America", "unknown time zone"),
        ("A\x00", "unknown time zone"),
        ("\ud800", "unknown time zone"),
        ("+25:00", "out of range"),
        ("+08:75", "out of range"),
    ],
)
def test_unknown_zone_is_refused_with_a_hint(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        load_zone(name)


def test_environment_does_not_change_dates() -> None:
    code = (
        "import locale, sys\n"
        "try: locale.setlocale(locale.LC_ALL, '')\n"
        "except locale.Error: pass\n"
        "from feedtool.dates.parse import *\n"
        "for t in sys.stdin.read().split('|'):\n"
        "    m = parse_date(t)\n"
        "    print(m and (iso(m), rfc822(m)))"
    )
    texts = (
        "2022-07|25 Jul 2022|Jul 25|12:30|25 juillet 2022 20:11|2022-07-25 20:11:30|1658751090|20:11|July 25, 2022 ET"
    )
    outputs = set()
    for zone, language in (("UTC", "C"), ("Asia/Shanghai", "de_DE.UTF-8"), ("America/New_York", "tr_TR.UTF-8")):
        environment = {**os.environ, "TZ": zone, "LC_ALL": language, "PYTHONUTF8": "1"}
        run = subprocess.run(
            [sys.executable, "-c", code], input=texts, env=environment, capture_output=True, text=True, check=True
        )
        outputs.add(run.stdout)
    assert len(outputs) == 1
    assert "Mon, 25 Jul 2022 20:11:30 +0000" in outputs.pop()


def test_locale_of_the_process_is_kept() -> None:
    before = locale.setlocale(locale.LC_ALL)
    rfc822(datetime(2022, 7, 25, tzinfo=UTC))
    assert locale.setlocale(locale.LC_ALL) == before


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "a", "a ", "(", "()", "年", "- ", "\u0301", "ﷺ", "mon ", "+", "Jul 25 ", " "]
)
def test_hostile_texts_are_parsed_quickly(piece: str) -> None:
    start = time.process_time()
    for length in (60, 119, 1_000_000):
        for text in (piece * (length // len(piece)), "2022-07-25 " + piece * (length // len(piece)) + "x"):
            parse_date(text)
            date_in_name(text)
    assert time.process_time() - start < 1
