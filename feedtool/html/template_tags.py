"""Find what a body holds but its site does not show: comments of template languages, and text behind a password.

A Markdown parser says where code is, in which such tags are text. What is protected is hidden in doubt: from a tag that
nothing closes to the end of the body. A comment that nothing closes hides nothing.
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
from feedtool.html.limits import MAX_TAGS, MOST_MARKUP, markdown_refusal
from feedtool.html.markdown import Code, code_of, is_in_code
from feedtool.html.names import name_set
from feedtool.models import BodyKind


class Hidden(NamedTuple):
    """A part of a body, from `start` up to `end`, that is not published. `name` is that of the tag that hides it.

    `protected` tells text behind a password from a comment; `is_closed` is False where only the body's end ends it.
    """

    start: int
    end: int
    name: str
    protected: bool
    is_closed: bool = True


class _Token(NamedTuple):
    """A tag of a template language. `family` says which; a tag closes one of its own family and name."""

    start: int
    end: int
    language: str
    name: str
    closes: bool


def hidden_parts(body: str, kind: BodyKind, flavour: str) -> list[Hidden]:
    """Return the parts of a body that are not published, in order and apart from each other.

    `flavour` is that of `[articles]`: it decides which forms are comments. Takes time linear in the body, of which no more
    is looked at than may be published.
    """
    if not _may_hide(body):
        return []
    # Nothing behind that is published.
    body = body[:MOST_MARKUP]
    tokens = list(_tokens(body))
    marks = (
        [found.start() for found in islice(_MARK.finditer(body), MAX_TAGS)]
        if "%%" in body and kind == "markdown"
        else []
    )
    if not tokens and not marks:
        return []
    is_html = kind == "html" or (kind == "markdown" and is_html_throughout(body.replace("\r\n", "\n")))
    literal = _literal(body, tokens, kind, is_html=is_html, flavour=flavour)
    parts = _apart([*_protected(tokens, literal.quoted), *_comments(body, tokens, literal.code, flavour)])
    if marks and not is_html:
        literal_or_hidden = _union([*literal.code, *(Code(part.name, part.start, part.end) for part in parts)])
        marks = [mark for mark in marks if not is_in_code(mark, literal_or_hidden)]
        parts = _apart([*parts, *_remarks(body, marks)])
    return parts


def without_parts(body: str, parts: list[Hidden]) -> str:
    """Return a body without the parts that `hidden_parts` found in it."""
    kept: list[str] = []
    at = 0
    for part in parts:
        kept.append(body[at : part.start])
        at = part.end
    return "".join(kept) + body[at:]


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
_MARK = expression(r"(?<![%\\{])%%(?![%}])")
_LONGEST_TAG = 2_000
_SELF_CLOSING = "{{/"
_TO_THE_END = sys.maxsize


def _tokens(body: str) -> Iterator[_Token]:
    """Yield the tags that may hide something or that make their content literal, each to its end.

    No more are taken than a body may have tags, for nobody wrote so many; one more that protects hides all that follows.
    """
    number = 0
    for found in _TOKEN.finditer(body):
        token = _token(body, found) if number < MAX_TAGS or any(map(found.group, _NAMED)) else None
        if token is None:
            continue
        number += 1
        if number <= MAX_TAGS:
            yield token
        elif token.name and token.name not in _LIQUID:
            yield token._replace(language="{{", end=len(body), closes=False)
            return


_LIQUID = name_set("comment raw highlight codeblock #")


def _token(body: str, found: re.Match[str]) -> _Token | None:
    """Return a tag that may hide something, None for any other."""
    start, end = found.span()
    if name := found["shortcode"]:
        name = name.lower() if name.lower() == "comment" else name
        return _shortcode(body, found, name) if name == "comment" or is_protective(name) else None
    if name := found["tag"]:
        closes = name.startswith("end")
        bare = name[3:].lstrip("_-") if closes else name
        if bare not in _LIQUID and not is_protective(bare):
            return None
        return _Token(start, _end_of(body, end, "%}"), "{%", bare, closes)
    if name := found["bracket"] or found["element"]:
        if not is_protective(name):
            return None
        family, sign = ("[", "]") if found["bracket"] else ("<", ">")
        end = _end_of(body, end, sign)
        is_empty = family == "<" and body[end - 2 : end] == "/>"
        return None if is_empty else _Token(start, end, family, name.lower(), bool(found["bslash"] or found["eslash"]))
    family = found.lastgroup or ""
    return _Token(start, end, family.removeprefix("end"), "", family.startswith("end"))


def _shortcode(body: str, found: re.Match[str], name: str) -> _Token:
    end = _end_of(body, found.end(), ">}}" if found["mark"] == "<" else "%}}")
    # A shortcode that closes itself holds nothing: it is an opening and a closing tag in one.
    family = _SELF_CLOSING if body[end - 4 : end - 3] == "/" and not found["slash"] else "{{"
    return _Token(found.start(), end, family, name, bool(found["slash"]))


def _end_of(body: str, start: int, sign: str) -> int:
    """Return where a tag ends, the end of the body where that is out of sight."""
    end = body.find(sign, start, start + _LONGEST_TAG)
    return end + len(sign) if end >= 0 else len(body)


_ALONE = name_set(
    "protect protected protector protection protecting secret secrets locked paywall paywalled private crypt pwd"
)
_CHINESE = ("加密", "密码", "密碼", "私密")
_WITHIN = ("encrypt", "decrypt", "password", "passwd", "passphrase", "hiddenuntil", "hideuntil")
_WORD = expression(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@lru_cache(1024)
def is_protective(name: str) -> bool:
    """Return True if a tag's name says that the site gives its content out only against a password."""
    if any(word in name for word in _CHINESE):
        return True
    if len(name) < 3:
        return False
    lower = name.lower()
    if "mail" in lower:
        # To hide an address from robots is another thing.
        return False
    joined = re.sub("[^a-z]", "", lower)
    return any(part in joined for part in _WITHIN) or not _ALONE.isdisjoint(map(str.lower, _WORD.findall(name)))


