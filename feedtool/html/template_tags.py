"""Find the parts of a body that its site does not show: comments of template languages, and text behind a password.

Template tags inside code are text; a Markdown parser finds the code. In doubt, protected text is hidden: an unclosed tag in braces
hides everything up to the end of the body. An unclosed comment hides nothing.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from feedtool.expressions import expression
from feedtool.html.body_kind import is_html_throughout
from feedtool.html.limits import MAX_MARKUP, MAX_TAGS, markdown_refusal
from feedtool.html.markdown import Code, code_of, is_in_code
from feedtool.html.names import name_set
from feedtool.models import BodyKind


class Hidden(NamedTuple):
    """A part of a body, from `start` up to `end`, that is not published. `name` is the name of the tag that hides it.

    `protected` is True for text behind a password and False for a comment. `is_closed` is False if no tag closes the part,
    so that it reaches to the end of the body.
    """

    start: int
    end: int
    name: str
    protected: bool
    is_closed: bool = True


class _Token(NamedTuple):
    """A tag of a template language. A closing tag closes a tag of the same `language` and `name`."""

    start: int
    end: int
    language: str
    name: str
    is_closing: bool


def hidden_parts(body: str, kind: BodyKind, dialect: str) -> list[Hidden]:
    """Return the parts of a body that are not published, in order and without overlaps.

    `dialect` is the dialect set in `[articles]`: it decides which forms are comments. Takes time linear in the size of the
    body, and reads no more of it than may be published.
    """
    if not _may_hide(body):
        return []
    # Nothing after that is published.
    body = body[:MAX_MARKUP]
    tokens = list(_tokens(body))
    delimiters = (
        [match.start() for match in islice(_PERCENT_DELIMITER.finditer(body), MAX_TAGS)]
        if "%%" in body and kind == "markdown"
        else []
    )
    if not tokens and not delimiters:
        return []
    is_html = kind == "html" or (kind == "markdown" and is_html_throughout(body.replace("\r\n", "\n")))
    literal = _literal(body, tokens, kind, is_html=is_html, dialect=dialect)
    parts = _merged_parts([*_protected(tokens, literal.quoted), *_comments(body, tokens, literal.code, dialect)])
    if delimiters and not is_html:
        literal_or_hidden = _merged_code([*literal.code, *(Code(part.name, part.start, part.end) for part in parts)])
        delimiters = [delimiter for delimiter in delimiters if not is_in_code(delimiter, literal_or_hidden)]
        parts = _merged_parts([*parts, *_obsidian_comments(body, delimiters)])
    return parts


def without_parts(body: str, parts: list[Hidden]) -> str:
    """Return a body without the given parts, which must come from `hidden_parts`."""
    pieces: list[str] = []
    at = 0
    for part in parts:
        pieces.append(body[at : part.start])
        at = part.end
    return "".join(pieces) + body[at:]


_STEMS = (
    "ncrypt",
    "assw",
    "rotect",
    "ecret",
    "ocked",
    "aywall",
    "rivate",
    "NCRYPT",
    "ASSW",
    "ROTECT",
    "ECRET",
    "OCKED",
)


def _may_hide(body: str) -> bool:
    if "{%" in body or "{{" in body or "%%" in body or "{#" in body or "{/*" in body or "{:" in body:
        return True
    return ("[/" in body or "</" in body) and any(stem in body for stem in _STEMS)


_TOKEN = expression(
    r"\{(?:"
    r"\{(?:(?P<mark>[<%])-?\s{0,50}+(?P<slash>/?)\s{0,50}+(?P<shortcode>[\w./-]{1,80})|(?P<go>-?[ \t]?/\*))"
    r"|%-?\s{0,50}+(?P<tag>\#|[\w-]{1,80})"
    r"|(?P<jsx>/\*)|(?P<hash>\#)|(?P<kramdown>::comment\b[^}\n]{0,80}\})|(?P<endkramdown>:/(?:comment)?\})"
    r")"
    r"|(?P<endgo>\*/[ \t]?-?\}\})|(?P<endjsx>\*/\})|(?P<endhash>\#\})"
    r"|\[(?P<bslash>/?)(?P<bracket>[A-Za-z][\w-]{0,60})(?=[\s=\]])"
    r"|<(?P<eslash>/?)(?P<element>[A-Za-z][\w-]{0,60})(?=[\s/>])"
)
_NAMED = ("shortcode", "tag", "bracket", "element")
_PERCENT_DELIMITER = expression(r"(?<![%\\{])%%(?![%}])")
_LONGEST_TAG = 2_000
_SELF_CLOSING = "{{/"
_TO_THE_END = sys.maxsize


def _tokens(body: str) -> Iterator[_Token]:
    """Yield the tags that may hide something or that make their content literal.

    At most as many are yielded as a body may have tags. If a protective tag follows them, it hides the rest of the body.
    """
    number = 0
    for match in _TOKEN.finditer(body):
        token = _token(body, match) if number < MAX_TAGS or any(map(match.group, _NAMED)) else None
        if token is None:
            continue
        number += 1
        if number <= MAX_TAGS:
            yield token
        elif token.name and token.name not in _LIQUID:
            yield token._replace(language="{{", end=len(body), is_closing=False)
            return


_LIQUID = name_set("comment raw highlight codeblock #")


def _token(body: str, match: re.Match[str]) -> _Token | None:
    """Return the tag if it may hide something or makes its content literal, else None."""
    start, end = match.span()
    if name := match["shortcode"]:
        name = name.lower() if name.lower() == "comment" else name
        return _shortcode(body, match, name) if name == "comment" or is_protective(name) else None
    if name := match["tag"]:
        closes = name.startswith("end")
        bare = name[3:].lstrip("_-") if closes else name
        if bare not in _LIQUID and not is_protective(bare):
            return None
        return _Token(start, _end_of(body, end, "%}"), "{%", bare, closes)
    if name := match["bracket"] or match["element"]:
        if not is_protective(name):
            return None
        language, closing = ("[", "]") if match["bracket"] else ("<", ">")
        end = _end_of(body, end, closing)
        is_empty = language == "<" and body[end - 2 : end] == "/>"
        return (
            None if is_empty else _Token(start, end, language, name.lower(), bool(match["bslash"] or match["eslash"]))
        )
    language = match.lastgroup or ""
    return _Token(start, end, language.removeprefix("end"), "", language.startswith("end"))


def _shortcode(body: str, match: re.Match[str], name: str) -> _Token:
    end = _end_of(body, match.end(), ">}}" if match["mark"] == "<" else "%}}")
    # A self-closing shortcode has no content.
    language = _SELF_CLOSING if body[end - 4 : end - 3] == "/" and not match["slash"] else "{{"
    return _Token(match.start(), end, language, name, bool(match["slash"]))


def _end_of(body: str, start: int, closing: str) -> int:
    """Return the position after a tag, or the end of the body if the tag is not closed within `_LONGEST_TAG` characters."""
    end = body.find(closing, start, start + _LONGEST_TAG)
    return end + len(closing) if end >= 0 else len(body)


_PROTECTIVE_WORDS = name_set(
    "protect protected protector protection protecting secret secrets locked paywall paywalled private crypt pwd"
)
_PROTECTIVE_CHINESE = ("加密", "密码", "密碼", "私密")
_PROTECTIVE_PARTS = ("encrypt", "decrypt", "password", "passwd", "passphrase", "hiddenuntil", "hideuntil")
_WORD = expression(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@lru_cache(1024)
def is_protective(name: str) -> bool:
    """Return True if the name of a tag indicates that the site shows its content only with a password."""
    if any(word in name for word in _PROTECTIVE_CHINESE):
        return True
    if len(name) < 3:
        return False
    lower = name.lower()
    if "mail" in lower:
        # Such tags hide an e-mail address from robots.
        return False
    joined = re.sub("[^a-z]", "", lower)
    return any(part in joined for part in _PROTECTIVE_PARTS) or not _PROTECTIVE_WORDS.isdisjoint(
        map(str.lower, _WORD.findall(name))
    )


class _Literal(NamedTuple):
    """The parts of a body in which template tags are text: `code` for comments, `quoted` for protective tags.

    `quoted` has fewer parts, because sites protect text in indented lines as well, and because the second of two backticks
    with a line end between them may belong to the protected text.
    """

    code: list[Code]
    quoted: list[Code]


def _literal(body: str, tokens: list[_Token], kind: BodyKind, *, is_html: bool, dialect: str) -> _Literal:
    code: list[Code] = []
    if kind == "markdown" and not is_html and not markdown_refusal(body):
        code = code_of(body)
    listings = [] if kind == "text" else [listing for listing in _listings(body) if not is_in_code(listing.start, code)]
    quoted = [
        piece
        for piece in code
        if piece.kind == "Fenced" or (piece.kind == "Code" and "\n" not in body[piece.start : piece.end])
    ]
    code = _merged_code([*code, *listings])
    raw = [] if dialect == "hugo" else _pairs_of(tokens, code, name_set("raw"))
    shown = _pairs_of(tokens, code, name_set("highlight codeblock"))
    return _Literal(_merged_code([*code, *raw, *shown]), _merged_code([*quoted, *listings, *raw]))


_LISTING = expression(r"<(pre|code)\b", re.IGNORECASE)


def _listings(body: str) -> Iterator[Code]:
    """Yield the closed <pre> and <code> elements of a body."""
    lowered = body.lower() if len(body.lower()) == len(body) else body
    at = 0
    missing: set[str] = set()
    while (match := _LISTING.search(body, at)) is not None:
        name, at = match[1].lower(), match.end()
        end = -1 if name in missing else lowered.find(f"</{name}", at)
        if end < 0:
            missing.add(name)
            continue
        yield Code(name, match.start(), end)
        at = end


def _pairs_of(tokens: list[_Token], code: list[Code], names: frozenset[str]) -> list[Code]:
    """Return the parts of a body between Liquid tags with these names, which do not nest."""
    pairs: list[Code] = []
    opening: _Token | None = None
    for token in tokens:
        if token.language != "{%" or token.name not in names or is_in_code(token.start, code):
            continue
        if not token.is_closing:
            opening = opening or token
        elif opening is not None and token.name == opening.name:
            pairs.append(Code(token.name, opening.end, token.start))
            opening = None
    return pairs


def _protected(tokens: list[_Token], quoted: list[Code]) -> Iterator[Hidden]:
    """Yield the protected parts, each from its opening tag to the end of its closing tag."""
    open_tokens: dict[tuple[str, str, bool], list[_Token]] = defaultdict(list)
    for token in tokens:
        language, name = token.language, token.name
        if not name or name in _LIQUID or language == _SELF_CLOSING:
            continue
        is_quoted = is_in_code(token.start, quoted)
        if not token.is_closing:
            open_tokens[language, name, is_quoted].append(token)
        elif is_quoted:
            open_tokens[language, name, True] = open_tokens[language, name, True][:-1]
        # An opening tag in a code span counts if a tag outside code closes it.
        elif openings := open_tokens[language, name, False] or open_tokens[language, name, True]:
            yield Hidden(openings.pop().start, token.end, name, protected=True)
    for (language, name, is_quoted), openings in open_tokens.items():
        if openings and not is_quoted and language in ("{{", "{%"):
            yield Hidden(openings[0].start, _TO_THE_END, name, protected=True, is_closed=False)


def _comments(body: str, tokens: list[_Token], code: list[Code], dialect: str) -> Iterator[Hidden]:
    """Yield the closed comments of template languages."""
    open_tokens: dict[str, list[_Token]] = defaultdict(list)
    for token in tokens:
        language = token.language
        if token.name not in ("", "comment", "#") or dialect not in _DIALECTS.get(language, _ALL_DIALECTS):
            continue
        if is_in_code(token.start, code) or (language == "hash" and dialect == "plain" and not _is_spaced(body, token)):
            continue
        if token.name == "#":
            yield Hidden(token.start, token.end, _NAMES[language], protected=False)
        elif not token.is_closing:
            # Only Liquid's comments nest.
            if language == "{%" or not open_tokens[language]:
                open_tokens[language].append(token)
        elif open_tokens[language]:
            yield Hidden(open_tokens[language].pop().start, token.end, _NAMES[language], protected=False)


_ALL_DIALECTS = ("plain", "hexo", "jekyll", "hugo", "pelican")
_DIALECTS = {"hash": ("hexo", "plain"), "jsx": ("plain",), "kramdown": ("jekyll", "plain")}
_NAMES = {
    "{%": "Liquid comment",
    "{{": "comment shortcode",
    "go": "Hugo comment",
    "jsx": "JSX comment",
    "hash": "Nunjucks comment",
    "kramdown": "kramdown comment",
}


def _is_spaced(body: str, token: _Token) -> bool:
    """Return True if whitespace separates a comment's delimiter from its text: `{#id}` is the id of a heading."""
    return (
        body[token.start - 1 : token.start].isspace() if token.is_closing else body[token.end : token.end + 1].isspace()
    )


