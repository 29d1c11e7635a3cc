"""Match paths against the globs of generators' settings: `*`, `**`, `?`, `[a-z]` and `{a,b}`."""

from __future__ import annotations

import re
from functools import lru_cache

_LONGEST = 500
_WILDCARDS = 12
"""A pattern with more of them is no person's, and would take long to match."""


@lru_cache(maxsize=256)
def _compiled(glob: str) -> re.Pattern[str] | None:
    if len(glob) > _LONGEST or glob.count("*") + glob.count("{") > _WILDCARDS:
        return None
    made, at, braces = "", 0, 0
    while at < len(glob):
        rest, sign = glob[at:], glob[at]
        if rest.startswith("**/"):
            made, at = made + "(?:.*/)?", at + 3
            continue
        if rest.startswith("**"):
            made, at = made + ".*", at + 2
            continue
        closing = glob.find("]", at + 2) if sign == "[" else -1
        if closing > 0:
            inside = glob[at + 1 : closing].replace("\\", "\\\\").replace("[", "\\[")
            made, at = f"{made}[{'^' + inside[1:] if inside[0] in '!^' else inside}]", closing + 1
            continue
        braces += (sign == "{") - (sign == "}" and braces > 0)
        special = {"*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|" if braces else ","}
        made += special.get(sign, re.escape(sign)) if sign != "}" or braces >= 0 else "\\}"
        at += 1
    try:
        return re.compile(made, re.DOTALL)
    except re.error:
        return None


def matches(path: str, glob: str) -> bool:
    """Return True if a whole path fits a glob; one that can't be read fits none."""
    pattern = _compiled(glob)
    return pattern is not None and pattern.fullmatch(path) is not None


def matches_above(path: str, glob: str) -> bool:
    """Return True if a path, or a folder that it lies in, fits a glob."""
    parts = path.split("/")
    return any(matches("/".join(parts[:end]), glob.strip("/")) for end in range(1, len(parts) + 1))