class _Literal(NamedTuple):
    """Where tags are text: `code` is that for comments, `quoted` for what protects text.

    The latter is less: a site protects what stands in indented lines, too, and of two backticks with a line end between
    them the second one may be part of the protected text.
    """

    code: list[Code]
    quoted: list[Code]


def _literal(body: str, tokens: list[_Token], kind: BodyKind, *, is_html: bool, flavour: str) -> _Literal:
    code: list[Code] = []
    if kind == "markdown" and not is_html and not markdown_refusal(body):
        code = code_of(body)
    listings = [] if kind == "text" else [found for found in _listings(body) if not is_in_code(found.start, code)]
    quoted = [
        one for one in code if one.kind == "Fenced" or (one.kind == "Code" and "\n" not in body[one.start : one.end])
    ]
    code = _union([*code, *listings])
    raw = [] if flavour == "hugo" else _pairs_of(tokens, code, name_set("raw"))
    shown = _pairs_of(tokens, code, name_set("highlight codeblock"))
    return _Literal(_union([*code, *raw, *shown]), _union([*quoted, *listings, *raw]))


_LISTING = expression(r"<(pre|code)\b", re.IGNORECASE)


def _listings(body: str) -> Iterator[Code]:
    """Yield the <pre> and <code> elements of a body that are closed."""
    lowered = body.lower() if len(body.lower()) == len(body) else body
    at = 0
    missing: set[str] = set()
    while (found := _LISTING.search(body, at)) is not None:
        name, at = found[1].lower(), found.end()
        end = -1 if name in missing else lowered.find(f"</{name}", at)
        if end < 0:
            missing.add(name)
            continue
        yield Code(name, found.start(), end)
        at = end


def _pairs_of(tokens: list[_Token], code: list[Code], names: frozenset[str]) -> list[Code]:
    """Return what stands between the Liquid tags of these names, which do not nest."""
    found: list[Code] = []
    opening: _Token | None = None
    for token in tokens:
        if token.language != "{%" or token.name not in names or is_in_code(token.start, code):
            continue
        if not token.closes:
            opening = opening or token
        elif opening is not None and token.name == opening.name:
            found.append(Code(token.name, opening.end, token.start))
            opening = None
    return found


