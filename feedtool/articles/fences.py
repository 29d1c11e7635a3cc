"""Split the text of a file into front matter and body, for five kinds of fences.

`---` YAML, `+++` TOML, `;;;` JSON (Hexo), `{` JSON (Hugo), and `key: value` lines without an opening fence that end at a
closing fence (Hexo) or an empty line (Pelican).
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Literal, NamedTuple

from feedtool.expressions import expression

Form = Literal["yaml", "toml", "json", "metadata", "none"]

_SPACE = expression("[ \t\r\n\ufeff]*+")
_OPENING_FENCE = expression(r"(-{3,}+|\+{3,}+|;{3,}+)[ \t]*+\r?(?:\n|\Z)|\{")
# One pattern for fences of any length: a pattern made from a fence of eight million dashes takes 830 MB.
_CLOSING_FENCES = {
    "-": expression(r"^(-{3,}+|\.\.\.)[ \t]*+\r?(?:\n|\Z)", re.MULTILINE),
    "+": expression(r"^(\+{3,}+)[ \t]*+\r?(?:\n|\Z)", re.MULTILINE),
    ";": expression(r"^(;{3,}+)[ \t]*+\r?(?:\n|\Z)", re.MULTILINE),
}
_KEY_LINE = expression(r"([A-Za-z_][\w-]{0,40})[ \t]*:(?:[ \t]|\r?$)", re.MULTILINE)
_LATE_FENCE = expression(r"^(?:-{3,}|;{3,})[ \t]*\r?$", re.MULTILINE)
_BLANK_LINE = expression(r"^[ \t]*\r?$", re.MULTILINE)
_FORMS: dict[str, Form] = {"-": "yaml", "+": "toml", ";": "json"}
# Nobody writes longer front matter; parsers never get more characters.
MAXIMUM = 65_536


class Split(NamedTuple):
    """The parts of a text, in offsets: the front matter is text[start:end], the body is text[body:].

    `line` is the line of the front matter's first line, from 1. `unclosed` is True if an opening fence has no closing one.
    `fenced` is False if the front matter has no opening fence.
    """

    form: Form
    start: int
    end: int
    body: int
    line: int
    unclosed: bool = False
    fenced: bool = True


def split(text: str, known_keys: Set[str]) -> Split:
    """Split front matter from body; front matter without an opening fence begins with one of `known_keys` (lower case)."""
    first = _first_character(text)
    opening = _OPENING_FENCE.match(text, first)
    line = text.count("\n", 0, first) + 1
    if opening is None:
        return _unfenced(text, first, line, known_keys)
    if opening.group(1) is None:
        return _json_object(text, first, line)
    start = opening.end()
    fence = opening.group(1)
    closing = _closing(fence, text, start)
    if closing is None:
        return Split("none", first, first, first, line, unclosed=True)
    return Split(_FORMS[fence[0]], start, closing.start(), closing.end(), line + 1)


def _first_character(text: str) -> int:
    # In concatenated files, a byte order mark may follow blank lines.
    match = _SPACE.match(text)
    return match.end() if match is not None else 0


def _closing(fence: str, text: str, start: int) -> re.Match[str] | None:
    """Return the first line from `start` on that closes a fence: the same characters, or `...` after three dashes."""
    for match in _CLOSING_FENCES[fence[0]].finditer(text, start):
        if match[1] == fence or (fence == "---" and match[1] == "..."):
            return match
    return None


def _unfenced(text: str, first: int, line: int, known_keys: Set[str]) -> Split:
    no_front_matter = Split("none", first, first, first, line)
    if text.startswith('"', first):
        late = _LATE_FENCE.search(text, first, first + MAXIMUM)
        if late is not None and ";" in late.group():
            return Split("json", first, late.start(), min(late.end() + 1, len(text)), line, fenced=False)
    key = _KEY_LINE.match(text, first)
    if key is None or key.group(1).lower() not in known_keys:
        return no_front_matter
    late = _LATE_FENCE.search(text, first, first + MAXIMUM)
    blank = _BLANK_LINE.search(text, first, first + MAXIMUM)
    if late is not None and (blank is None or late.start() < blank.start() or _all_keys(text[first : late.start()])):
        form: Form = "json" if ";" in late.group() else "yaml"
        return Split(form, first, late.start(), min(late.end() + 1, len(text)), line, fenced=False)
    end = blank.start() if blank is not None else len(text)
    if end - first < MAXIMUM and _all_keys(text[first:end]):
        return Split("yaml", first, end, end, line, fenced=False)
    return no_front_matter


def _all_keys(block: str) -> bool:
    return all(_KEY_LINE.match(line) or line[:1] in " \t-#" or not line.strip() for line in block.splitlines() if line)


def _json_object(text: str, first: int, line: int) -> Split:
    from json import JSONDecodeError, JSONDecoder

    # Numbers stay text: Python refuses to convert more than 4,300 digits.
    decoder = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    # Hugo's JSON front matter has only its own braces as fences, each alone on a line or at the start of the text.
    try:
        _, end = decoder.raw_decode(text[: first + MAXIMUM], first)
    except JSONDecodeError as error:
        closing = text.find("\n}", first, first + MAXIMUM)
        if closing < 0:
            closing = text.find("}", first, first + MAXIMUM) - 1
        if closing < 0 or error.pos > closing + 2:
            return Split(
                "none", first, first, first, line, unclosed=text[first : first + 64].lstrip("{ \r\n\t")[:1] == '"'
            )
        end = closing + 2
    except (RecursionError, ValueError):
        return Split("none", first, first, first, line, unclosed=True)
    return Split("json", first, end, end, line)
