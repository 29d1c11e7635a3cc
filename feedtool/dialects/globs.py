"""Match paths against the globs of generators' settings: `*`, `**`, `?`, `[a-z]` and `{a,b}`.

The matcher tracks the set of states that a pattern may be in, which takes time linear in the path and in the pattern. A regular
expression made of a glob with many `*` could take exponential time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_MAXIMUM_LENGTH = 500
_MAXIMUM_ALTERNATIVES = 64
"""Most patterns that the braces of one glob may expand to."""


class _Token(NamedTuple):
    """One part of a pattern: `character` is a literal character, "" for a wildcard or a class.

    `repeats` is True if it matches any number of characters, `matches_slash` if it matches `/` too. `class_pattern` matches the
    one character of a class such as `[a-z]`.
    """

    character: str = ""
    repeats: bool = False
    matches_slash: bool = False
    class_pattern: re.Pattern[str] | None = None


def matches(path: str, glob: str, *, crosses: bool = False) -> bool:
    """Return True if a glob matches a whole path; an invalid glob matches none. With `crosses`, `*` matches `/` too."""
    return any(_matches_tokens(path, tokens) for tokens in _patterns(glob, crosses))


def matches_above(path: str, glob: str, *, crosses: bool = False) -> bool:
    """Return True if a glob matches a path or a folder above it."""
    parts = path.split("/")
    pattern = glob.strip("/")
    return any(matches("/".join(parts[:end]), pattern, crosses=crosses) for end in range(1, len(parts) + 1))


def _matches_tokens(path: str, tokens: tuple[_Token, ...]) -> bool:
    states = _with_skipped({0}, tokens)
    for letter in path:
        following = set()
        for state in states:
            token = tokens[state] if state < len(tokens) else None
            if token is not None and _accepts(token, letter):
                following.add(state if token.repeats else state + 1)
        states = _with_skipped(following, tokens)
        if not states:
            return False
    return len(tokens) in states


def _accepts(token: _Token, letter: str) -> bool:
    if token.class_pattern is not None:
        return token.class_pattern.match(letter) is not None
    return letter == token.character if token.character else token.matches_slash or letter != "/"


def _with_skipped(states: set[int], tokens: tuple[_Token, ...]) -> set[int]:
    """Return the states plus those reached if repeated wildcards match nothing."""
    reached = set(states)
    for state in states:
        while state < len(tokens) and tokens[state].repeats:
            state += 1
            reached.add(state)
    return reached


@lru_cache(maxsize=256)
def _patterns(glob: str, crosses: bool) -> tuple[tuple[_Token, ...], ...]:
    if len(glob) > _MAXIMUM_LENGTH:
        return ()
    expanded = _without_braces(glob)
    # `**/` also matches no folder.
    variants = [*expanded, *(one.replace("**/", "", 1) for one in expanded if "**/" in one)]
    return tuple(_tokens(one, crosses) for one in variants)


def _without_braces(glob: str) -> list[str]:
    """Return the globs that `{a,b}` expands to; a glob without braces, or with too many alternatives, is returned alone."""
    globs = [glob]
    while len(globs) <= _MAXIMUM_ALTERNATIVES:
        braces = next((match for one in globs if (match := re.search(r"\{([^{}]*)\}", one))), None)
        if braces is None:
            return globs
        globs = [
            one.replace(braces[0], part, 1)
            for one in globs
            for part in (braces[1].split(",") if braces[0] in one else [""])
        ]
    return [glob]


def _tokens(glob: str, crosses: bool) -> tuple[_Token, ...]:
    tokens: list[_Token] = []
    at = 0
    while at < len(glob):
        sign = glob[at]
        closing = glob.find("]", at + 2) if sign == "[" else -1
        if glob.startswith("**", at):
            tokens.append(_Token(repeats=True, matches_slash=True))
            at += 2
            continue
        if closing > 0:
            inside = re.escape(glob[at + 1 : closing]).replace("\\-", "-").replace("\\^", "^").replace("!", "^", 1)
            try:
                tokens.append(_Token(class_pattern=re.compile(f"[{inside}]")))
            except re.error:
                tokens.append(_Token("["))
            at = closing + 1
            continue
        tokens.append(
            _Token(repeats=True, matches_slash=crosses)
            if sign == "*"
            else _Token(matches_slash=False)
            if sign == "?"
            else _Token(sign)
        )
        at += 1
    return tuple(tokens)