def _protected(tokens: list[_Token], quoted: list[Code]) -> Iterator[Hidden]:
    """Yield the protected parts, each from its first tag to its last."""
    held: dict[tuple[str, str, bool], list[_Token]] = defaultdict(list)
    for token in tokens:
        family, name = token.language, token.name
        if not name or name in _LIQUID or family == _SELF_CLOSING:
            continue
        is_quoted = is_in_code(token.start, quoted)
        if not token.closes:
            held[family, name, is_quoted].append(token)
        elif is_quoted:
            held[family, name, True] = held[family, name, True][:-1]
        # A tag in a code span that is closed outside of code was none that is only shown.
        elif openings := held[family, name, False] or held[family, name, True]:
            yield Hidden(openings.pop().start, token.end, name, protected=True)
    for (family, name, is_quoted), openings in held.items():
        if openings and not is_quoted and family in ("{{", "{%"):
            yield Hidden(openings[0].start, _TO_THE_END, name, protected=True, is_closed=False)


def _comments(body: str, tokens: list[_Token], code: list[Code], flavour: str) -> Iterator[Hidden]:
    """Yield the comments of template languages that have an end."""
    held: dict[str, list[_Token]] = defaultdict(list)
    for token in tokens:
        family = token.language
        if token.name not in ("", "comment", "#") or flavour not in _FLAVOURS.get(family, _ALL):
            continue
        if is_in_code(token.start, code) or (family == "hash" and flavour == "plain" and not _is_spaced(body, token)):
            continue
        if token.name == "#":
            yield Hidden(token.start, token.end, _NAMES[family], protected=False)
        elif not token.closes:
            # Only Liquid's comments hold others.
            if family == "{%" or not held[family]:
                held[family].append(token)
        elif held[family]:
            yield Hidden(held[family].pop().start, token.end, _NAMES[family], protected=False)


_ALL = ("plain", "hexo", "jekyll", "hugo", "pelican")
_FLAVOURS = {"hash": ("hexo", "plain"), "jsx": ("plain",), "kramdown": ("jekyll", "plain")}
_NAMES = {
    "{%": "Liquid comment",
    "{{": "comment shortcode",
    "go": "Hugo comment",
    "jsx": "JSX comment",
    "hash": "Nunjucks comment",
    "kramdown": "kramdown comment",
}


def _is_spaced(body: str, token: _Token) -> bool:
    """Return True if a space parts a sign of a comment from its text: `{#id}` is the id of a heading."""
    return body[token.start - 1 : token.start].isspace() if token.closes else body[token.end : token.end + 1].isspace()


def _remarks(body: str, marks: list[int]) -> Iterator[Hidden]:
    """Yield the comments of Obsidian that these `%%` begin and end.

    One at the beginning of a line goes on to the next `%%`. Within a line it ends in the same paragraph. What stands
    directly behind a figure (`100%%`), or ends before a letter (`%%d`), is text, as is one without another.
    """
    number = 0
    while number + 1 < len(marks):
        start, end = marks[number], marks[number + 1]
        before = body[max(0, start - 100) : start].rpartition("\n")
        is_block = not before[2].strip(" \t>") and (before[1] == "\n" or start <= 100)
        is_whole = not body[end + 2 : end + 3].isalnum() or body[start - 1 : start].isalpha()
        if is_whole and (is_block or not (body[start - 1 : start].isdigit() or _BLANK_LINE.search(body, start, end))):
            yield Hidden(start, end + 2, "Obsidian comment", protected=False)
            number += 1
        number += 1


_BLANK_LINE = expression(r"\n[ \t\r]*+\n")


def _union(code: list[Code]) -> list[Code]:
    """Return pieces of code in order, those that overlap as one."""
    made: list[Code] = []
    for one in sorted(code, key=_place):
        if made and one.start < made[-1].end:
            made[-1] = made[-1]._replace(end=max(one.end, made[-1].end))
        else:
            made.append(one)
    return made


def _apart(parts: list[Hidden]) -> list[Hidden]:
    """Return hidden parts in order, those that overlap as one, which is protected if one of them is."""
    made: list[Hidden] = []
    for part in sorted(parts, key=_place):
        if not made or part.start >= made[-1].end:
            made.append(part)
            continue
        first = part if part.protected and not made[-1].protected else made[-1]
        made[-1] = first._replace(
            start=made[-1].start,
            end=max(part.end, made[-1].end),
            is_closed=part.is_closed and made[-1].is_closed,
        )
    return made


_place = attrgetter("start", "end")