def _obsidian_comments(body: str, delimiters: list[int]) -> Iterator[Hidden]:
    """Yield the Obsidian comments between these positions of `%%`.

    A comment at the beginning of a line ends at the next `%%`. A comment within a line must end in the same paragraph. A
    `%%` directly after a digit (`100%%`) begins no comment, one before a letter (`%%d`) ends none unless a letter precedes
    the comment, and a `%%` without a partner is text.
    """
    number = 0
    while number + 1 < len(delimiters):
        start, end = delimiters[number], delimiters[number + 1]
        before = body[max(0, start - 100) : start].rpartition("\n")
        is_block = not before[2].strip(" \t>") and (before[1] == "\n" or start <= 100)
        is_whole = not body[end + 2 : end + 3].isalnum() or body[start - 1 : start].isalpha()
        if is_whole and (is_block or not (body[start - 1 : start].isdigit() or _BLANK_LINE.search(body, start, end))):
            yield Hidden(start, end + 2, "Obsidian comment", protected=False)
            number += 1
        number += 1


_BLANK_LINE = expression(r"\n[ \t\r]*+\n")


def _merged_code(code: list[Code]) -> list[Code]:
    """Return pieces of code in order, with overlapping ones merged."""
    merged: list[Code] = []
    for piece in sorted(code, key=_position):
        if merged and piece.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(piece.end, merged[-1].end))
        else:
            merged.append(piece)
    return merged


def _merged_parts(parts: list[Hidden]) -> list[Hidden]:
    """Return hidden parts in order, with overlapping ones merged; a merged part is protected if one of them is."""
    merged: list[Hidden] = []
    for part in sorted(parts, key=_position):
        if not merged or part.start >= merged[-1].end:
            merged.append(part)
            continue
        first = part if part.protected and not merged[-1].protected else merged[-1]
        merged[-1] = first._replace(
            start=merged[-1].start,
            end=max(part.end, merged[-1].end),
            is_closed=part.is_closed and merged[-1].is_closed,
        )
    return merged


_position = attrgetter("start", "end")
