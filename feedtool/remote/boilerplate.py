"""The clean bodies of one source in, what repeats in them and so belongs to none out; removes nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from feedtool.remote.rules import rule_for_line, rule_for_picture
from feedtool.remote.runs import Run

FEWEST = 3
"""Bodies in which something must stand to be boilerplate: two articles may well be about the same."""
PERCENT = 30
_SHORT = 6
_GAPS = 2
_LONGEST_GAP = 60
_MIDDLE_PERCENT = 60
_MIDDLE_LENGTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """How many of the `bodies` hold each run and picture that is in enough of them to count."""

    bodies: int = 0
    runs: Mapping[str, int] = field(default_factory=dict)
    pictures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to take out of one body: the keys of runs and of pictures, each with the reason for people."""

    runs: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)


def repeated(bodies: Iterable[Sequence[Run]]) -> Repeated:
    """Count what bodies share. Equal bodies count once; of fewer than three nothing can be said."""
    different = {tuple(run.key for run in body): body for body in bodies if body}
    runs: Counter[str] = Counter()
    pictures: Counter[str] = Counter()
    for body in different.values():
        runs.update({run.key for run in body if run.key})
        pictures.update({picture for run in body for picture in run.pictures})
    enough = _enough(len(different), PERCENT)
    return Repeated(
        bodies=len(different),
        runs={key: count for key, count in runs.items() if count >= enough},
        pictures={key: count for key, count in pictures.items() if count >= enough},
    )


def judge(body: Sequence[Run], shared: Repeated) -> Verdict:
    """Say what of one body is boilerplate: repeated pictures, and lines that repeat or that a rule knows.

    Lines go from the two ends inwards, over at most two short lines that are neither (a date, a name); in between
    only long or linked ones go, and only if most bodies hold them. Headings stay, but one that nothing is left below.
    Never more than half of the text, nor every picture of a body without text.
    """
    pictures = _pictures(body, shared)
    reasons = [_shared(run, shared) for run in body]
    taken = _from_end(body, reasons, range(len(body))) | _from_end(body, reasons, range(len(body) - 1, -1, -1))
    often = _enough(shared.bodies, _MIDDLE_PERCENT)
    for number, run in enumerate(body):
        if reasons[number] and shared.runs.get(run.key, 0) >= often and _stands_out(run):
            taken.add(number)
    taken |= _orphans(body, taken)
    if all(picture in pictures for run in body for picture in run.pictures) and not any(run.text for run in body):
        return Verdict()
    return Verdict(runs=_at_most_half(body, taken, reasons), pictures=pictures)


def _at_most_half(body: Sequence[Run], taken: set[int], reasons: Sequence[str]) -> dict[str, str]:
    """Return the keys of what may go: the last lines first, as long as half of the text stays."""
    rest = sum(len(run.text) for run in body)
    total, runs = rest, dict[str, str]()
    sizes: Counter[str] = Counter()
    for run in body:
        sizes[run.key] += len(run.text)
    for number in sorted(taken, reverse=True):
        key = body[number].key
        if key not in runs and 2 * (rest - sizes[key]) >= total:
            rest -= sizes[key]
            runs[key] = reasons[number] or "heading of boilerplate"
    return runs


def _enough(bodies: int, percent: int) -> int:
    return max(FEWEST, -(-bodies * percent // 100))


def _pictures(body: Sequence[Run], shared: Repeated) -> dict[str, str]:
    found: dict[str, str] = {}
    for run in body:
        for picture in run.pictures:
            count = shared.pictures.get(picture)
            rule = rule_for_picture(picture)
            if rule:
                found[picture] = f"boilerplate: {rule}"
            elif count:
                found[picture] = f"boilerplate: in {count} of {shared.bodies} entries"
    return found


def _shared(run: Run, shared: Repeated) -> str:
    count = shared.runs.get(run.key, 0) if run.key else 0
    return f"boilerplate: in {count} of {shared.bodies} entries" if count else ""


def _from_end(body: Sequence[Run], reasons: list[str], order: range) -> set[int]:
    """Return the boilerplate met on the way inwards, until what is the article's own begins."""
    taken: set[int] = set()
    gaps = 0
    for number in order:
        run = body[number]
        rule = rule_for_line(run.text)
        if rule:
            reasons[number] = f"boilerplate: {rule}"
        if reasons[number] and not run.heading:
            if rule or len(run.text) >= _SHORT or run.linked:
                taken.add(number)
        elif run.text and not run.heading:
            gaps += 1
            if gaps > _GAPS or len(run.text) > _LONGEST_GAP:
                break
    return taken


def _stands_out(run: Run) -> bool:
    return not run.heading and (len(run.text) >= _MIDDLE_LENGTH or (run.linked and len(run.text) >= _SHORT))


def _orphans(body: Sequence[Run], taken: set[int]) -> set[int]:
    """Return the headings at the end that only boilerplate followed."""
    found: set[int] = set()
    if not taken or max(taken) < len(body) - 1:
        return found
    for number in range(len(body) - 1, -1, -1):
        if number in taken:
            continue
        if not body[number].heading:
            break
        found.add(number)
    return found
