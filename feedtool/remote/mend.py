"""A feed's text in, XML out that a parser may be given: bounded, without document type, its references mended."""

from __future__ import annotations

import re
from html.entities import html5
from typing import NamedTuple

from feedtool.html import legal_text
from feedtool.remote.nouns import NotAFeedError

MAX_ATTRIBUTES = 2_000
MAX_NAMESPACES = 500
MAX_EXPANSION = 1_000_000
_JUNK = 65_536
_PRINTED = frozenset({"br", "b", "div", "p", "font", "pre"})

_START = re.compile(r"<(?:\?xml\b|(?:[A-Za-z_][\w.-]*:)?(?:rss|feed|rdf|channel)[\s>/])", re.IGNORECASE)
# A declaration that ends in ">" alone must not reach to some "?>" in the text.
_PROLOG = re.compile(r"\s+|<\?xml\s[^<>?]*+>|<\?(?:[^?]++|\?(?!>))*\?>|<!--(?:[^-]++|-(?!->))*-->")
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
_ENTITY = re.compile(r"<!ENTITY\s+([A-Za-z_][\w.-]{0,63})\s+(?:\"([^\"<&%]{0,200})\"|'([^'<&%]{0,200})')\s*>")
_NUMERIC_ENTITY = re.compile(r"<!ENTITY\s+([A-Za-z_][\w.-]{0,63})\s+[\"'](&#x?[0-9A-Fa-f]{1,7};)[\"']\s*>")
_LONG = re.compile(r"<[A-Za-z_][^<]{8192,}")
_ATTRIBUTE = re.compile(r"[\s\"'][^\s\"'<>=/]+\s*+=\s*+[\"']?")
_PREFIX = re.compile(r"\bxmlns:([^\s=\"'<>]{1,200})", re.IGNORECASE)
_REFERENCE = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos);)(?:#([0-9]++);|#[xX]([0-9A-Fa-f]++);|([A-Za-z_][A-Za-z0-9_.-]{0,63}+);)?"
)
_C1 = re.compile("[\x80-\x9f]")
_EMPTY_LINK = re.compile(r"<link>\s*+</link>|<link\s*+/>")
_WESTERN = {
    code: bytes([code]).decode("cp1252") for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


class Mended(NamedTuple):
    """`root` is the first element's name as written, "" when there is none; `doctype` in lower case."""

    xml: str
    root: str
    doctype: str = ""


def mend(text: str) -> Mended:
    """Return the document from its first tag on, with no declaration, DOCTYPE or entity of its own.

    Linear in the text. Raises NotAFeedError for what is made to keep a parser busy.
    """
    if _C1.search(text):
        # Windows-1252 that somebody took for ISO-8859-1 on its way.
        text = text.translate(_WESTERN)
    text = _from_start(legal_text(text.replace("\r\n", "\n")))
    rest, doctype, entities = _without_doctype(text)
    _refuse_bombs(rest)
    rest = _EMPTY_LINK.sub("", _with_references(rest, entities))
    root = _ROOT.match(rest)
    if root is not None:
        rest = rest[: root.end()] + _missing_namespaces(rest) + rest[root.end() :]
    return Mended(rest, root.group(1) if root else "", doctype)


def outside_cdata(text: str) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether it is markup: CDATA sections and comments are not."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for found in _SECTION.finditer(text):
        pieces.append((text[at : found.start()], True))
        pieces.append((found.group(), False))
        at = found.end()
    pieces.append((text[at:], True))
    return pieces


_SECTION = re.compile(r"<!\[CDATA\[(?:[^\]]++|\](?!\]>))*(?:\]\]>)?|<!--(?:[^-]++|-(?!->))*(?:-->)?")


def _from_start(text: str) -> str:
    """Drop what stands before the document: blank lines, marks, warnings that a server printed."""
    text = text.lstrip("\ufeff \t\r\n")
    name = _ROOT.match(text)
    if text.startswith(("<?", "<!")) or (name is not None and name.group(1).lower() not in _PRINTED):
        return text
    found = _START.search(text, 0, _JUNK)
    return text[found.start() :] if found else text


def _without_doctype(text: str) -> tuple[str, str, dict[str, str]]:
    """Return the document from its root on, its DOCTYPE, and the harmless entities that this declares."""
    doctype, entities = "", dict[str, str]()
    at = 0
    while at < len(text):
        if found := _PROLOG.match(text, at):
            at = found.end()
        elif text.startswith("<!", at) and not text.startswith("<![CDATA[", at):
            end = _declaration_end(text, at)
            doctype, entities = doctype + text[at : at + 300].lower(), entities | _entities(text[at:end])
            at = end
        else:
            break
    return text[at:], doctype, entities


def _declaration_end(text: str, at: int) -> int:
    """Return where a `<!…>` ends, its internal subset and what is quoted in it included."""
    depth = 0
    for found in _DECLARATION.finditer(text, at):
        mark = found.group()
        if mark in "[]":
            depth += 1 if mark == "[" else -1
        elif mark == ">" and depth <= 0:
            return found.end()
    return len(text)


_DECLARATION = re.compile(r"<!--(?:[^-]++|-(?!->))*(?:-->)?|\"[^\"]*+\"|'[^']*+'|[\[\]>]")


def _entities(declaration: str) -> dict[str, str]:
    if "ENTITY" not in declaration:
        return {}
    made = {name: first or second for name, first, second in _ENTITY.findall(declaration)}
    made |= dict(_NUMERIC_ENTITY.findall(declaration))
    return dict(list(made.items())[:256])


def _refuse_bombs(text: str) -> None:
    for found in _LONG.finditer(text):
        # No `<` can stand inside a tag of well-formed XML, so a tag is no longer than this.
        if sum(1 for _ in _ATTRIBUTE.finditer(text, found.start(), found.end())) > MAX_ATTRIBUTES:
            raise NotAFeedError(
                f"it has a tag with more than {MAX_ATTRIBUTES} attributes, which no feed needs",
                hint="tell its publisher, or take the source out",
            )
    if text.count("xmlns:") > MAX_NAMESPACES:
        names = {found.group(1) for found in _PREFIX.finditer(text)}
        if len(names) > MAX_NAMESPACES:
            raise NotAFeedError(
                f"it declares more than {MAX_NAMESPACES} namespaces, which no feed needs",
                hint="tell its publisher, or take the source out",
            )


def _missing_namespaces(text: str) -> str:
    """Return declarations of the well-known prefixes that a document uses without declaring them."""
    return "".join(
        f' xmlns:{prefix}="{uri}"'
        for prefix, uri in _KNOWN_PREFIXES.items()
        if f"<{prefix}:" in text and f"xmlns:{prefix}" not in text
    )


_KNOWN_PREFIXES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "wfw": "http://wellformedweb.org/CommentAPI/",
}


