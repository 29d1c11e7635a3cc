"""The code of a problem in, what is known of it out: what it means, why, how to mend it, an example; reads no site."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from feedtool.errors import UsageError

_HEADING = re.compile(r"^## (FT\d{3}): (.+)$", re.MULTILINE)
_EXAMPLE = re.compile(r"^ {4}(.+)$", re.MULTILINE)
_CODE = re.compile(r"FT\d{0,3}", re.IGNORECASE)
_INTRODUCTION = """# Troubleshooting

feedtool ends each problem with its code, such as `[FT011]`. `feedtool explain FT011` prints what is said of it here;
`feedtool explain FT` lists all codes. Codes keep their meaning for good.

"""
GROUPS = {"FT0": "Articles", "FT1": "Settings", "FT3": "Ingesting", "FT4": "Publishing (`feedtool check --against`)"}


class ProblemCode(NamedTuple):
    """All there is to say about one code, in Markdown; `example` is a line as it is printed."""

    code: str
    title: str
    text: str
    example: str


@cache
def problem_codes() -> tuple[ProblemCode, ...]:
    """Return what is known of every code, in order."""
    source = files("feedtool").joinpath("data/troubleshooting.md").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(source)
    found = []
    for code, title, text in zip(parts[0::3], parts[1::3], parts[2::3], strict=True):
        example = _EXAMPLE.search(text)
        found.append(ProblemCode(code, title, text.strip("\n"), example[1] if example else ""))
    return tuple(found)


def is_code(text: str) -> bool:
    """Say whether a word asks for a code, or for all codes that begin so ("FT", "FT4")."""
    return _CODE.fullmatch(text) is not None


def codes_matching(text: str) -> tuple[ProblemCode, ...]:
    """Return the trouble with this code, or all whose codes begin so; raises UsageError where there is none."""
    wanted = text.upper()
    found = tuple(one for one in problem_codes() if one.code.startswith(wanted))
    if not found:
        near = ", ".join(one.code for one in problem_codes() if one.code.startswith(wanted[:3]))
        hint = "`feedtool explain FT` lists all there are"
        raise UsageError(f"there is no problem code {wanted}", hint=f"near it are {near}; {hint}" if near else hint)
    return found


def page() -> str:
    """Return the page of all codes, in Markdown."""
    parts = [_INTRODUCTION]
    for group, name in GROUPS.items():
        parts.append(f"**{name}**\n\n")
        members = [one for one in problem_codes() if one.code.startswith(group)]
        parts += [f"- [{one.code}](#{_anchor(one)}): {one.title}\n" for one in members]
        parts.append("\n")
    parts += [f"## {one.code}: {one.title}\n\n{one.text}\n\n" for one in problem_codes()]
    return "".join(parts).rstrip("\n") + "\n"


def _anchor(one: ProblemCode) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", f"{one.code}: {one.title}".lower()).replace(" ", "-")
