"""Tell whether the body of a Markdown file is HTML from end to end."""

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
_UNSHOWN = name_set("base link meta noscript script style template title")
"""Elements that show nothing: one of them in front of a block does not make Markdown of the rest."""
_MARGIN = "\ufeff \t\r\n\u3000"

# A start condition of kind 6 (CommonMark 4.6): such a block of HTML goes on until a blank line.
_START = rf" {{0,3}}</?(?:{'|'.join(_BLOCKS.split())})(?:[ \t\n>]|/>)"
_FIRST = expression(rf"\n*+{_START}")
_INDENTED = r"(?:(?: {4}| {0,3}\t)[^\n]*+(?:\n(?![ \t]*+\n)|\Z))"
# What stands behind each run of blank lines: lines of code by their indent, such a start behind them or alone, or "".
_CHUNKS = expression(rf"\n[ \t]*+\n(?>(?:[ \t]*+\n)*)((?>{_INDENTED}*){_START}|(?>{_INDENTED}+)(?=[ \t]*+(?:\n|\Z))|)")
_WRAPPERS = name_set("article div section")
_WRAPPER = expression(r"<(/?)(div|section|article)(?![a-z0-9-])")
_END_TAG = expression(r"</([a-z][a-z0-9-]*)[ \t\n]*>\Z")
_DOCUMENT = expression(r"(?>(?:<!doctype[^<>]*>|<!--(?:(?!-->)[^<])*-->|\s)*)<(?:html|head|body)[ \t\n>]")
_OVER_LINES = expression(r"<(?:pre|script|style|textarea|!--|[a-z/][^<>\n]*+\n)")
_LITERAL = expression(r"<(?:(pre|script|style|textarea)\b|!--|/?[a-z])")


def is_html_throughout(body: str) -> bool:
    """Return True if a Markdown file's body is one piece of HTML, whose indented lines are no code.

    Its first element is a block, its last end tag is the end of the body, no text stands beside its elements, and no
    line of text within them begins a block of Markdown; a line inside a tag, a comment or a <pre> does not count. Any
    other body is Markdown, in which a block of HTML ends at a blank line (CommonMark 4.6). Takes LF as line ends.
    """
    text = body.strip(_MARGIN)
    if not text.startswith("<") or not text.endswith(">"):
        return False
    if refusal(text):
        # It becomes plain text, and must not be parsed for more than that.
        return _FIRST.match(text.lower()) is not None
    # Nothing below tells upper case from lower.
    text = text.lower()
    chunks = _CHUNKS.findall(text)
    if _FIRST.match(text) is None or "" in chunks:
        return not markdown_refusal(text) and _is_whole(text) and is_only_html(_in_one_line(text))
    if text[0] == body.lstrip("\n")[0] and not any(chunk.startswith(("    ", "\t")) for chunk in chunks):
        # Blocks of HTML and nothing else: both ways of reading say the same.
        return True
    return _is_whole(text)


def _is_whole(text: str) -> bool:
    """Return True if the elements at the top begin with a block, hold all text, and end where the body ends."""
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
    shown = [tag for tag in tags if tag not in _UNSHOWN]
    return bool(shown) and shown[0] in _STRUCTURE and (last == tags[-1] or tags[-1] == "hr")


def _is_one_element(text: str, tag: str) -> bool:
    """Return True if a body is surely one element of this kind; False means only that it takes a parser to tell."""
    first = _WRAPPER.match(text)
    if first is None or first[2] != tag or "<!--" in text:
        return False
    tags = [slash for slash, name in _WRAPPER.findall(text) if name == tag]
    depths = list(accumulate(-1 if slash else 1 for slash in tags))
    return bool(depths) and tags[0] == "" and depths[-1] == 0 and 0 not in depths[:-1]


def _end_tag(text: str) -> str:
    """Return the name of the end tag that a body ends with, but for comments behind it; "" where it ends otherwise."""
    end = len(text)
    while text.endswith("-->", 0, end) and (start := text.rfind("<!--", 0, end)) >= 0:
        end = start
        while end and text[end - 1] in _MARGIN:
            end -= 1
    found = _END_TAG.search(text[max(0, end - 200) : end])
    return found.group(1) if found is not None else ""


def _in_one_line(text: str) -> str:
    """Return a body in which no line begins inside a tag, a comment or what is shown as it is typed."""
    if _OVER_LINES.search(text) is None:
        return text
    kept: list[str] = []
    at = 0
    while (found := _LITERAL.search(text, at)) is not None:
        start, end = found.start(), -1
        if found.group(1):
            end = text.find(f"</{found.group(1)}", found.end())
        elif found.group() == "<!--":
            end = text.find("-->", found.end())
        end = text.find(">", max(end, found.end() - 1))
        if end < 0:
            break
        kept += (text[at:start], text[start:end].replace("\n", " "))
        at = end
    return "".join(kept) + text[at:]