def _with_references(text: str, entities: dict[str, str]) -> str:
    """Write every reference so that XML knows it; those to impossible characters go."""
    if not _REFERENCE.search(text):
        return text
    budget = MAX_EXPANSION

    def mended(found: re.Match[str]) -> str:
        nonlocal budget
        decimal, hexadecimal, name = found.groups()
        if decimal or hexadecimal:
            return _character(decimal, hexadecimal)
        if name is None:
            return "&amp;"
        if name in entities:
            budget -= len(entities[name])
            return _character_text(entities[name]) if budget > 0 else ""
        value = html5.get(name + ";")
        return "".join(f"&#{ord(one)};" for one in value) if value else f"&amp;{name};"

    return "".join(
        _REFERENCE.sub(mended, piece) if is_markup and "&" in piece else piece
        for piece, is_markup in outside_cdata(text)
    )


def _character_text(value: str) -> str:
    found = _REFERENCE.fullmatch(value) if value.startswith("&#") else None
    return _character(found.group(1), found.group(2)) if found else value.replace(">", "&gt;")


def _character(decimal: str | None, hexadecimal: str | None) -> str:
    digits = (decimal or hexadecimal or "").lstrip("0") or "0"
    if len(digits) > 7:
        return ""
    code = int(digits, 10 if decimal else 16)
    code = ord(_WESTERN.get(code, chr(code))) if code <= 0x10FFFF else 0
    if code in (9, 10, 13):
        return f"&#{code};"
    if not legal_text(chr(code)):
        return ""
    return " " if code == 32 else f"&#{code};"
