"""Read cache headers, retry delays and validators of responses, and check the headers of requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from feedtool.http.models import RefusalError

Field = Callable[[str], str | None]
"""Return the value of a header field, with all its lines joined by commas, or None."""

DAY = 86400
LONGEST_WAIT = 7 * DAY
LONGEST_AGE = 365 * DAY
LONGEST_VALUE = 1000
# These concern the connection or the message itself: RFC 9110 section 7.6.1, RFC 9112 section 6.
OURS = frozenset(
    (
        *("host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect"),
        *("keep-alive", "accept-encoding", "range", "if-none-match", "if-modified-since"),
    )
)
NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def validator(value: str | None) -> str | None:
    """Return an ETag or Last-Modified value unchanged, or None if it cannot be sent back as it is."""
    if not value or len(value) > LONGEST_VALUE or not _is_sendable(value):
        return None
    return value


def checked_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the configured headers. Raise RefusalError, without any value in its message, if one cannot be sent."""
    for name, value in headers:
        if not NAME.fullmatch(name) or not _is_sendable(value):
            raise RefusalError(
                "other", "a header contains characters that can't be sent", "remove line breaks from its value"
            )
        if name.lower() in OURS:
            raise RefusalError("other", f"the header {name} can't be set", "feedtool sets it itself")
    return tuple(headers)


def max_age(field: Field, now: datetime | None) -> int | None:
    """Return how many seconds a response stays fresh (RFC 9111 section 4.2.1, for a private cache), None if unknown."""
    control = (field("Cache-Control") or "")[:LONGEST_VALUE].lower()
    directives = dict(_directive(part) for part in reversed(control.split(",")))
    if "no-cache" in directives or "no-store" in directives:
        return 0
    seconds = directives.get("max-age", "")
    if seconds.isascii() and seconds.isdigit():
        return max(0, _whole(seconds, LONGEST_AGE) - _age(field))
    if (expires := field("Expires")) is None:
        return None
    until, start = _date(expires), _date(field("Date") or "") or now
    if until is None:  # "0" and other invalid dates count as the past: RFC 9111 section 5.3
        return 0
    return None if start is None else _clamped((until - start).total_seconds(), LONGEST_AGE)


def retry_after(field: Field, now: datetime | None) -> int | None:
    """Return the seconds to wait before the next request (RFC 9110 section 10.2.3), None for an invalid value.

    The result is clamped to 0 to 7 days, for a number of any size and a date in any year.
    """
    value = (field("Retry-After") or "").strip()
    if re.fullmatch(r"\+?[0-9]+", value):
        return _whole(value.lstrip("+"), LONGEST_WAIT)
    until, start = _date(value), _date(field("Date") or "") or now
    return None if until is None or start is None else _clamped((until - start).total_seconds(), LONGEST_WAIT)


def _is_sendable(value: str) -> bool:
    return all(letter >= " " and letter != "\x7f" and not "\ud800" <= letter <= "\udfff" for letter in value)


def _directive(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip().strip('"')


def _age(field: Field) -> int:
    age = (field("Age") or "").strip()
    return _whole(age, LONGEST_AGE) if age.isascii() and age.isdigit() else 0


def _whole(digits: str, most: int) -> int:
    digits = digits.lstrip("0")
    return most if len(digits) > 12 else min(int(digits or "0"), most)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text) if len(text) <= 100 else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date and date.tzinfo is None else date


def _clamped(seconds: float, most: int) -> int:
    return int(min(max(seconds, 0), most))
