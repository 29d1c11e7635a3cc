"""Match paths against the globs of generators' settings: `*`, `**`, `?`, `[a-z]` and `{a,b}`.

A path is matched by the set of places that a pattern may be at, which takes time linear in both: an expression made of a
glob with many `*` would try ever longer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_LONGEST = 500
_ALTERNATIVES = 64
"""Patterns that the braces of one may stand for."""


class _Token(NamedTuple):
    """One sign of a pattern: `sign` is a letter, "" for a wildcard; `stays` is True if it takes any number of letters,
    `slash` if it takes a `/` too; `letters` matches the one letter that a class takes."""

    sign: str = ""
    stays: bool = False
    slash: bool = False
    letters: re.Pattern[str] | None = None


def matches(path: str, glob: str, *, crosses: bool = False) -> bool:
    """Return True if a whole path fits a glob; one that can't be read fits none. With `crosses`, `*` takes a `/`, too."""
    return any(_fits(path, tokens) for tokens in _patterns(glob, crosses))


def matches_above(path: str, glob: str, *, crosses: bool = False) -> bool:
    """Return True if a path, or a folder that it lies in, fits a glob."""
    parts = path.split("/")
    wanted = glob.strip("/")
    return any(matches("/".join(parts[:end]), wanted, crosses=crosses) for end in range(1, len(parts) + 1))


def _fits(path: str, tokens: tuple[_Token, ...]) -> bool:
    places = _reached({0}, tokens)
    for letter in path:
        following = set()
        for place in places:
            token = tokens[place] if place < len(tokens) else None
            if token is not None and _takes(token, letter):
                following.add(place if token.stays else place + 1)
        places = _reached(following, tokens)
        if not places:
            return False
    return len(tokens) in places


def _takes(token: _Token, letter: str) -> bool:
    if token.letters is not None:
        return token.letters.match(letter) is not None
    return letter == token.sign if token.sign else token.slash or letter != "/"


def _reached(places: set[int], tokens: tuple[_Token, ...]) -> set[int]:
    """Return the places with those behind wildcards that take nothing."""
    reached = set(places)
    for place in places:
        while place < len(tokens) and tokens[place].stays:
            place += 1
            reached.add(place)
    return reached


@lru_cache(maxsize=256)
def _patterns(glob: str, crosses: bool) -> tuple[tuple[_Token, ...], ...]:
    if len(glob) > _LONGEST:
        return ()
    wholes = _without_braces(glob)
    # `**/` stands for no folder, too.
    some = [*wholes, *(one.replace("**/", "", 1) for one in wholes if "**/" in one)]
    return tuple(_tokens(one, crosses) for one in some)


def _without_braces(glob: str) -> list[str]:
    """Return the globs that one with `{a,b}` stands for; without braces, or with too many, itself."""
    wholes = [glob]
    while len(wholes) <= _ALTERNATIVES:
        found = next((match for one in wholes if (match := re.search(r"\{([^{}]*)\}", one))), None)
        if found is None:
            return wholes
        wholes = [
            one.replace(found[0], part, 1)
            for one in wholes
            for part in (found[1].split(",") if found[0] in one else [""])
        ]
    return [glob]


def _tokens(glob: str, crosses: bool) -> tuple[_Token, ...]:
    tokens: list[_Token] = []
    at = 0
    while at < len(glob):
        sign = glob[at]
        closing = glob.find("]", at + 2) if sign == "[" else -1
        if glob.startswith("**", at):
            tokens.append(_Token(stays=True, slash=True))
            at += 2
            continue
        if closing > 0:
            inside = re.escape(glob[at + 1 : closing]).replace("\\-", "-").replace("\\^", "^").replace("!", "^", 1)
            try:
                tokens.append(_Token(letters=re.compile(f"[{inside}]")))
            except re.error:
                tokens.append(_Token("["))
            at = closing + 1
            continue
        tokens.append(
            _Token(stays=True, slash=crosses) if sign == "*" else _Token(slash=False) if sign == "?" else _Token(sign)
        )
        at += 1
    return tuple(tokens)
