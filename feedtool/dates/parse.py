"""A date as people and programs write it comes in, an aware moment or None goes out; today fills nothing in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache

from feedtool.dates.zones import full_year, load_zone, plausible, zone_called

__all__ = ["date_in_name", "iso", "load_zone", "parse_date", "rfc822"]

_LONGEST = 120
"""No date is written in more characters; what is longer is not looked at."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SHORT = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ENGLISH = {form: n for n, name in enumerate(_SHORT, 1) for form in (name, name.upper(), name.lower())}

_DIGIT = re.compile(r"\d")


@cache  # compiled when it is needed, as nearly all articles have dates of the other kind
def _rfc822_form() -> re.Pattern[str]:
    return re.compile(
        r"(?:[A-Za-z]{3,9},? +)?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}|\d\d) +"
        r"(\d{1,2}):(\d\d)(?::(\d\d))?(?: *([+-]\d{4}|[A-Za-z]{1,5}))?",
        re.ASCII,
    )


def parse_date(text: str, *, zone: tzinfo = UTC, day_first: bool = False) -> datetime | None:
    """Return the moment `text` names, in the offset it writes, else in `zone`; None when it names none for certain.

    Reads RFC 5322 with its obsolete forms, RFC 850, asctime, ISO 8601 and its loose kin, epoch numbers (9 or 10 digits
    seconds, 13 milliseconds, 16 microseconds; 1990 to 2099), and dates with month names in the languages of
    `feedtool.dates.loose`. A date alone is its midnight, a month alone its first day. `5/7/2022` is May unless
    `day_first`; with dots the day always leads. `CST`, `IST` and the like mean what `zone` observes
    if one meaning does, else the usual one. Years 1000 to 2199 only. Never raises, never asks the clock.
    """
    text = text.strip()
    # fromisoformat takes any separator, and digits alone as a date of the year 1612: let in only what looks right.
    if text[4:5] == "-" and text[10:11] in "T t":
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            if moment.tzinfo:
                return plausible(moment)
            return moment.replace(tzinfo=zone) if 1000 <= moment.year <= 2199 else None
    if (match := _rfc822_form().fullmatch(text)) and (found := _rfc822(match, zone)):
        return found
    if len(text) > _LONGEST or not _DIGIT.search(text):
        return None
    from feedtool.dates.loose import read_loose  # compiling its patterns costs more than a small build

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
    """Return the date a file's name starts with, in `zone`: `2022-07-25-title`, `20220725`, `2022-07-25-20-11-title`.

    None unless it is a real date of 1900 to 2199; numbers after it that make no time of day belong to the title.
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
    """Return an aware moment as RFC 3339, `Z` for UTC, its microseconds dropped: `2022-07-25T20:11:30+08:00`."""
    text = _whole_minutes(moment).isoformat(timespec="seconds")
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def rfc822(moment: datetime) -> str:
    """Return an aware moment as RFC 5322 section 3.3, in English always: `Mon, 25 Jul 2022 12:11:30 +0000`."""
    # email.utils says the same, but importing it costs more than a small build.
    moment = _whole_minutes(moment)
    text = moment.isoformat(timespec="seconds")
    day, month = _DAYS[moment.weekday()], _SHORT[moment.month - 1]
    return f"{day}, {text[8:10]} {month} {text[:4]} {text[11:19]} {text[19:22]}{text[23:]}"


def _whole_minutes(moment: datetime) -> datetime:
    """The same moment in an offset that both formats can write: local mean times before 1900 have seconds."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"{moment!r} has no offset")
    if offset.seconds % 60 or offset.microseconds:
        return moment.astimezone(timezone(timedelta(minutes=offset // timedelta(minutes=1))))
    return moment


def _rfc822(match: re.Match[str], zone: tzinfo) -> datetime | None:
    day, month, year, hour, minute, second, name = match.groups()
    number = _ENGLISH.get(month)
    if number is None:
        return None
    try:
        naive = datetime(full_year(year), number, int(day), int(hour), int(minute), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return None
    if name and len(name) == 1 and name not in "zZjJ":
        name = "UTC"  # RFC 5322 section 4.3: what RFC 822 said of military letters was wrong
    found = zone_called(name.lower(), naive, zone) if name else zone
    return plausible(naive.replace(tzinfo=found)) if found else None
