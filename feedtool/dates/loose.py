"""Parse dates in words or loose digits; imported only if `parse` recognizes no quick form."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache

from feedtool.dates.zones import full_year, iana_zone, is_zone_name, offset_zone, plausible, zone_called

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS = {9: 1_000_000, 10: 1_000_000, 13: 1_000, 16: 1}
"""Microseconds in one unit of an epoch number, by how many digits the number has."""

_MONTHS = """
january januar jänner janvier enero gennaio janeiro januari stycznia styczeń января январь ledna leden ocak
february februar feber février febrero febbraio fevereiro februari lutego luty февраля февраль února únor şubat
march märz mrz mars marzo março maart mrt marts marca marzec марта март března březen mart
april avril abril aprile kwietnia kwiecień апреля апрель dubna duben nisan
may mai mayo maggio maio mei maj maja мая май května květen mayıs
june juni juin junio giugno junho czerwca czerwiec июня июнь června červen čvn haziran
july juli juillet julio luglio julho lipca lipiec июля июль července červenec čvc temmuz
august août agosto augustus augusti sierpnia sierpień августа август srpna srpen ağustos
september septembre septiembre settembre setembro września wrzesień сентября сентябрь září eylül
october oktober octobre octubre ottobre outubro października październik октября октябрь října říjen ekim
november novembre noviembre novembro listopada listopad ноября ноябрь listopadu kasım
december dezember décembre diciembre dicembre dezembro desember grudnia grudzień декабря декабрь prosince prosinec aralık
"""
_WEEKDAYS = """
monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag
sonnabend sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes
sábado domingo lunedì martedì mercoledì giovedì venerdì sabato domenica segunda terça quarta quinta sexta feira
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag måndag tisdag onsdag torsdag fredag lördag söndag
mandag tirsdag lørdag søndag poniedziałek wtorek środa czwartek piątek pt sobota niedziela
понедельник вторник среда четверг пятница суббота воскресенье пн вт ср чт пт сб вс
pondělí úterý středa čtvrtek pátek neděle pazartesi pzt salı çarşamba perşembe cuma cumartesi cmt pazar
"""
_SIGNS = str.maketrans("年년月월日일号號时時시点點分분秒초", "----    hhhhhmmss")
_CHARACTERS = str.maketrans("\u2010\u2011\u2012\u2013\u2212", "-----", "\u200b\u200e\u200f\u202a\u202c\ufeff")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_CJK_DAY = re.compile(r"(?:星期|周|週|禮拜|礼拜)[一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일")
_CJK_AM = re.compile(r"上午|午前|오전|凌晨|清晨|早上|中午(?=\s*1[01])")
_CJK_PM = re.compile(r"下午|午後|午后|오후|中午|晚上(?!\s*12)")
_MERIDIEM = re.compile(r"(?<![^\W\d_])([ap])\.?\s?m(?![^\W\d_])\.?")
_GLUE_WORDS = re.compile(
    r"(?<![^\W\d_])(?:de|del|di|le|el|den|der|the|of|on|at|um|om|kl|klo|a|as|las|alle|ore|o|r|roku|godz|dnia|saat"
    r"|в|г|года)(?![^\W\d_])\.?"
)
# The text is first folded to plain lower-case words, then read by small patterns in time linear in its length.
_WORD = r"([^\W\d_]{3,})\.?"
# A unit must not be the first letter of a zone: 12:00:00 MET, SAST, HKT.
_TIME = (
    r"(?:([ap])m\s*)?(\d{1,2})(?:\s?([:.h])\s?(\d{1,2})(?:\s?[:.m]\s?(\d{1,2})(?:[.,](\d{1,12}))?(?:\s?s(?![a-z]))?)?(?:m(?![a-z]))?)?"
    r"\s*(?:(uhr|hrs?|h)(?![a-z]))?\s*(?:([ap])m)?"
)
_ZONE = r"(?:(?:(?:utc|gmt)\s?)?([+-])(\d{1,2})(?::?(\d{2}))?(?:\s[a-z]{2,5})?(?:\sm=\S*)?|([a-z]{1,5}))"
_TAIL = re.compile(rf"(?:(?:[\s,t|@;]+|\s-\s){_TIME})?[\s,]*{_ZONE}?[\s.,]*")
_LEAD = re.compile(r"\s*(?:am\s+(?=\d{1,2}\.)|([^\W\d_]{2,})(?:-feira)?[.,]*(?:\s+|(?=\d)))")
_ZONE_NAME = re.compile(r"\s*\[?([A-Z][A-Za-z]+(?:/[A-Za-z0-9_+-]+){1,2})\]?\Z")
_ASCTIME = re.compile(
    r"(?:[^\W\d_]{2,9},?\s+)?([^\W\d_]{3,9})\s+(\d{1,2})\s+(\d{1,2}:\d\d(?::\d\d)?(?:\s[ap]m)?)\s+"
    r"(?:([a-z]{1,5}|[+-]\d{4})\s+)?(\d{4})(?:\s+([a-z]{1,5}|[+-]\d{4}))?"
)
_TIME_FIRST = re.compile(
    r"(\d{1,2}[:h]\d\d(?::\d\d)?(?:\s*[ap]m)?)(?:\s*(?:uhr|h)\b)?\s*(gmt|utc|z\b)?[\s,|-]+(\S.*\d)\s*([a-z]{1,5})?\s*"
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[t_\s]?(\d\d)(\d\d)(\d\d)?(?:[.,](\d{1,12}))?)?(?![\d:])")
_YEAR_FIRST = re.compile(r"(\d{4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d)\.?")
_YEAR_LAST = re.compile(r"(\d{1,2})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{4})(?!\d)")
_DAY_NAME_YEAR = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th|er|\.)?[\s.,/-]*{_WORD}[\s.,/-]*(\d{{4}}|\d{{2,3}})(?![\d:])")
_NAME_DAY_YEAR = re.compile(rf"{_WORD}[\s.,/-]*(\d{{1,2}})(?:st|nd|rd|th|\.)?[\s.,/-]+(\d{{4}})(?![\d:])")
_YEAR_NAME_DAY = re.compile(rf"(\d{{4}})[\s.,/-]*{_WORD}[\s.,/-]*(\d{{1,2}})(?:st|nd|rd|th|\.)?(?![\d:])")
_YEAR_MONTH = re.compile(r"(\d{4})\s?[-/]\s?(\d{1,2})\s?-?\Z")
_NAME_YEAR = re.compile(rf"{_WORD}[\s,/-]*(\d{{4}})\Z")
_ORDINAL = re.compile(r"(\d{4})-(\d{3})(?!\d)")


def read_loose(raw: str, zone: tzinfo, day_first: bool) -> datetime | None:
    """Return the moment that a text of bounded length names; return None or raise ValueError if it names none."""
    named = _ZONE_NAME.search(raw)
    text = _folded(raw[: named.start()] if named else raw).strip()
    if text.isdigit() and len(text) in _TICKS:
        return _epoch(int(text) * _TICKS[len(text)], zone)
    if match := re.fullmatch(r"(\d{9,10})\.(\d{1,9})", text):
        return _epoch(int(match[1]) * 1_000_000 + int(match[2][:6].ljust(6, "0")), zone)
    # "Di" (Tuesday) is also a glue word: "Di, 25. Juli" has lost it, but not the comma.
    text = _rearranged(text).lstrip(", ")
    for _ in range(3):  # at most a weekday, an article, and the second half of a weekday
        if written := _written_day(text, day_first):
            day, rest = written
            local = iana_zone(named[1]) if named else zone
            return _finish(day, rest, local, written_zone=named is not None)
        lead = _LEAD.match(text)
        if not lead or (lead[1] and lead[1] not in _weekdays()):
            return None
        text = text[lead.end() :]
    return None


def _epoch(microseconds: int, zone: tzinfo) -> datetime | None:
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.astimezone(zone) if 1990 <= moment.year <= 2099 else None


def _rearranged(text: str) -> str:
    """Move the day before the time (asctime has it after), and insert dashes into dates of digits alone."""
    text = re.sub(r"\s+", " ", text).strip()
    if match := _ASCTIME.fullmatch(text):
        month, day, time, before, year, after = match.groups()
        return f"{month} {day} {year} {time} {before or ''} {after or ''}".rstrip()
    if match := _TIME_FIRST.fullmatch(text):
        return f"{match[3]} {match[1]} {match[2] or match[4] or ''}"
    if match := _COMPACT.match(text):
        year, month, day, hour, minute, second, fraction = match.groups()
        time = f" {hour}:{minute}:{second or '00'}.{fraction or '0'}" if hour else ""
        return f"{year}-{month}-{day}{time}{text[match.end() :]}"
    return text


def _written_day(text: str, day_first: bool) -> tuple[datetime, str] | None:
    """The midnight a text starts with, naive, and what follows it; ValueError when no calendar has it."""
    if match := _YEAR_FIRST.match(text):
        return _day(match[1], int(match[3]), match[4]), text[match.end() :]
    if match := _YEAR_LAST.match(text):
        day, month = int(match[1]), int(match[3])
        if match[2] != "." and (month > 12 or (day <= 12 and not day_first)):
            day, month = month, day
        return _day(match[4], month, day), text[match.end() :]
    if match := _ORDINAL.match(text):
        first = _day(match[1], 1, 1)
        day_of_year = first + timedelta(days=int(match[2]) - 1)
        return (day_of_year, text[match.end() :]) if day_of_year.year == first.year else None
    if match := _YEAR_MONTH.match(text):
        return _day(match[1], int(match[2]), 1), ""
    return _named_day(text)


def _named_day(text: str) -> tuple[datetime, str] | None:
    for pattern, year, month, day in (
        (_DAY_NAME_YEAR, 3, 2, 1),
        (_NAME_DAY_YEAR, 3, 1, 2),
        (_YEAR_NAME_DAY, 1, 2, 3),
        (_NAME_YEAR, 2, 1, 0),
    ):
        match = pattern.match(text)
        if match and (number := _months().get(match[month])):
            return _day(match[year], number, match[day] if day else 1), text[match.end() :]
    return None


def _day(year: str, month: int, day: str | int) -> datetime:
    number = full_year(year)
    if not 1000 <= number <= 2199:
        raise ValueError("an implausible year")
    return datetime(number, month, int(day))  # noqa: DTZ001  the zone comes with the time


def _finish(day: datetime, rest: str, zone: tzinfo | None, *, written_zone: bool) -> datetime | None:
    match = _TAIL.fullmatch(rest)
    if not match:
        return None
    before, hour, _, minute, second, fraction, unit, after, sign, hours, minutes, name = match.groups()
    half = before or after
    naive = day
    if hour:
        if not (minute or half or unit) or (before and after):
            return None
        naive += _time_of_day(int(hour), int(minute or 0), int(second or 0), half)
        naive += timedelta(microseconds=int((fraction or "0")[:6].ljust(6, "0")))
    if sign:
        zone = offset_zone(sign, hours, minutes)
    elif name and zone and not written_zone:
        zone = zone_called(name, naive, zone)
    return plausible(naive.replace(tzinfo=zone)) if zone else None


def _time_of_day(hour: int, minute: int, second: int, half: str | None) -> timedelta:
    """Return the time since midnight; 24:00 and 23:59:60 give a time on the next day. `half` is "a" or "p" for am or pm."""
    if half == "p" and hour < 12:
        hour += 12
    elif half == "a" and hour == 12:
        hour = 0
    elif half == "a" and hour > 12:
        raise ValueError("an afternoon hour in the morning")
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        raise ValueError("no such time of day")
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _folded(text: str) -> str:
    """Return a text in lower case without accents and glue words, with East Asian signs and digits as ASCII."""
    text = _plain(text)
    text = _BRACKETS.sub(lambda match: f" {match[1]} " if is_zone_name(match[1].strip()) else " ", text)
    if not text.isascii():
        text = _CJK_DAY.sub(" ", text)
        text = _CJK_PM.sub(" pm ", _CJK_AM.sub(" am ", text)).translate(_SIGNS)
    return _GLUE_WORDS.sub(" ", _MERIDIEM.sub(r" \1m ", text))


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", text.translate(_CHARACTERS)) if not unicodedata.combining(c)
    )
    return unicodedata.normalize("NFC", bare).lower().replace("ı", "i")


@cache
def _months() -> dict[str, int]:
    names = [(_plain(name), n) for n, line in enumerate(_MONTHS.strip().splitlines(), 1) for name in line.split()]
    starts: dict[str, set[int]] = {}
    for name, number in names:
        for end in range(3, len(name)):
            starts.setdefault(name[:end], set()).add(number)
    return {start: min(numbers) for start, numbers in starts.items() if len(numbers) == 1} | dict(names)


@cache
def _weekdays() -> frozenset[str]:
    words = [_plain(word) for word in _WEEKDAYS.split()]
    return frozenset(word[:end] for word in words for end in range(2, len(word) + 1))
