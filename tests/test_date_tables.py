"""Test the words of dates against a table, and its months, weekdays and zones against CLDR and the zone database."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest

from feedtool.dates.parse import load_zone, parse_date

TABLE = tomllib.loads((Path(__file__).parent / "data" / "tables" / "dates.toml").read_text("utf-8"))
MONTHS = [(word, number) for number, row in enumerate(TABLE["months"], 1) for word in row.split()]
LANGUAGES = ("en", "en_GB", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "pl", "ru", "cs", "tr")


def minutes(text: str, zone: tzinfo = UTC) -> float | None:
    """Return the offset of a date from UTC in minutes, positive to the east."""
    moment = parse_date(text, zone=zone)
    offset = moment.utcoffset() if moment is not None else None
    return offset / timedelta(minutes=1) if offset is not None else None


@pytest.mark.parametrize(("word", "number"), MONTHS)
def test_month_names_and_prefixes_are_read(word: str, number: int) -> None:
    for spelling in (word, word.upper(), word.title(), f"{word}."):
        moment = parse_date(f"25 {spelling} 2022")
        assert moment is not None, spelling
        assert (moment.month, moment.day) == (number, 25)
    for end in range(3, len(word)):
        months = {month for other, month in MONTHS if other.startswith(word[:end])}
        exact = [month for other, month in MONTHS if other == word[:end]]
        moment = parse_date(f"25 {word[:end]} 2022")
        assert (moment.month if moment else 0) == (exact[0] if exact else number if len(months) == 1 else 0), word[:end]


@pytest.mark.parametrize("word", TABLE["days"].split())
def test_weekday_before_a_date_is_ignored(word: str) -> None:
    for spelling in (word, word.upper(), f"{word},", f"{word}."):
        assert parse_date(f"{spelling} 25 July 2022") == datetime(2022, 7, 25, tzinfo=UTC)
    for end in range(2, len(word)):
        assert parse_date(f"{word[:end]}, 25 July 2022") == datetime(2022, 7, 25, tzinfo=UTC), word[:end]


@pytest.mark.parametrize("word", ["x", "foo", "mondays", "julio", "xmonday", "today"])
def test_other_word_before_a_date_is_refused(word: str) -> None:
    assert parse_date(f"{word}, 25 July 2022") is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", ["wide", "abbreviated"])
@pytest.mark.parametrize("context", ["format", "stand-alone"])
def test_month_and_weekday_names_match_cldr(language: str, width: str, context: str) -> None:
    babel = pytest.importorskip("babel.dates")
    for number, name in babel.get_month_names(width, context, language).items():
        moment = parse_date(f"25 {name} 2022")
        assert moment is not None, name
        assert moment.month == number, name
    for name in babel.get_day_names(width, context, language).values():
        assert parse_date(f"{name}, 25 July 2022") == datetime(2022, 7, 25, tzinfo=UTC), name


@pytest.mark.parametrize("language", [*LANGUAGES, "zh_CN", "zh_TW", "ja", "ko"])
def test_cldr_formatted_dates_are_read(language: str) -> None:
    babel = pytest.importorskip("babel.dates")
    for step in range(24):
        moment = datetime(2022, 1, 3, step, 7, 9, tzinfo=UTC) + timedelta(days=16 * step)
        for form in ("full", "long", "medium"):
            if (language, form) != ("tr", "full"):  # it has the weekday after the date
                read = parse_date(babel.format_date(moment.date(), form, locale=language))
                assert read is not None
                assert read.date() == moment.date()
        assert parse_date(babel.format_datetime(moment, "medium", locale=language)) == moment, (language, moment)


@pytest.mark.parametrize(("name", "east"), TABLE["zones"].items())
def test_zone_abbreviations_are_read(name: str, east: int) -> None:
    for text in (f"25 Jul 2022 12:00 {name.upper()}", f"2022-07-25 12:00:00 {name}", f"July 25, 2022 12:00 ({name})"):
        assert minutes(text) == east, text
    assert minutes(f"Mon Jul 25 12:00:00 {name.upper()} 2022") == east


@pytest.mark.parametrize(("name", "places"), TABLE["local_zones"].items())
def test_ambiguous_abbreviation_follows_the_site_zone(name: str, places: list[tuple[str, int, int]]) -> None:
    for zone, month, east in places:
        assert minutes(f"25 {date(2022, month, 1):%b} 2022 12:00 {name.upper()}", load_zone(zone)) == east, zone


def test_zone_abbreviations_match_the_zone_database() -> None:
    meanings: dict[str, set[int]] = {}
    for zone in map(ZoneInfo, sorted(available_timezones() - {"localtime", "Factory"})):
        for year in (1990, 2005, 2022):
            for month in (1, 7):
                moment = datetime(year, month, 15, tzinfo=zone)
                offset = moment.utcoffset()
                assert offset is not None
                meanings.setdefault((moment.tzname() or "").lower(), set()).add(offset // timedelta(minutes=1))
    others = {"et", "ct", "mt", "pt", "gst"}  # GST was also Guam's abbreviation until 2000
    judged = {name: east for name, east in TABLE["zones"].items() if name in meanings and name not in others}
    assert len(judged) >= 35
    assert {name: east for name, east in judged.items() if east not in meanings[name]} == {}


@pytest.mark.parametrize(("text", "hour"), TABLE["texts"].items())
def test_date_words_and_punctuation_are_read(text: str, hour: int) -> None:
    expected = None if hour < 0 else datetime(2022, 7, 25, hour, 11, tzinfo=UTC)
    assert parse_date(text) == expected
