"""The clean bodies of one source in, what repeats in them and so belongs to none out; removes nothing itself."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from feedtool.feedparse.text_runs import Run

LONGEST_LINE = 200
_NAME = re.compile(r"[A-Za-z][\w-]*")
_SIMPLE = re.compile(r"[a-z]*[.#][\w-]+\Z")
_NAMED = re.compile(r"\s(?:class|id)\s*=\s*[\"']?([^\"'>]{1,500})", re.IGNORECASE)


class Shipped(NamedTuple):
    """Selectors stand with what to look for before they are tried: a class or id in `by_name`, any text in `by_text`."""

    by_name: tuple[tuple[str, str, str], ...]
    by_text: tuple[tuple[str, str, str], ...]
    texts: tuple[tuple[re.Pattern[str], str], ...]
    pictures: tuple[tuple[str, str], ...]
    notices: re.Pattern[str]


def selectors_for(html: str) -> list[tuple[str, str]]:
    """Return the selectors, with their rules' names, that may find something in this body."""
    rules = shipped()
    named = {name for value in _NAMED.findall(html) for name in value.split()}
    found = [(selector, name) for needle, selector, name in rules.by_name if needle in named]
    return found + [(selector, name) for needle, selector, name in rules.by_text if needle in html]


def rule_for_line(line: str) -> str:
    """Return the name of the rule that knows a line of text, "" when none does."""
    if not line or len(line) > LONGEST_LINE:
        return ""
    return next((str(name) for pattern, name in shipped().texts if pattern.match(line)), "")


def rule_for_picture(url: str) -> str:
    """Return the name of the rule that knows a picture, "" when none does."""
    return next((name for part, name in shipped().pictures if part in url), "")


def is_notice(line: str) -> bool:
    """Say whether a line that repeats asks for something or says whose it is, as no article's own text does."""
    return 0 < len(line) <= LONGEST_LINE and shipped().notices.search(line) is not None


@cache
def shipped() -> Shipped:
    """Return all rules, read once."""
    text = files("feedtool").joinpath("data/boilerplate.toml").read_text(encoding="utf-8")
    read = tomllib.loads(text)
    rules = read["rules"]
    selectors = [(_needle(one), one, rule["name"]) for rule in rules for one in rule.get("selectors", ())]
    return Shipped(
        tuple((one, two, name) for one, two, name in selectors if _SIMPLE.match(two)),
        tuple((one, two, name) for one, two, name in selectors if not _SIMPLE.match(two)),
        tuple((re.compile(one, re.IGNORECASE), rule["name"]) for rule in rules for one in rule.get("texts", ())),
        tuple((one, rule["name"]) for rule in rules for one in rule.get("pictures", ())),
        re.compile("|".join(read["notices"]), re.IGNORECASE),
    )


def _needle(selector: str) -> str:
    found: list[str] = _NAME.findall(selector)
    return max(found, key=len)


FEWEST = 4
"""Bodies in which something must stand to be boilerplate: three articles may well be about the same."""
PERCENT = 50
_SHORT = 6
_GAPS = 2
_LONGEST_GAP = 60
_OFTEN_PERCENT = 60
_OFTEN_FEWEST = 5
_PROSE = 40
_WIDE = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")


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
    """Count what bodies share. Equal bodies count once; of fewer than four nothing can be said."""
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

    Lines go from the two ends inwards, over at most two short lines that are neither (a date, a name). At the beginning
    only links and notices (subscribe, follow) go: a lead that many articles share is news. At the end prose goes only if
    most bodies hold it, in between only links and notices that most hold. Headings stay, but one that nothing is left
    below. Never more than half of the text, nor every picture of a body without text.
    """
    pictures = _pictures(body, shared)
    first = _from_end(body, shared, range(len(body)))
    last = _from_end(body, shared, range(len(body) - 1, -1, -1))
    reasons = {number: _reason(body[number], rule, shared) for number, rule in {**last, **first}.items()}
    for number, run in enumerate(body):
        if number not in reasons and run.text and not run.heading and _is_often(run, shared) and _is_plain(run):
            reasons[number] = _reason(run, "", shared)
    spared = {body[number].key for number, rule in first.items() if not rule and not _is_plain(body[number])}
    spared |= {body[number].key for number, rule in last.items() if not rule and _is_prose(body[number], shared)}
    taken = {number for number in reasons if body[number].key not in spared}
    for number in _orphans(body, taken):
        taken.add(number)
        shares = body[number].key in shared.runs
        reasons[number] = _reason(body[number], "", shared) if shares else "heading of boilerplate"
    if all(picture in pictures for run in body for picture in run.pictures) and not any(run.text for run in body):
        return Verdict()
    return Verdict(runs=_at_most_half(body, taken, reasons), pictures=pictures)


def _at_most_half(body: Sequence[Run], taken: set[int], reasons: Mapping[int, str]) -> dict[str, str]:
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
            runs[key] = reasons[number]
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


def _reason(run: Run, rule: str, shared: Repeated) -> str:
    return f"boilerplate: {rule or f'in {shared.runs[run.key]} of {shared.bodies} entries'}"


def _from_end(body: Sequence[Run], shared: Repeated, order: range) -> dict[int, str]:
    """Return what repeats or (with its name) a rule knows on the way inwards, until what is the article's own begins."""
    met: dict[int, str] = {}
    gaps = 0
    for number in order:
        run = body[number]
        rule = "" if run.heading else rule_for_line(run.text)
        if rule or (run.key in shared.runs and not run.heading):
            if rule or len(run.text) >= _SHORT or run.linked:
                met[number] = rule
        elif run.text and not run.heading:
            gaps += 1
            if gaps > _GAPS or _width(run.text) > _LONGEST_GAP:
                break
    return met


def _is_plain(run: Run) -> bool:
    """Say whether a repeated line is boilerplate wherever it stands: links, pictures, and what asks for attention."""
    if not run.text:
        return True
    return (run.linked and len(run.text) >= _SHORT) or is_notice(run.text)


def _is_prose(run: Run, shared: Repeated) -> bool:
    """Say whether a line reads as the article's own text, and too few bodies hold it to be sure that it is not."""
    return _width(run.text) > _PROSE and not _is_plain(run) and not _is_often(run, shared)


def _is_often(run: Run, shared: Repeated) -> bool:
    enough = shared.bodies >= _OFTEN_FEWEST
    return enough and 100 * shared.runs.get(run.key, 0) >= _OFTEN_PERCENT * shared.bodies


def _width(text: str) -> int:
    """Return a text's length in Latin letters: a Chinese character says as much as two."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


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
