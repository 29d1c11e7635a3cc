"""Find time zones by name, abbreviation or offset."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import chain

from feedtool.digests import blake2b

_MAXIMUM_OFFSET = timedelta(hours=15)

_ZONE_TABLE = """
z=0 ut=0 utc=0 gmt=0 wet=0 west=60 bst=60/360/660 ist=330/60/120 cet=60 cest=120 met=60 mest=120 mez=60 mesz=120
eet=120 eest=180 msk=180 msd=240 trt=180 sast=120 cat=120 wat=60 eat=180 idt=180 gst=240 pkt=300 npt=345 ict=420
wib=420 wita=480 wit=540 hkt=480 sgt=480 pht=480 myt=480 awst=480 bjt=480 jst=540 kst=540 acst=570 acdt=630 aest=600
aedt=660 nzst=720 nzdt=780 nst=-210 ndt=-150 ast=-240/180 adt=-180 est=-300/600 edt=-240/660 cst=-360/480
cdt=-300/-240 mst=-420/480 mdt=-360 pst=-480/480 pdt=-420 akst=-540 akdt=-480 hst=-600 sst=-660/480 brt=-180
art=-180 clt=-240 clst=-180 cot=-300
"""
ABBREVIATIONS = {
    name: tuple(map(int, east.split("/"))) for name, _, east in (w.partition("=") for w in _ZONE_TABLE.split())
}
"""Minutes east of UTC by abbreviation, the most common meaning first; the others apply if `zone` observes them."""

loaded: dict[str, bytes] = {}
"""The IANA names that this process has looked up, each with the `data_digest` of its zone at that time.

Whatever was computed with a zone depends on its data, which an update of the system or of `tzdata` changes.
"""
_MAXIMUM_UNKNOWN = 1_000
"""Names without a zone that are remembered: articles may hold any number of them."""

_GENERIC = {"et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles"}


def load_zone(name: str) -> tzinfo:
    """Return the zone of an IANA name, `UTC`, or an offset such as `+08:00`.

    Raise ValueError with a hint for any other name, including `localtime`: the output would depend on the machine.
    """
    if name in ("UTC", "GMT", "Z", "Etc/UTC"):
        return UTC
    if match := re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", name, re.ASCII):
        if fixed := offset_zone(*match.groups()):
            return fixed
        raise ValueError(f'the offset "{name}" is out of range; write one from -15:00 to +15:00')
    zone = iana_zone(name)
    if zone is None:
        raise ValueError(f'unknown time zone "{name}"; {_zone_hint(name)}')
    return zone


def plausible(moment: datetime) -> datetime | None:
    """Return the moment if its year is 1000 to 2199 and its offset at most 15 hours, else None."""
    if not 1000 <= moment.year <= 2199:
        return None
    if moment.tzinfo is UTC:
        return moment
    offset = moment.utcoffset()
    return moment if offset is not None and abs(offset) <= _MAXIMUM_OFFSET else None


def full_year(year: str) -> int:
    """Return a full year by RFC 5322 section 4.3: two digits are 2000 to 2049 or 1950 to 1999; three digits count from 1900."""
    if len(year) == 4:
        return int(year)
    return int(year) + (2000 if len(year) == 2 and int(year) < 50 else 1900)


def zone_called(name: str, naive: datetime, zone: tzinfo) -> tzinfo | None:
    """Return the zone of an offset or of a lower-case abbreviation at a local time; None if unknown or over 15 hours."""
    if name[0] in "+-":
        return offset_zone(name[0], name[1:-2], name[-2:]) if len(name) > 3 else offset_zone(name[0], name[1:], None)
    if name in _GENERIC:
        return iana_zone(_GENERIC[name])
    meanings = ABBREVIATIONS.get(name, ())
    if len(meanings) > 1:
        here = naive.replace(tzinfo=zone).utcoffset()
        meanings = tuple(minutes for minutes in meanings if timedelta(minutes=minutes) == here) or meanings
    return _fixed(meanings[0]) if meanings else None


def is_zone_name(name: str) -> bool:
    """Return True for a lower-case abbreviation that `zone_called` knows."""
    return name in ABBREVIATIONS or name in _GENERIC


def offset_zone(sign: str, hours: str, minutes: str | None) -> timezone | None:
    """Return the fixed zone for the digits of an offset; None for over 15 hours or 59 minutes."""
    if int(minutes or 0) > 59:
        return None
    return _fixed((int(hours) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1))


def iana_zone(name: str) -> tzinfo | None:
    """Return the zone of an IANA name, None if the database does not have it."""
    from zoneinfo import ZoneInfo  # a slow import that a site in UTC does not need

    if not re.fullmatch(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", name):
        return None
    if name not in loaded and ((digest := data_digest(name)) or len(loaded) < _MAXIMUM_UNKNOWN):
        loaded[name] = digest
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def data_digest(name: str) -> bytes:
    """Return a digest of the data of an IANA zone, b"" if there are none.

    They are searched where `zoneinfo` searches them: in the folders of its TZPATH, then in the package `tzdata`.
    """
    from zoneinfo import TZPATH

    for folder in chain(TZPATH, _packaged()):
        try:
            with open(os.path.join(folder, *name.split("/")), "rb") as file:
                return blake2b(file.read(), digest_size=16).digest()
        except (OSError, ValueError):
            continue
    return b""


def _packaged() -> Iterator[str]:
    from importlib.util import find_spec

    spec = find_spec("tzdata")
    for folder in spec.submodule_search_locations or () if spec is not None else ():
        yield os.path.join(folder, "zoneinfo")


def forget_changed() -> None:
    """Forget the zones whose data have changed since this process loaded them, so that they are loaded again."""
    if any(data_digest(name) != digest for name, digest in loaded.items()):
        from zoneinfo import ZoneInfo

        ZoneInfo.clear_cache()
        loaded.clear()


@lru_cache(maxsize=256)
def _fixed(minutes: int) -> timezone | None:
    if minutes == 0:
        return UTC
    offset = timedelta(minutes=minutes)
    return timezone(offset) if abs(offset) <= _MAXIMUM_OFFSET else None


def _zone_hint(name: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    # Some machines have `localtime` and `posixrules` in their database, which `iana_zone` refuses.
    zones = {zone.lower(): zone for zone in sorted(available_timezones()) if zone[0].isupper()}
    matches = get_close_matches(name.lower()[:64], list(zones), n=1)
    suggestion = f"did you mean {zones[matches[0]]}? " if matches else "" if zones else "install the package tzdata; "
    return f"{suggestion}write an IANA name such as Asia/Shanghai, or an offset such as +08:00"
