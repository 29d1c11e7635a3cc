"""Parse the dates that programs write, and write dates for feeds. The current date never fills in missing parts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache

from feedtool.dates.zones import full_year, load_zone, plausible, zone_called

__all__ = ["date_in_name", "iso", "load_zone", "parse_date", "rfc822"]

_MAXIMUM_LENGTH = 120
"""Most characters of a date; longer texts are not parsed."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS = {form: n for n, name in enumerate(_MONTHS, 1) for form in (name, name.upper(), name.lower())}

_DIGIT = re.compile(r"\d")


@cache  # compiled on first use: nearly all articles have ISO 8601 dates
def _rfc822_form() -> re.Pattern[str]:
    return re.compile(
        r"(?:[A-Za-z]{3,9},? +)?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}|\d\d) +"
        r"(\d{1,2}):(\d\d)(?::(\d\d))?(?: *([+-]\d{4}|[A-Za-z]{1,5}))?",
        re.ASCII,
    )


def parse_date(text: str, *, zone: tzinfo = UTC, day_first: bool = False) -> datetime | None:
    """Return the moment that `text` names, with the offset it writes, or else in `zone`; None if it is not certainly a date.

    Reads RFC 5322 with its obsolete forms, RFC 850, asctime, ISO 8601 and its loose kin, epoch numbers (9 or 10 digits
    seconds, 13 milliseconds, 16 microseconds; 1990 to 2099), and dates with month names in the languages of
    `feedtool.dates.loose`. A date alone means its midnight, a month alone its first day. `5/7/2022` is in May
    unless `day_first`; with dots, the day always comes first. Ambiguous names such as `CST` and `IST` have the meaning that
    `zone` observes, or else the most common one. Years 1000 to 2199 only. Never raises and never reads the clock.
    """
    text = text.strip()
    # fromisoformat accepts any separator and bare digits (as a date in 1612), so check the shape first.
    if text[4:5] == "-" and text[10:11] in "T t":
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            if moment.tzinfo:
                return plausible(moment)
            return moment.replace(tzinfo=zone) if 1000 <= moment.year <= 2199 else None
    if (match := _rfc822_form().fullmatch(text)) and (moment_rfc822 := _rfc822(match, zone)):
        return moment_rfc822
    if len(text) > _MAXIMUM_LENGTH or not _DIGIT.search(text):
        return None
    from feedtool.dates.loose import read_loose  # compiling its patterns takes longer than a small build

    try:
        return read_loose(text, zone, day_first)
    except (ValueError, OverflowError):
        return None


@cache
def _name_form() -> re.Pattern[str]:
    return re.compile(
        r"(?:(\d{4})([-_.])(\d{1,2})\2(\d{1,2})|(\d{4})(\d\d)(\d\d)(?=\d{4}(?!\d)|\d{6}(?!\d)|\D|\Z))"
        r"(?:[-_.T ](\d\d)[-_.h](\d\d)(?:[-_.](\d\d))?(?![0-9A-Za-z])|[-_.T ]?(\d\d)(\d\d)(\d\d)(?![0-9A-Za-z])"
        r"|T?(\d\d)(\d\d)(?![0-9A-Za-z])|(?![0-9A-Za-z]))",
        re.ASCII,
    )


def date_in_name(stem: str, *, zone: tzinfo = UTC) -> datetime | None:
    """Return the date at the start of a file name, in `zone`: `2022-07-25-title`, `20220725`, `2022-07-25-20-11-title`.

    Return None unless it is a valid date from 1900 to 2199; numbers after it that are no valid time belong to the title.
    """
    match = _name_form().match(stem)
    if not match:
        return None
    day = [int(part) for part in match.groups()[:7] if part and part.isdigit()]
    clock = [int(part) for part in match.groups()[7:] if part]
    try:
        midnight = datetime(*day, tzinfo=zone)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    if not 1900 <= midnight.year <= 2199:
        return None
    try:
        return datetime(*day, *clock, tzinfo=zone)  # type: ignore[misc, arg-type]
    except ValueError:
        return midnight


def iso(moment: datetime) -> str:
    """Return an aware moment as RFC 3339 without microseconds, with `Z` for UTC: `2022-07-25T20:11:30+08:00`."""
    text = _whole_minutes(moment).isoformat(timespec="seconds")
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def rfc822(moment: datetime) -> str:
    """Return an aware moment as RFC 5322 section 3.3, always in English: `Mon, 25 Jul 2022 12:11:30 +0000`."""
    # email.utils does the same, but importing it takes longer than a small build.
    moment = _whole_minutes(moment)
    text = moment.isoformat(timespec="seconds")
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {text[8:10]} {month} {text[:4]} {text[11:19]} {text[19:22]}{text[23:]}"


def _whole_minutes(moment: datetime) -> datetime:
    """Return the moment with an offset in whole minutes, as both formats require: local mean times before 1900 have seconds."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"{moment!r} has no offset")
    if offset.seconds % 60 or offset.microseconds:
        return moment.astimezone(timezone(timedelta(minutes=offset // timedelta(minutes=1))))
    return moment


def _rfc822(match: re.Match[str], zone: tzinfo) -> datetime | None:
    day, month, year, hour, minute, second, name = match.groups()
    number = _MONTH_NUMBERS.get(month)
    if number is None:
        return None
    try:
        naive = datetime(full_year(year), number, int(day), int(hour), int(minute), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return None
    if name and len(name) == 1 and name not in "zZjJ":
        name = "UTC"  # RFC 5322 section 4.3: the military letters of RFC 822 are unreliable
    written_zone = zone_called(name.lower(), naive, zone) if name else zone
    return plausible(naive.replace(tzinfo=written_zone)) if written_zone else None
