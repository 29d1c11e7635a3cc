"""A file's text in, its front matter and its body out, still as text; five ways of fencing are told apart.

`---` YAML, `+++` TOML, `;;;` JSON (Hexo), `{` JSON (Hugo), and `key: value` lines that only a closing fence (Hexo) or
an empty line (Pelican) ends. Nothing is parsed here but what telling them apart needs.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from feedtool.expressions import expression

Form = Literal["yaml", "toml", "json", "metadata", "none"]

_SPACE = expression("[ \t\r\n\ufeff]*+")
_OPENING = expression(r"(-{3,}+|\+{3,}+|;{3,}+)[ \t]*+\r?(?:\n|\Z)|\{")
# One pattern for all lengths: a pattern made of a fence of eight million dashes takes 830 MB.
_CLOSINGS = {
    "-": expression(r"^(-{3,}+|\.\.\.)[ \t]*+\r?(?:\n|\Z)", re.MULTILINE),
    "+": expression(r"^(\+{3,}+)[ \t]*+\r?(?:\n|\Z)", re.MULTILINE),
    ";": expression(r"^(;{3,}+)[ \t]*+\r?(?:\n|\Z)", re.MULTILINE),
}
_KEY_LINE = expression(r"([A-Za-z_][\w-]{0,40})[ \t]*:(?:[ \t]|\r?$)", re.MULTILINE)
_LATE_FENCE = expression(r"^(?:-{3,}|;{3,})[ \t]*\r?$", re.MULTILINE)
_BLANK_LINE = expression(r"^[ \t]*\r?$", re.MULTILINE)
_FORMS: dict[str, Form] = {"-": "yaml", "+": "toml", ";": "json"}
# Past this no person wrote it; a parser is never shown more.
MAXIMUM = 65_536


class Split(NamedTuple):
    """`start`, `end` and `body` are offsets into the text: front matter is text[start:end], the body text[body:].

    `line` is that of the front matter's first line, from 1. `unclosed` says that a fence opens and none closes.
    `fenced` is False where the front matter has no opening fence.
    """

    form: Form
    start: int
    end: int
    body: int
    line: int
    unclosed: bool = False
    fenced: bool = True


def split(text: str, known: frozenset[str]) -> Split:
    """Tell front matter from body. `known` are the keys (lower case) by which front matter without a fence is known."""
    first = _first_character(text)
    opening = _OPENING.match(text, first)
    line = text.count("\n", 0, first) + 1
    if opening is None:
        return _unfenced(text, first, line, known)
    if opening.group(1) is None:
        return _json_object(text, first, line)
    start = opening.end()
    fence = opening.group(1)
    closing = _closing(fence, text, start)
    if closing is None:
        return Split("none", first, first, first, line, unclosed=True)
    return Split(_FORMS[fence[0]], start, closing.start(), closing.end(), line + 1)


def _first_character(text: str) -> int:
    # A byte order mark may stand behind blank lines where files were glued together.
    found = _SPACE.match(text)
    return found.end() if found is not None else 0


def _closing(fence: str, text: str, start: int) -> re.Match[str] | None:
    """Return the first line from `start` on that closes a fence: the same signs, or `...` after three dashes."""
    for found in _CLOSINGS[fence[0]].finditer(text, start):
        if found[1] == fence or (fence == "---" and found[1] == "..."):
            return found
    return None


def _unfenced(text: str, first: int, line: int, known: frozenset[str]) -> Split:
    nothing = Split("none", first, first, first, line)
    if text.startswith('"', first):
        late = _LATE_FENCE.search(text, first, first + MAXIMUM)
        if late is not None and ";" in late.group():
            return Split("json", first, late.start(), min(late.end() + 1, len(text)), line, fenced=False)
    key = _KEY_LINE.match(text, first)
    if key is None or key.group(1).lower() not in known:
        return nothing
    late = _LATE_FENCE.search(text, first, first + MAXIMUM)
    blank = _BLANK_LINE.search(text, first, first + MAXIMUM)
    if late is not None and (blank is None or late.start() < blank.start() or _all_keys(text[first : late.start()])):
        form: Form = "json" if ";" in late.group() else "yaml"
        return Split(form, first, late.start(), min(late.end() + 1, len(text)), line, fenced=False)
    end = blank.start() if blank is not None else len(text)
    if end - first < MAXIMUM and _all_keys(text[first:end]):
        return Split("yaml", first, end, end, line, fenced=False)
    return nothing


def _all_keys(block: str) -> bool:
    return all(_KEY_LINE.match(line) or line[:1] in " \t-#" or not line.strip() for line in block.splitlines() if line)


def _json_object(text: str, first: int, line: int) -> Split:
    from json import JSONDecodeError, JSONDecoder

    # Numbers stay text: Python refuses to convert more than 4,300 digits.
    decoder = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    # Hugo's JSON front matter has no fence but its own braces, each alone on a line or at the text's start.
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
