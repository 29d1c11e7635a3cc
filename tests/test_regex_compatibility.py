"""Test that no regular expression depends on bugs of the oldest supported Python; Debian 12 ships 3.11.2."""

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


def has_possessive_group(pattern) -> bool:
    """Return True if a pattern repeats more than one character possessively.

    Before 3.11.5 that matches wrongly if there is a choice inside (https://github.com/python/cpython/issues/106052). An
    atomic group around a repetition does not.
    """
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
        if any(map(has_possessive_group, inner)):
            return True
    return False


SINGLE = (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY)


def test_checker_finds_problematic_expressions():
    assert not has_possessive_group(parser.parse(r"a++[bc]*+(?:d|e)*x?+(?>(?:ab|c)*)"))
    for pattern in (r"(?:ab|c)*+", r"x(?:(?:ab)++y|z)", r"(?>(?:ab)*+)", r"(?:(a)|b)?+"):
        assert has_possessive_group(parser.parse(pattern)), pattern


def expressions() -> list[tuple[str, str | bytes]]:
    patterns: list[tuple[str, str | bytes]] = []
    for module in pkgutil.walk_packages(feedtool.__path__, "feedtool."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for one in value if isinstance(value, tuple | list) else [value]:
                if isinstance(one, re.Pattern):
                    patterns.append((f"{module.name}.{name}", one.pattern))
                elif type(one) is LAZY:
                    patterns.append((f"{module.name}.{name}", vars(one)["_source"][0]))
    return patterns


def test_expressions_avoid_possessive_groups():
    patterns = expressions()
    assert len(patterns) > 180
    wrong = [name for name, pattern in patterns if has_possessive_group(parser.parse(pattern))]
    assert wrong == []


def test_head_forms_avoid_possessive_groups():
    keys = dict.fromkeys(
        [similar_heads._Key(key, is_long=key == "images") for key in ("title", "date", "tags", "images", "x")]
    )
    for may_lack in (False, True):
        form = similar_heads._form(dict.fromkeys(keys, may_lack))
        assert form is not None
        assert not has_possessive_group(parser.parse(form.fullmatch.__self__.pattern))
