"""Refuse bodies that would cost a parser too much, and extract their plain text instead.

Only bodies whose size and number of tags are bounded are parsed here.
"""

from __future__ import annotations

import re

from feedtool.expressions import expression
from feedtool.html.names import name_set
from feedtool.html.text import escaped, legal_text, without_comments

MAX_BYTES = 1_000_000
MAX_DEPTH = 512
MAX_TAGS = 20_000
_TOO_LARGE = f"it is larger than {MAX_BYTES // 1_000_000} MB"
_SMALL_STARTS = 512
_SMALL_TAGS = 2048
_SMALL_SIZE = 65_536
_OPEN_LIMIT = 2_000
_ATTRIBUTE_BUDGET = 100_000_000
_FORMATTING_BUDGET = 1_500_000

_START = expression(r"<(?=/?[A-Za-z])")
_TAG = expression(
    r"</?([A-Za-z][^\s/>]*+)"
    r"((?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>\"'][^\s>]*+|(?=>)))?)*)>?"
)
_SEPARATOR = expression(r"[\s/\"'][^\s/\"'>]")
_FORMATTING = name_set("b big code em font i nobr s small strike strong tt u")
_SELF_CLOSING = name_set(
    "area base br col embed hr img input link meta param source track wbr p li dd dt option tr td th tbody"
    " thead tfoot colgroup caption rp rt rb rtc h1 h2 h3 h4 h5 h6"
)
"""Tags that cannot nest, or that the next tag of the same kind closes."""


MAX_MARKUP_CHARACTERS = 400_000
MAX_CONTAINERS = 512
_MARKUP_CHARACTERS = "[]()<>*_!&|~\\"
# Block quotes and lists that begin in one line, each inside the previous one (CommonMark 5.1 and 5.2).
_CONTAINERS = expression(
    rf"^(?:[ \t]*+(?:>|(?:[-+*]|\d{{1,9}}[.)])(?=[ \t]))){{{MAX_CONTAINERS + 1}}}[^\n]*+", re.MULTILINE
)


def markdown_refusal(body: str) -> str:
    """Return why this Markdown must not be converted as a whole, or "". Takes time linear in the size of the body."""
    if len(body) <= _SMALL_SIZE:
        return nesting_refusal(body)
    if _is_too_large(body):
        return _TOO_LARGE
    if len(body) > MAX_MARKUP_CHARACTERS and sum(map(body.count, _MARKUP_CHARACTERS)) > MAX_MARKUP_CHARACTERS:
        return f"it has more than {MAX_MARKUP_CHARACTERS:,} characters of markup"
    return nesting_refusal(body)


def text_refusal(body: str) -> str:
    """Return why this plain text must not be converted to paragraphs as a whole, or ""."""
    return _TOO_LARGE if _is_too_large(body) else ""


def nesting_refusal(body: str) -> str:
    """Return why no part of this Markdown may be converted, or "".

    The reason is a nesting of block quotes and lists deeper than any person writes.
    """
    if len(body) <= MAX_CONTAINERS:
        return ""
    for match in _CONTAINERS.finditer(body):
        # A line that consists only of asterisks or hyphens is a thematic break.
        if len(set(match.group()).difference(" \t")) > 1 or ">" in match.group() or "+" in match.group():
            return f"its quotations or lists are nested more than {MAX_CONTAINERS} deep"
    return ""


def refusal(body: str) -> str:
    """Return why parsing this HTML would take more than about a second, or "" if it may be parsed.

    The answer is deterministic and takes time linear in the size of the body. It depends on sizes, on the number of tags,
    and on the two products that make parsers quadratic: the square of one tag's attributes, and different formatting
    elements times tags.
    """
    tags = body.count("<")
    if tags <= _SMALL_STARTS and len(body) <= _SMALL_SIZE:
        return ""
    if _is_too_large(body):
        return _TOO_LARGE
    starts = tags - body.count("</") - body.count("<!")
    if starts <= _SMALL_STARTS and tags <= _SMALL_TAGS and len(body) <= _SMALL_SIZE:
        return ""
    if starts > MAX_TAGS:
        return f"it has more than {MAX_TAGS} tags"
    if reason := _costly_tags(body, tags):
        return reason
    if starts <= _SMALL_STARTS:
        return ""
    from feedtool.html.tree import depth_of

    if depth_of(body, MAX_DEPTH) > MAX_DEPTH:
        return f"its elements are nested more than {MAX_DEPTH} deep"
    return ""


def output_refusal(html: str) -> str:
    """Return why `refusal` would not accept this output of the sanitizer again, or "". Every tag in it must be closed."""
    if len(html) > MAX_BYTES // 4 and len(html.encode()) > MAX_BYTES:
        return _TOO_LARGE
    if len(html) < 8 * _SMALL_STARTS or html.count("<") - html.count("</") <= _SMALL_STARTS:
        return ""
    depth = deepest = 0
    for tag in _NESTING.findall(html):
        if tag[0] == "/":
            depth -= 1
        elif tag not in _VOID:
            depth += 1
            deepest = max(depth, deepest)
    if html.count("<") - html.count("</") > MAX_TAGS:
        return f"it has more than {MAX_TAGS} tags"
    return f"its elements are nested more than {MAX_DEPTH} deep" if deepest > MAX_DEPTH else ""


