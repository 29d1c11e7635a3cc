"""Shipped rules for what publishers put into every article: read from `data/boilerplate.toml`, matched, never applied."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

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
