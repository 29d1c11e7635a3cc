"""Prepare a feed's text for an XML parser: remove its document type, repair its references, and enforce bounds."""

from __future__ import annotations

import re
from html.entities import html5
from typing import NamedTuple

from feedtool.feedparse.models import NotAFeedError
from feedtool.feedparse.sections import Fault, end_sections, line_at, pieces_of
from feedtool.html import legal_text

MAX_ATTRIBUTES = 2_000
MAX_NAMESPACES = 500
MAX_EXPANSION = 1_000_000
_JUNK = 65_536
_PRINTED = frozenset({"br", "b", "div", "p", "font", "pre"})

_START = re.compile(r"<(?:\?xml\b|(?:[A-Za-z_][\w.-]*:)?(?:rss|feed|rdf|channel)[\s>/])", re.IGNORECASE)
# A declaration that ends in ">" alone must not extend to a "?>" in the text.
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


class RepairedXml(NamedTuple):
    """The repaired XML. `root` is the first element's name as written, "" if there is none; `doctype` is in lower case.

    `faults` lists the repaired faults; `first_line` is the line of the body at which `xml` begins.
    """

    xml: str
    root: str
    doctype: str = ""
    faults: tuple[Fault, ...] = ()
    first_line: int = 1


def repair_xml(text: str) -> RepairedXml:
    """Return the document from its first tag on, without XML declaration, DOCTYPE and entities of its own.

    Time is linear in the text. Raise NotAFeedError for documents that would take a parser too long.
    """
    if _C1.search(text):
        # The text is Windows-1252 that was decoded as ISO-8859-1 before.
        text = text.translate(_WESTERN)
    whole, faults = _without_illegal(text.replace("\r\n", "\n"))
    whole, more = end_sections(whole)
    text = _from_start(whole)
    rest, doctype, entities = _without_doctype(text)
    faults += [*more, *_faults_of_start(whole, text, text[: len(text) - len(rest)])]
    if not _ROOT.match(rest) and (match := _START.search(rest, 0, _JUNK)):
        faults.append(Fault(line_at(whole, len(whole) - len(rest)), "text before the first element"))
        rest, doctype, entities = _without_doctype(rest[match.start() :])
    first_line = line_at(whole, len(whole) - len(rest))
    _refuse_bombs(rest)
    references = _References(entities, is_declared="public" in doctype or "system" in doctype)
    written = references.rewrite(rest)
    if references.fault is not None:
        at, what = references.fault
        faults.append(Fault(first_line - 1 + line_at(rest, at), what))
    rest = written
    rest = _EMPTY_LINK.sub(_line_breaks, rest)
    if (repaired := _with_clean_root(rest)) != rest:
        faults.append(Fault(first_line, 'a stray "<" or "&" in the tag of the first element'))
        rest = repaired
    root = _ROOT.match(rest)
    if root is not None:
        missing, names = _missing_namespaces(rest)
        faults += [
            Fault(first_line - 1 + line_at(rest, at), f"the prefix {name} is not declared") for name, at in names
        ]
        rest = rest[: root.end()] + missing + rest[root.end() :]
    return RepairedXml(rest, root.group(1) if root else "", doctype, tuple(faults), first_line)


def _with_clean_root(text: str) -> str:
    """Return the document without a stray `<` or `&` in the name of its first element and in the namespaces of its tag."""
    if not _FEED_ROOT.match(text):
        sign = _SIGN.search(text, 1, 60)
        without = text[: sign.start()] + text[sign.end() :] if sign else text
        if not _FEED_ROOT.match(without):
            return text
        text = without
    end = text.find(">", 0, _JUNK)
    if "&amp;" not in text[: max(0, end)]:
        return text
    return _NAMESPACE.sub(lambda match: match.group().replace("&amp;", ""), text[:end]) + text[end:]


_FEED_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(?:rss|feed|rdf|channel)[\s/>]", re.IGNORECASE)
_SIGN = re.compile(r"<|&amp;")
_NAMESPACE = re.compile(r"\sxmlns(?::[\w.-]+)?\s*+=\s*+(?:\"[^\"<>]*+\"|'[^'<>]*+')")


def _without_illegal(text: str) -> tuple[str, list[Fault]]:
    """Return the text without characters that are illegal in XML or useless, and the fault if there were illegal ones."""
    legal = legal_text(text)
    match = _ILLEGAL.search(text) if len(legal) != len(text) else None
    return legal, [Fault(line_at(text, match.start()), "a character that XML forbids")] if match else []


_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _line_breaks(match: re.Match[str]) -> str:
    return "\n" * match.group().count("\n")


def _faults_of_start(whole: str, text: str, prolog: str) -> list[Fault]:
    """Return the faults before the first element of a document: of its declaration, of comments, and text before it.

    `text` is the document in `whole`, and `prolog` is its part before the first element.
    """
    before = whole[: len(whole) - len(text)].lstrip("\ufeff")
    faults = []
    if before.strip("\ufeff \t\r\n"):
        faults.append(Fault(1, "text before the document"))
    elif before and text.startswith("<?xml"):
        faults.append(Fault(line_at(whole, len(before)), "the XML declaration is not at the beginning"))
    for comment in _COMMENT.finditer(prolog):
        if "--" in comment.group(1) or comment.group(1).endswith("-"):
            faults.append(Fault(line_at(whole, whole.find(comment.group())), 'a comment with "--" in it'))
            break
    if _HALF_DECLARATION.match(text):
        faults.append(Fault(line_at(whole, len(whole) - len(text)), "the XML declaration has no end"))
    return faults


