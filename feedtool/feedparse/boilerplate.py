"""Find boilerplate: text and pictures that repeat in the bodies of one source, or that match a known rule."""

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


class Rules(NamedTuple):
    """The rules for known boilerplate.

    The rows of `by_name` and `by_text` are (text, selector, rule's name). A selector is only tried on a body that contains
    the text: as a class or id for `by_name`, anywhere for `by_text`.
    """

    by_name: tuple[tuple[str, str, str], ...]
    by_text: tuple[tuple[str, str, str], ...]
    texts: tuple[tuple[re.Pattern[str], str], ...]
    pictures: tuple[tuple[str, str], ...]
    notices: re.Pattern[str]


def selectors_for(html: str) -> list[tuple[str, str]]:
    """Return the selectors, with the names of their rules, that may match something in this body."""
    rules = load_rules()
    names = {name for value in _NAMED.findall(html) for name in value.split()}
    selectors = [(selector, name) for needle, selector, name in rules.by_name if needle in names]
    return selectors + [(selector, name) for needle, selector, name in rules.by_text if needle in html]


def rule_for_line(line: str) -> str:
    """Return the name of the rule that matches a line of text, "" if there is none."""
    if not line or len(line) > LONGEST_LINE:
        return ""
    return next((str(name) for pattern, name in load_rules().texts if pattern.match(line)), "")


def rule_for_picture(url: str) -> str:
    """Return the name of the rule that matches a picture's address, "" if there is none."""
    return next((name for part, name in load_rules().pictures if part in url), "")


def is_notice(line: str) -> bool:
    """Return True if a repeated line is a notice, such as a request to subscribe or a copyright line."""
    return 0 < len(line) <= LONGEST_LINE and load_rules().notices.search(line) is not None


@cache
def load_rules() -> Rules:
    """Return all rules. The file is read once."""
    text = files("feedtool").joinpath("data/boilerplate.toml").read_text(encoding="utf-8")
    read = tomllib.loads(text)
    rules = read["rules"]
    selectors = [(_needle(one), one, rule["name"]) for rule in rules for one in rule.get("selectors", ())]
    return Rules(
        tuple((one, two, name) for one, two, name in selectors if _SIMPLE.match(two)),
        tuple((one, two, name) for one, two, name in selectors if not _SIMPLE.match(two)),
        tuple((re.compile(one, re.IGNORECASE), rule["name"]) for rule in rules for one in rule.get("texts", ())),
        tuple((one, rule["name"]) for rule in rules for one in rule.get("pictures", ())),
        re.compile("|".join(read["notices"]), re.IGNORECASE),
    )


def _needle(selector: str) -> str:
    names: list[str] = _NAME.findall(selector)
    return max(names, key=len)


FEWEST = 4
"""The fewest bodies that must contain boilerplate: three articles may well share a subject."""
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
    """The runs and pictures that are in enough of the `bodies` to count as repeated, with the number of bodies."""

    bodies: int = 0
    runs: Mapping[str, int] = field(default_factory=dict)
    pictures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boilerplate:
    """The boilerplate of one body: the keys of its runs and pictures, each with a reason for users."""

    runs: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)


def count_repeated(bodies: Iterable[Sequence[Run]]) -> Repeated:
    """Count the runs and pictures that bodies share. Equal bodies count once; fewer than four share nothing."""
    different = {tuple(run.key for run in body): body for body in bodies if body}
    runs: Counter[str] = Counter()
    pictures: Counter[str] = Counter()
    for body in different.values():
        runs.update({run.key for run in body if run.key})
        pictures.update({picture for run in body for picture in run.pictures})
    enough = _fewest_bodies(len(different), PERCENT)
    return Repeated(
        bodies=len(different),
        runs={key: count for key, count in runs.items() if count >= enough},
        pictures={key: count for key, count in pictures.items() if count >= enough},
    )


