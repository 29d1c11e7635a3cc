"""Detect Markdown files whose whole body is HTML."""

from __future__ import annotations

from itertools import accumulate

from feedtool.expressions import expression
from feedtool.html.limits import markdown_refusal, refusal
from feedtool.html.markdown import is_only_html
from feedtool.html.names import name_set

# The most common ones first: they are tried in this order.
_BLOCKS = (
    "p div table figure ul ol li h2 h3 h4 blockquote section article address aside body caption center col colgroup dd"
    " details dialog dir dl dt fieldset figcaption footer form frame frameset h1 h5 h6 head header hr html iframe legend"
    " main menu nav noframes param search summary tbody td tfoot th thead title tr"
)
_STRUCTURE = name_set(_BLOCKS) | {"pre"}
_INVISIBLE = name_set("base link meta noscript script style template title")
"""Elements that show nothing: a body that begins with them, before its first block, can still be HTML."""
_MARGIN = "\ufeff \t\r\n\u3000"

# HTML block start condition 6 (CommonMark 4.6): the block ends at the next blank line.
_START = rf" {{0,3}}</?(?:{'|'.join(_BLOCKS.split())})(?:[ \t\n>]|/>)"
_FIRST = expression(rf"\n*+{_START}")
_INDENTED = r"(?:(?: {4}| {0,3}\t)[^\n]*+(?:\n(?![ \t]*+\n)|\Z))"
# Matches each run of blank lines. The group holds what follows it: lines of indented code, a block start (alone or after
# such lines), or "".
_CHUNKS = expression(rf"\n[ \t]*+\n(?>(?:[ \t]*+\n)*)((?>{_INDENTED}*){_START}|(?>{_INDENTED}+)(?=[ \t]*+(?:\n|\Z))|)")
_WRAPPERS = name_set("article div section")
_WRAPPER = expression(r"<(/?)(div|section|article)(?![a-z0-9-])")
_END_TAG = expression(r"</([a-z][a-z0-9-]*)[ \t\n]*>\Z")
_DOCUMENT = expression(r"(?>(?:<!doctype[^<>]*>|<!--(?:(?!-->)[^<])*-->|\s)*)<(?:html|head|body)[ \t\n>]")
_OVER_LINES = expression(r"<(?:pre|script|style|textarea|!--|[a-z/][^<>\n]*+\n)")
_LITERAL = expression(r"<(?:(pre|script|style|textarea)\b|!--|/?[a-z])")


def is_html_throughout(body: str) -> bool:
    """Return True if the body of a Markdown file is HTML as a whole, so that its indented lines are not code.

    This holds if the first element is a block, the body ends with its last end tag, no text stands outside the elements,
    and no line of text inside them begins a block of Markdown. Lines inside a tag, a comment or a <pre> do not count. Any
    other body is Markdown, where a block of HTML ends at a blank line (CommonMark 4.6). Line ends must be LF.
    """
    text = body.strip(_MARGIN)
    if not text.startswith("<") or not text.endswith(">"):
        return False
    if refusal(text):
        # Such a body is published as plain text and must not be parsed.
        return _FIRST.match(text.lower()) is not None
    # Everything below ignores case.
    text = text.lower()
    chunks = _CHUNKS.findall(text)
    if _FIRST.match(text) is None or "" in chunks:
        return not markdown_refusal(text) and _is_whole(text) and is_only_html(_in_one_line(text))
    if text[0] == body.lstrip("\n")[0] and not any(chunk.startswith(("    ", "\t")) for chunk in chunks):
        # The body holds only blocks of HTML: read as Markdown or as HTML, it gives the same result.
        return True
    return _is_whole(text)


def _is_whole(text: str) -> bool:
    """Return True if the top-level elements begin with a block, contain all text, and end where the body ends."""
    from feedtool.html.tree import Tree

    if text.startswith("</"):
        return False
    last = _end_tag(text)
    if _DOCUMENT.match(text) is not None:
        return last in ("html", "body")
    if last in _WRAPPERS and _is_one_element(text, last):
        return True
    body = Tree(text).parser.body
    if body is None:
        return False
    tags = []
    for node in body.iter(include_text=True, skip_empty=True):
        if node.is_text_node and (node.text_content or "").strip():
            return False
        if node.is_element_node:
            tags.append(node.tag or "")
    shown = [tag for tag in tags if tag not in _INVISIBLE]
    return bool(shown) and shown[0] in _STRUCTURE and (last == tags[-1] or tags[-1] == "hr")


def _is_one_element(text: str, tag: str) -> bool:
    """Return True if the body is certainly a single element with this tag; False means that only a parser can decide."""
    first = _WRAPPER.match(text)
    if first is None or first[2] != tag or "<!--" in text:
        return False
    tags = [slash for slash, name in _WRAPPER.findall(text) if name == tag]
    depths = list(accumulate(-1 if slash else 1 for slash in tags))
    return bool(depths) and tags[0] == "" and depths[-1] == 0 and 0 not in depths[:-1]


def _end_tag(text: str) -> str:
    """Return the name of the end tag at the end of the body, ignoring comments after it, or "" if there is none."""
    end = len(text)
    while text.endswith("-->", 0, end) and (start := text.rfind("<!--", 0, end)) >= 0:
        end = start
        while end and text[end - 1] in _MARGIN:
            end -= 1
    match = _END_TAG.search(text[max(0, end - 200) : end])
    return match.group(1) if match is not None else ""


def _in_one_line(text: str) -> str:
    """Return the body without line ends inside tags, comments and elements with literal text such as <pre>."""
    if _OVER_LINES.search(text) is None:
        return text
    pieces: list[str] = []
    at = 0
    while (match := _LITERAL.search(text, at)) is not None:
        start, end = match.start(), -1
        if match.group(1):
            end = text.find(f"</{match.group(1)}", match.end())
        elif match.group() == "<!--":
            end = text.find("-->", match.end())
        end = text.find(">", max(end, match.end() - 1))
        if end < 0:
            break
        pieces += (text[at:start], text[start:end].replace("\n", " "))
        at = end
    return "".join(pieces) + text[at:]