_COMMENT = re.compile(r"<!--((?:[^-]++|-(?!->))*)-->")
_HALF_DECLARATION = re.compile(r"<\?xml\s[^<>?]*+>")


def _from_start(text: str) -> str:
    """Return the document without the text before it: blank lines, byte order marks, warnings printed by a server."""
    text = text.lstrip("\ufeff \t\r\n")
    name = _ROOT.match(text)
    if text.startswith(("<?", "<!")) or (name is not None and name.group(1).lower() not in _PRINTED):
        return text
    match = _START.search(text, 0, _JUNK)
    return text[match.start() :] if match else text


def _without_doctype(text: str) -> tuple[str, str, dict[str, str]]:
    """Return the document from its root on, its DOCTYPE, and the harmless entities that the DOCTYPE declares."""
    doctype, entities = "", dict[str, str]()
    at = 0
    while at < len(text):
        if match := _PROLOG.match(text, at):
            at = match.end()
        elif text.startswith("<!", at) and not text.startswith("<![CDATA[", at):
            end = _declaration_end(text, at)
            doctype, entities = doctype + text[at : at + 300].lower(), entities | _entities(text[at:end])
            at = end
        else:
            break
    return text[at:], doctype, entities


def _declaration_end(text: str, at: int) -> int:
    """Return the end of a `<!…>`, including its internal subset and quoted strings."""
    depth = 0
    for match in _DECLARATION.finditer(text, at):
        sign = match.group()
        if sign in "[]":
            depth += 1 if sign == "[" else -1
        elif sign == ">" and depth <= 0:
            return match.end()
    return len(text)


_DECLARATION = re.compile(r"<!--(?:[^-]++|-(?!->))*(?:-->)?|\"[^\"]*+\"|'[^']*+'|[\[\]>]")


def _entities(declaration: str) -> dict[str, str]:
    if "ENTITY" not in declaration:
        return {}
    entities = {name: first or second for name, first, second in _ENTITY.findall(declaration)}
    entities |= dict(_NUMERIC_ENTITY.findall(declaration))
    return dict(list(entities.items())[:256])


def _refuse_bombs(text: str) -> None:
    for match in _LONG.finditer(text):
        # A tag of well-formed XML contains no `<`, so no tag is longer than this match.
        if sum(1 for _ in _ATTRIBUTE.finditer(text, match.start(), match.end())) > MAX_ATTRIBUTES:
            raise NotAFeedError(
                f"it has a tag with more than {MAX_ATTRIBUTES} attributes, which no feed needs",
                hint="tell its publisher, or remove the source",
            )
    if text.count("xmlns:") > MAX_NAMESPACES:
        names = {match.group(1) for match in _PREFIX.finditer(text)}
        if len(names) > MAX_NAMESPACES:
            raise NotAFeedError(
                f"it declares more than {MAX_NAMESPACES} namespaces, which no feed needs",
                hint="tell its publisher, or remove the source",
            )


def _missing_namespaces(text: str) -> tuple[str, list[tuple[str, int]]]:
    """Return declarations for well-known prefixes that the document uses but does not declare, and their first positions."""
    names = [
        (prefix, text.find(f"<{prefix}:"))
        for prefix in KNOWN_PREFIXES
        if f"<{prefix}:" in text and f"xmlns:{prefix}" not in text
    ]
    return "".join(f' xmlns:{prefix}="{KNOWN_PREFIXES[prefix]}"' for prefix, _ in names), names


KNOWN_PREFIXES = {
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


class _References:
    """Rewrite references so that every XML parser accepts them; remove references to illegal characters.

    `entities` are the document's own. `is_declared` means that its DOCTYPE refers to a definition that may declare others.
    `fault` is the position and the description of the first fault.
    """

    def __init__(self, entities: dict[str, str], *, is_declared: bool) -> None:
        self._entities = entities
        self._is_declared = is_declared
        self._budget = MAX_EXPANSION
        self._start = 0
        self.fault: tuple[int, str] | None = None

    def rewrite(self, text: str) -> str:
        """Return the text with its references rewritten."""
        if not _REFERENCE.search(text):
            return text
        parts: list[str] = []
        self._start = 0
        for piece, is_markup in pieces_of(text):
            parts.append(_REFERENCE.sub(self._rewrite_one, piece) if is_markup and "&" in piece else piece)
            self._start += len(piece)
        return "".join(parts)

    def _rewrite_one(self, match: re.Match[str]) -> str:
        decimal, hexadecimal, name = match.groups()
        if decimal or hexadecimal:
            written = _character(decimal, hexadecimal)
            return written or self._with_fault(match, "a reference to a character that XML forbids", "")
        if name is None:
            return self._with_fault(match, 'a "&" that does not start a reference', "&amp;")
        if name in self._entities:
            self._budget -= len(self._entities[name])
            return _character_text(self._entities[name]) if self._budget > 0 else ""
        value = html5.get(name + ";")
        written = "".join(f"&#{ord(one)};" for one in value) if value else f"&amp;{name};"
        return written if self._is_declared and value else self._with_fault(match, f"&{name}; is not declared", written)

    def _with_fault(self, match: re.Match[str], what: str, written: str) -> str:
        if self.fault is None:
            self.fault = self._start + match.start(), what
        return written


def _character_text(value: str) -> str:
    match = _REFERENCE.fullmatch(value) if value.startswith("&#") else None
    return _character(match.group(1), match.group(2)) if match else value.replace(">", "&gt;")


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