def find_boilerplate(body: Sequence[Run], shared: Repeated) -> Boilerplate:
    """Return the boilerplate of a body: repeated pictures, and lines that repeat or match a rule.

    Lines are removed from both ends inwards, across at most two short lines that are neither (a date, a name). At the
    beginning only links and notices (subscribe, follow) are removed: a lead that many articles share is news. At the end
    prose is removed only if most bodies contain it. In between only links and notices that most bodies contain are removed.
    Headings stay, except those without any text left below them. At most half of the text is removed, and never all
    pictures of a body without text.
    """
    pictures = _pictures(body, shared)
    first = _from_end(body, shared, range(len(body)))
    last = _from_end(body, shared, range(len(body) - 1, -1, -1))
    reasons = {number: _reason(body[number], rule, shared) for number, rule in {**last, **first}.items()}
    for number, run in enumerate(body):
        if (
            number not in reasons
            and run.text
            and not run.heading
            and _is_often(run, shared)
            and _is_always_boilerplate(run)
        ):
            reasons[number] = _reason(run, "", shared)
    spared = {
        body[number].key for number, rule in first.items() if not rule and not _is_always_boilerplate(body[number])
    }
    spared |= {body[number].key for number, rule in last.items() if not rule and _is_prose(body[number], shared)}
    taken = {number for number in reasons if body[number].key not in spared}
    for number in _orphans(body, taken):
        taken.add(number)
        shares = body[number].key in shared.runs
        reasons[number] = _reason(body[number], "", shared) if shares else "heading of boilerplate"
    if all(picture in pictures for run in body for picture in run.pictures) and not any(run.text for run in body):
        return Boilerplate()
    return Boilerplate(runs=_at_most_half(body, taken, reasons), pictures=pictures)


def _at_most_half(body: Sequence[Run], taken: set[int], reasons: Mapping[int, str]) -> dict[str, str]:
    """Return the keys to remove, with their reasons: the last lines first, as long as half of the text stays."""
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


def _fewest_bodies(bodies: int, percent: int) -> int:
    return max(FEWEST, -(-bodies * percent // 100))


def _pictures(body: Sequence[Run], shared: Repeated) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for run in body:
        for picture in run.pictures:
            count = shared.pictures.get(picture)
            rule = rule_for_picture(picture)
            if rule:
                reasons[picture] = f"boilerplate: {rule}"
            elif count:
                reasons[picture] = f"boilerplate: in {count} of {shared.bodies} entries"
    return reasons


def _reason(run: Run, rule: str, shared: Repeated) -> str:
    return f"boilerplate: {rule or f'in {shared.runs[run.key]} of {shared.bodies} entries'}"


def _from_end(body: Sequence[Run], shared: Repeated, order: range) -> dict[int, str]:
    """Return the numbers of lines that repeat or match a rule, up to the start of the article's own text.

    The values are the rules' names, "" for repeated lines. `order` is the order in which to read the runs.
    """
    matches: dict[int, str] = {}
    gaps = 0
    for number in order:
        run = body[number]
        rule = "" if run.heading else rule_for_line(run.text)
        if rule or (run.key in shared.runs and not run.heading):
            if rule or len(run.text) >= _SHORT or run.linked:
                matches[number] = rule
        elif run.text and not run.heading:
            gaps += 1
            if gaps > _GAPS or _width(run.text) > _LONGEST_GAP:
                break
    return matches


def _is_always_boilerplate(run: Run) -> bool:
    """Return True if a repeated line is boilerplate at any place: links, pictures and notices."""
    if not run.text:
        return True
    return (run.linked and len(run.text) >= _SHORT) or is_notice(run.text)


def _is_prose(run: Run, shared: Repeated) -> bool:
    """Return True if a line is long enough to be the article's own text, and too few bodies contain it to rule that out."""
    return _width(run.text) > _PROSE and not _is_always_boilerplate(run) and not _is_often(run, shared)


def _is_often(run: Run, shared: Repeated) -> bool:
    enough = shared.bodies >= _OFTEN_FEWEST
    return enough and 100 * shared.runs.get(run.key, 0) >= _OFTEN_PERCENT * shared.bodies


def _width(text: str) -> int:
    """Return a text's length in Latin letters: a Chinese character counts as two."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def _orphans(body: Sequence[Run], taken: set[int]) -> set[int]:
    """Return the numbers of the headings at the end that are followed by boilerplate only."""
    orphans: set[int] = set()
    if not taken or max(taken) < len(body) - 1:
        return orphans
    for number in range(len(body) - 1, -1, -1):
        if number in taken:
            continue
        if not body[number].heading:
            break
        orphans.add(number)
    return orphans
