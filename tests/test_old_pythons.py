"""What the oldest Pythons that are supported get wrong is not leant on: Debian 12 still ships 3.11.2."""

from __future__ import annotations

import re._constants as codes
import re._parser as parser


def groups_that_hold_on(pattern) -> bool:
    """Say whether a pattern repeats more than one character possessively, or has an atomic group: before 3.11.5 these
    match wrongly where there is a choice inside (https://github.com/python/cpython/issues/106052)."""
    for name, value in pattern:
        if name is codes.ATOMIC_GROUP:
            return True
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


def test_the_judge_knows_what_it_looks_for():
    assert not groups_that_hold_on(parser.parse(r"a++[bc]*+(?:d|e)*x?+"))
    for pattern in (r"(?:ab|c)*+", r"x(?:(?:ab)++y|z)", r"(?>ab)", r"(?:(a)|b)?+"):
        assert groups_that_hold_on(parser.parse(pattern)), pattern


def compiled() -> list[tuple[str, str]]:
    import importlib
    import pkgutil
    import re

    import feedtool

    found = []
    for module in pkgutil.walk_packages(feedtool.__path__, "feedtool."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                found.append((f"{module.name}.{name}", value.pattern))
    return found


def test_no_expression_holds_on_to_more_than_a_character_at_a_time():
    patterns = compiled()
    assert len(patterns) > 80
    wrong = [name for name, pattern in patterns if groups_that_hold_on(parser.parse(pattern))]
    assert wrong == []
