"""A body goes in; out comes why a parser must not see it, and the text of one refused; parses only what is bounded."""

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
"""Tags that nest nothing, or that the next of their kind closes."""


MAX_MARKS = 400_000
MAX_CONTAINERS = 512
_MARKS = "[]()<>*_!&|~\\"
# Quotations and lists that begin in one line, each in the one before (CommonMark 5.1 and 5.2).
_CONTAINERS = expression(
    rf"^(?:[ \t]*+(?:>|(?:[-+*]|\d{{1,9}}[.)])(?=[ \t]))){{{MAX_CONTAINERS + 1}}}[^\n]*+", re.MULTILINE
)


def markdown_refusal(body: str) -> str:
    """Return why this Markdown must not be converted as a whole, or ""; takes time linear in the body."""
    if len(body) <= _SMALL_SIZE:
        return nesting_refusal(body)
    if _is_too_large(body):
        return _TOO_LARGE
    if len(body) > MAX_MARKS and sum(map(body.count, _MARKS)) > MAX_MARKS:
        return f"it has more than {MAX_MARKS:,} signs of markup"
    return nesting_refusal(body)


def text_refusal(body: str) -> str:
    """Return why this plain text must not be made paragraphs as a whole, or ""."""
    return _TOO_LARGE if _is_too_large(body) else ""


def nesting_refusal(body: str) -> str:
    """Return why no part of this Markdown may be converted, or "": quotations and lists nested deeper than people do."""
    if len(body) <= MAX_CONTAINERS:
        return ""
    for found in _CONTAINERS.finditer(body):
        # A line of nothing but stars or dashes is a rule.
        if len(set(found.group()).difference(" \t")) > 1 or ">" in found.group() or "+" in found.group():
            return f"its quotations or lists are nested more than {MAX_CONTAINERS} deep"
    return ""


def refusal(body: str) -> str:
    """Return why this HTML would cost its parsers more than about a second, or "" when they may have it.

    The same answer always, in time linear in the body: what is counted are sizes, tags, and the two products that make
    parsers quadratic: attributes of one tag squared, and differing formatting elements times tags.
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


def outgrown(html: str) -> str:
    """Return why what the sanitizer wrote is more than `refusal` would let in again, or ""; every tag in it is closed."""
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
    """Tell whether a body is over the limit as it stands, or would be with its `&` and no-break spaces written out."""
    if len(body) <= MAX_BYTES // 6:
        return False
    written = sum(body.count(reference) for reference in ("&amp;", "&lt;", "&gt;", "&nbsp;", "&quot;"))
    return len(body.encode()) + 4 * (body.count("&") - written + body.count("\xa0")) > MAX_BYTES


def _costly_tags(body: str, tags: int) -> str:
    """Judge every place a tag could start, wherever the parser's quotes and comments may lie."""
    reach = 0
    attributes = 0
    seen: dict[str, int] = {}
    distinct = nested = 0
    opened: dict[str, int] = {}
    limit = 4 * len(body) + 100_000
    for start in _START.finditer(body):
        found = _TAG.match(body, start.start())
        if found is None:
            continue
        size = found.end() - found.start()
        reach += size
        if size > 1000:
            count = sum(1 for _ in _SEPARATOR.finditer(body, found.start(), found.end()))
            attributes += count * count
        if attributes > _ATTRIBUTE_BUDGET or reach > limit:
            return "it has a tag with thousands of attributes"
        name = found.group(1).lower()
        if body[found.start() + 1] == "/":
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
            text = found.group()
            times = seen.get(text, 0)
            seen[text] = times + 1
            distinct += times < 3
    if distinct * tags > _FORMATTING_BUDGET:
        return "it leaves thousands of differing formatting tags open"
    return ""


_DROPPED = expression(
    r"<(script|style|template|textarea|title|select|svg|math|noscript|iframe|object)\b", re.IGNORECASE
)
_INLINE = "a abbr b bdi bdo big cite code em font i kbd mark q s samp small span strong sub sup time u var"
_INLINE_TAG = expression(rf"</?(?:{_INLINE.replace(' ', '|')})(?![A-Za-z0-9-])[^<>]*+>?", re.IGNORECASE)
# What is neither a tag nor text is a comment that ends at the first ">" (HTML 13.2.5.41).
_COMMENT = expression(r"<(?:[!?]|/(?![A-Za-z]))[^>]*+>?")
_ANY_TAG = expression(r"</?[A-Za-z][^<>]*+>?")
_MAX_PARAGRAPHS = 5000
MAX_TEXT = 150_000
MOST_MARKUP = 2_000_000
"""Characters of a refused body that are looked at for its text."""
_MOST_REFERENCES = 8 * MAX_TEXT


def text_of_refused(body: str) -> tuple[str, bool]:
    """Return a refused body as text, read by a scanner that never looks back, and if it was cut; lines stand for its blocks.

    Of several megabytes no more is looked at than makes the text that is published.
    """
    is_cut = len(body) > MOST_MARKUP
    body = body[:MOST_MARKUP]
    kept: list[str] = []
    at = 0
    lowered = body.lower() if len(body.lower()) == len(body) else body
    missing: set[str] = set()
    for found in _DROPPED.finditer(body):
        name = found.group(1).lower()
        if found.start() < at or name in missing:
            continue
        end = lowered.find("</" + name, found.end())
        if end < 0:
            missing.add(name)
            continue
        kept.append(body[at : found.start()])
        close = body.find(">", end)
        at = len(body) if close < 0 else close + 1
    kept.append(body[at:])
    text = _COMMENT.sub("", without_comments("".join(kept)))
    text = _ANY_TAG.sub("\n", _INLINE_TAG.sub("", text))
    is_cut = is_cut or len(text) > _MOST_REFERENCES
    import html

    return legal_text(html.unescape(text[:_MOST_REFERENCES])), is_cut


def refused_to_html(body: str) -> tuple[str, bool]:
    """Return the text of a refused body as paragraphs, few and short enough to be safe with any parser; and if it is cut."""
    text, is_cut = text_of_refused(body)
    lines = [line for raw in text.split("\n") if (line := " ".join(raw.split(" ")).strip())]
    if len(lines) > _MAX_PARAGRAPHS:
        lines = [*lines[: _MAX_PARAGRAPHS - 1], " ".join(lines[_MAX_PARAGRAPHS - 1 :])]
    made: list[str] = []
    size = 0
    for line in lines:
        line = line[: max(0, MAX_TEXT - size)]
        size += len(line)
        if line:
            made.append(f"<p>{escaped(line)}</p>")
    return "\n".join(made), is_cut or sum(map(len, lines)) > MAX_TEXT
