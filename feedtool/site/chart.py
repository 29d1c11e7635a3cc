"""Calculate the bar chart of articles per day, in whole numbers and without using the current time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from feedtool.site.strings import count_text, day_text

DAYS = 60
STEP = 10
HEIGHT = 96


class Bar(NamedTuple):
    """One day's bar, in the units of the chart's viewBox."""

    x: int
    y: int
    height: int
    label: str


class Chart(NamedTuple):
    """The bars of the days that have articles, and the texts of the chart."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    first: date
    last: date
    first_text: str
    last_text: str
    text: str


def chart_of(days: Iterable[tuple[str, int]], table: Mapping[str, str]) -> Chart | None:
    """Return the chart of the 60 days up to the newest day with articles, or None if there are no articles.

    `days` are pairs of a day (YYYY-MM-DD) and its number of articles.
    """
    counts: dict[date, int] = {}
    for day, number in days:
        if number > 0:
            moment = date.fromisoformat(day)
            counts[moment] = counts.get(moment, 0) + number
    if not counts:
        return None
    last = max(counts)
    first = date.fromordinal(max(1, last.toordinal() - DAYS + 1))
    shown = sorted((day, number) for day, number in counts.items() if day >= first)
    most = max(number for _, number in shown)
    peak = max(day for day, number in shown if number == most)
    text = table["chart"].format(
        first=day_text(first, table),
        last=day_text(last, table),
        total=count_text(sum(number for _, number in shown), table),
        most=f"{most:,}",
        day=day_text(peak, table),
    )
    return Chart(
        width=DAYS * STEP,
        height=HEIGHT,
        bars=tuple(_bar(day, number, first, most, table) for day, number in shown),
        first=first,
        last=last,
        first_text=day_text(first, table),
        last_text=day_text(last, table),
        text=text,
    )


def _bar(day: date, number: int, first: date, most: int, table: Mapping[str, str]) -> Bar:
    # A bar for one article must be visible beside a bar for a thousand.
    height = max(3, number * HEIGHT // most)
    x = (day - first) // timedelta(days=1) * STEP
    return Bar(x, HEIGHT - height, height, f"{day_text(day, table)}: {count_text(number, table)}")
