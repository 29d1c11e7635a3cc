"""Convert Markdown and plain text to HTML, and find code in Markdown.

Raw HTML in Markdown is passed through. Nothing is sanitized here.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from feedtool.expressions import expression
from feedtool.html.text import escaped

if TYPE_CHECKING:
    import pyromark

_OPEN_TASK = '<input disabled="" type="checkbox"/>\n'
_DONE_TASK = '<input disabled="" type="checkbox" checked=""/>\n'
_PARAGRAPHS = expression(r"\n[ \t\u3000]*\n[ \t\n]*")


def markdown_to_html(body: str) -> str:
    """Return CommonMark with tables, footnotes, strikethrough and task lists as HTML; quotation marks stay as typed."""
    html: str = _converter().html(body)
    # The sanitizer removes form controls, so the checkboxes of task lists become characters.
    return html.replace(_OPEN_TASK, "☐ ").replace(_DONE_TASK, "☑ ")


def text_to_html(body: str) -> str:
    """Return plain text as HTML paragraphs that keep its line breaks."""
    paragraphs = _PARAGRAPHS.split(body.strip("\n"))
    return "\n".join(
        "<p>" + escaped(part.strip("\n")).replace("\n", "<br>\n") + "</p>" for part in paragraphs if part.strip()
    )


@cache
def _converter() -> pyromark.Markdown:
    import pyromark

    options = pyromark.Options
    return pyromark.Markdown(
        options=options.ENABLE_TABLES
        | options.ENABLE_FOOTNOTES
        | options.ENABLE_STRIKETHROUGH
        | options.ENABLE_TASKLISTS
    )


_HTML_EVENTS = frozenset(("Html", "HtmlBlock", "InlineHtml", "Text", "SoftBreak", "HardBreak", "Indented"))


def is_only_html(body: str) -> bool:
    """Return True if CommonMark finds only HTML, indented lines, and paragraphs that begin with a tag and hold no Markdown
    syntax."""
    raw = body.encode("utf-8", "surrogatepass")
    converter = _converter()
    if converter.reference_definitions(body):
        return False
    for event, place in converter.events_with_range(body):
        kind = _kind_of(event)
        if kind == "Paragraph" and raw[place["start"] : place["start"] + 1] == b"<":
            continue
        if kind and kind not in _HTML_EVENTS:
            return False
    return True


def _kind_of(event: Any) -> str:
    """Return the kind of element that an event begins or is, "Indented" or "Fenced" for a code block.

    Return "" for an event that ends an element.
    """
    if isinstance(event, str):
        return event
    name, value = next(iter(event.items()))
    if name == "End":
        return ""
    if name != "Start":
        return str(name)
    if isinstance(value, str):
        return value
    name, value = next(iter(value.items()))
    if name != "CodeBlock":
        return str(name)
    return value if isinstance(value, str) else next(iter(value))


class Code(NamedTuple):
    """A piece of code in a Markdown body, from `start` up to `end`, including its fence or backticks.

    `kind` is "Fenced", "Indented" or "Code" (a code span).
    """

    kind: str
    start: int
    end: int


def code_of(body: str) -> list[Code]:
    """Return the pieces of code in a Markdown body, in order (CommonMark 4.4, 4.5 and 6.1)."""
    ranges = [
        (kind, place["start"], place["end"])
        for event, place in _converter().events_with_range(body)
        if (kind := _kind_of(event)) in ("Code", "Fenced", "Indented")
    ]
    if body.isascii():
        return [Code(*one) for one in ranges]
    # The parser reports positions in bytes, so convert them to characters.
    raw = body.encode("utf-8", "surrogatepass")
    code: list[Code] = []
    at = characters = 0
    for kind, start, end in ranges:
        characters += len(raw[at:start].decode("utf-8", "surrogatepass"))
        length = len(raw[start:end].decode("utf-8", "surrogatepass"))
        code.append(Code(kind, characters, characters + length))
        at, characters = end, characters + length
    return code


def is_in_code(position: int, code: list[Code]) -> bool:
    """Return True if a position in a body lies in one of its pieces of code, which must be in order."""
    if not code:
        return False
    before = bisect_right(code, position, key=_start) - 1
    return before >= 0 and position < code[before].end


_start = attrgetter("start")