_NESTING = expression(r"<(/?[a-z0-9-]+)")
_VOID = name_set("br col hr img source track wbr")


def _is_too_large(body: str) -> bool:
    """Return True if a body exceeds the limit as it is, or with its `&` and no-break spaces written as references."""
    if len(body) <= MAX_BYTES // 6:
        return False
    written = sum(body.count(reference) for reference in ("&amp;", "&lt;", "&gt;", "&nbsp;", "&quot;"))
    return len(body.encode()) + 4 * (body.count("&") - written + body.count("\xa0")) > MAX_BYTES


def _costly_tags(body: str, tags: int) -> str:
    """Return why the tags of this HTML are too costly, or "".

    Every position where a tag could start is examined, regardless of quotes and comments.
    """
    reach = 0
    attributes = 0
    occurrences: dict[str, int] = {}
    distinct = nested = 0
    opened: dict[str, int] = {}
    limit = 4 * len(body) + 100_000
    for start in _START.finditer(body):
        match = _TAG.match(body, start.start())
        if match is None:
            continue
        size = match.end() - match.start()
        reach += size
        if size > 1000:
            count = sum(1 for _ in _SEPARATOR.finditer(body, match.start(), match.end()))
            attributes += count * count
        if attributes > _ATTRIBUTE_BUDGET or reach > limit:
            return "it has a tag with thousands of attributes"
        name = match.group(1).lower()
        if body[match.start() + 1] == "/":
            if opened.get(name, 0) > 0:
                opened[name] -= 1
                nested -= 1
            continue
        if name not in _SELF_CLOSING:
            opened[name] = opened.get(name, 0) + 1
            nested += 1
            if nested > _OPEN_LIMIT:
                return f"it leaves more than {_OPEN_LIMIT} tags open"
        if name in _FORMATTING:
            text = match.group()
            count_before = occurrences.get(text, 0)
            occurrences[text] = count_before + 1
            distinct += count_before < 3
    if distinct * tags > _FORMATTING_BUDGET:
        return "it leaves thousands of different formatting tags open"
    return ""


_DROPPED = expression(
    r"<(script|style|template|textarea|title|select|svg|math|noscript|iframe|object)\b", re.IGNORECASE
)
_INLINE = "a abbr b bdi bdo big cite code em font i kbd mark q s samp small span strong sub sup time u var"
_INLINE_TAG = expression(rf"</?(?:{_INLINE.replace(' ', '|')})(?![A-Za-z0-9-])[^<>]*+>?", re.IGNORECASE)
# Bogus comments end at the first ">" (HTML 13.2.5.41).
_COMMENT = expression(r"<(?:[!?]|/(?![A-Za-z]))[^>]*+>?")
_ANY_TAG = expression(r"</?[A-Za-z][^<>]*+>?")
_MAX_PARAGRAPHS = 5000
MAX_TEXT = 150_000
MAX_MARKUP = 2_000_000
"""The number of characters of a body that are read; nothing after them is published."""
_MAX_ESCAPED_TEXT = 8 * MAX_TEXT


def text_of_refused(body: str) -> tuple[str, bool]:
    """Return the text of a refused body, with one line for each block, and whether it was cut.

    The scanner never looks back, and reads no more of a large body than is needed for the text that is published.
    """
    is_cut = len(body) > MAX_MARKUP
    body = body[:MAX_MARKUP]
    pieces: list[str] = []
    at = 0
    lowered = body.lower() if len(body.lower()) == len(body) else body
    missing: set[str] = set()
    for match in _DROPPED.finditer(body):
        name = match.group(1).lower()
        if match.start() < at or name in missing:
            continue
        end = lowered.find("</" + name, match.end())
        if end < 0:
            missing.add(name)
            continue
        pieces.append(body[at : match.start()])
        close = body.find(">", end)
        at = len(body) if close < 0 else close + 1
    pieces.append(body[at:])
    text = _COMMENT.sub("", without_comments("".join(pieces)))
    text = _ANY_TAG.sub("\n", _INLINE_TAG.sub("", text))
    is_cut = is_cut or len(text) > _MAX_ESCAPED_TEXT
    import html

    return legal_text(html.unescape(text[:_MAX_ESCAPED_TEXT])), is_cut


def refused_to_html(body: str) -> tuple[str, bool]:
    """Return the text of a refused body as paragraphs that are safe for any parser, and whether the text was cut."""
    text, is_cut = text_of_refused(body)
    lines = [line for raw in text.split("\n") if (line := " ".join(raw.split(" ")).strip())]
    if len(lines) > _MAX_PARAGRAPHS:
        lines = [*lines[: _MAX_PARAGRAPHS - 1], " ".join(lines[_MAX_PARAGRAPHS - 1 :])]
    paragraphs: list[str] = []
    size = 0
    for line in lines:
        line = line[: max(0, MAX_TEXT - size)]
        size += len(line)
        if line:
            paragraphs.append(f"<p>{escaped(line)}</p>")
    return "\n".join(paragraphs), is_cut or sum(map(len, lines)) > MAX_TEXT
