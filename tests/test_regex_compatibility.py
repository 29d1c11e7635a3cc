"""What the oldest Pythons that are supported get wrong is not leant on: Debian 12 still ships 3.11.2."""

from __future__ import annotations

import importlib
import pkgutil
import re
import re._constants as codes
import re._parser as parser

import feedtool
from feedtool.articles import similar_heads
from feedtool.expressions import expression

LAZY = type(expression("a"))


def groups_that_hold_on(pattern) -> bool:
    """Say whether a pattern repeats more than one character possessively: before 3.11.5 that matches wrongly where there
    is a choice inside (https://github.com/python/cpython/issues/106052). An atomic group around a repetition does not."""
    for name, value in pattern:
        if name is codes.POSSESSIVE_REPEAT and (len(value[2]) != 1 or value[2][0][0] not in SINGLE):
            return True
        inner = [
            part
            for part in (value if isinstance(value, tuple | list) else [value])
            if isinstance(part, parser.SubPattern)
        ]
        if name is codes.BRANCH:
            inner = list(value[1])
        if any(map(groups_that_hold_on, inner)):
            return True
    return False


SINGLE = (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY)


def test_checker_finds_problematic_expressions():
    assert not groups_that_hold_on(parser.parse(r"a++[bc]*+(?:d|e)*x?+(?>(?:ab|c)*)"))
    for pattern in (r"(?:ab|c)*+", r"x(?:(?:ab)++y|z)", r"(?>(?:ab)*+)", r"(?:(a)|b)?+"):
        assert groups_that_hold_on(parser.parse(pattern)), pattern


def expressions() -> list[tuple[str, str | bytes]]:
    found: list[tuple[str, str | bytes]] = []
    for module in pkgutil.walk_packages(feedtool.__path__, "feedtool."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for one in value if isinstance(value, tuple | list) else [value]:
                if isinstance(one, re.Pattern):
                    found.append((f"{module.name}.{name}", one.pattern))
                elif type(one) is LAZY:
                    found.append((f"{module.name}.{name}", vars(one)["_source"][0]))
    return found


def test_expressions_avoid_possessive_groups():
    patterns = expressions()
    assert len(patterns) > 180
    wrong = [name for name, pattern in patterns if groups_that_hold_on(parser.parse(pattern))]
    assert wrong == []


def test_head_forms_avoid_possessive_groups():
    keys = dict.fromkeys(
        [similar_heads._Key(key, is_long=key == "images") for key in ("title", "date", "tags", "images", "x")]
    )
    for may_lack in (False, True):
        form = similar_heads._form(dict.fromkeys(keys, may_lack))
        assert form is not None
        assert not groups_that_hold_on(parser.parse(form.fullmatch.__self__.pattern))
