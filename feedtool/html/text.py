"""Make plain text from untrusted strings: legal in XML, without markup, cut for summaries.

Nothing here makes HTML safe.
"""

from __future__ import annotations

import re
from functools import cache

from feedtool.expressions import expression
from feedtool.html.names import name_set

_C0 = bytes(code for code in [*range(32), 127] if code not in (9, 10, 13))
_C0_AND_FOUR = _C0 + bytes(range(0xF0, 0xF5))
# All bytes except those above, the first bytes of C1 controls and of characters from U+F000 on, and the second bytes that
# follow the latter in real texts. Deleting these bytes leaves little of a text, and the bytes that are left side by side
# were so in the text.
_PLAIN = bytes(set(range(256)).difference(_C0_AND_FOUR, b"\xc2\xef\xb7\xbc\xbe\xbf"))
_C1 = expression(b"\xc2[\x80-\x9f]")
_IN_ARABIC = expression(b"\xef\xb7[\x90-\xaf]")
_BIDI = expression("[\u202a-\u202e\u2066-\u2069\ufeff]")
# Possessive and without `<` inside, so that each start is tried once, whatever the quotes.
_TAG = expression(
    r"<(?:[!?][^<>]*|/?([A-Za-z][A-Za-z0-9:-]*)(?:[\s/](?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*|[\s/][^<>]*)?)>"
)
_HIDDEN = expression(r"<(script|style|template|svg|math)\b", re.IGNORECASE)
_BLOCK = name_set(
    "address article aside blockquote br caption center dd details div dl dt figcaption figure footer h1 h2 h3"
    " h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul"
)
_ELEMENTS = _BLOCK | name_set(
    "a abbr audio b bdi bdo big button cite code col colgroup del dfn em embed font form html head body i"
    " iframe img input ins kbd label link mark meta noscript nobr object option path picture q rb rp rt rtc"
    " ruby s samp script select small source span strike strong style sub sup svg math template textarea tfoot"
    " time title tt u var video wbr"
)
_OBSOLETE_ELEMENTS = name_set(
    "acronym applet basefont bgsound blink fieldset frameset marquee nolayer noembed noframes xmp"
)
_AMBIGUOUS = name_set("area canvas data dialog frame legend map menu meter output param portal progress slot track")
"""Elements whose names are also words in texts: they count as tags only with an attribute."""
_ENDING = "。！？…”’」』）).!?\"'"
"""Every character that `_SENTENCE` can match."""
_SENTENCE = expression(r"[。！？…]+[”’」』）)]*|[.!?]+[\"'”’)]*(?=\s|$)")


def legal_text(s: str) -> str:
    """Return `s` without what XML 1.0 forbids, C1 controls, lone surrogates and noncharacters; often `s` itself."""
    if s.isprintable():
        return s
    raw = utf8_of(s)
    return _illegal().sub("", s) if raw is None or may_be_illegal(s, raw) else s


_last: tuple[str, bytes | None] = ("", b"")


def utf8_of(text: str) -> bytes | None:
    """Return a text in UTF-8, or None if it holds a lone surrogate.

    The last result is cached, because a body is encoded again after it was found to be legal.
    """
    global _last
    last_text, raw = _last
    if last_text is not text:
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            raw = None
        _last = (text, raw)
    return raw


@cache
def _illegal() -> re.Pattern[str]:
    # Few texts need this pattern, and compiling it takes as long as cleaning twenty articles.
    beyond = "".join(chr(plane * 0x10000 + last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    return re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff{beyond}]")


def may_be_illegal(text: str, raw: bytes) -> bool:
    """Return True if `legal_text` may have to remove something, judging quickly by a text and its UTF-8.

    Bytes are searched about ten times faster than characters. Bytes that occur in no illegal character are deleted at once;
    the whole text is searched only for the characters that the remaining bytes may belong to.
    """
    odd = raw.translate(None, _PLAIN)
    if not odd:
        return False
    # Most texts have neither controls nor characters beyond the first 65,536.
    if len(odd.translate(None, _C0_AND_FOUR)) != len(odd) and (
        len(odd.translate(None, _C0)) != len(odd) or b"\xbf\xbe" in raw or b"\xbf\xbf" in raw
    ):
        return True
    if b"\xef\xbf" in odd and ("\ufffe" in text or "\uffff" in text):
        return True
    return (b"\xc2" in odd and _C1.search(raw) is not None) or (
        b"\xef\xb7" in odd and _IN_ARABIC.search(raw) is not None
    )


def line_of(text: str) -> str:
    """Return a title, a name or another text that is not HTML as one line.

    The result holds nothing that XML forbids, and nothing that changes the direction of the text after it (UAX 9:
    embeddings, overrides, isolates).
    """
    # No control, surrogate or noncharacter is printable.
    return " ".join((text if text.isprintable() else _BIDI.sub("", legal_text(text))).split())


def escaped(text: str) -> str:
    """Return a plain text escaped for HTML, or for the content of an XML element."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain_text(fragment: str) -> str:
    """Return a title, name or summary as plain text: without tags, entities decoded once, whitespace collapsed.

    Only names of HTML elements count as tags, so that `Vec<T>` stays. Controls and bidirectional overrides are removed.
    """
    text = fragment
    if "<" in text:
        text = _TAG.sub(_tag_space, _without_hidden(without_comments(text)))
        if "<" in text:
            # A tag with another tag in an attribute matches only now. An unclosed comment hides nothing.
            text = _TAG.sub(_tag_space, text).removesuffix("<!--")
    if "&" in text:
        import html

        text = html.unescape(text)
    if not text.isascii():
        text = _BIDI.sub("", text)
    return " ".join(legal_text(" ".join(text.split())).split())


# Chinese and Japanese put no space after a full stop, so remove the one that joins two paragraphs.
_AFTER_WIDE = expression(r"(?<=[\u3001-\u3011\uff01-\uff0f\uff1a-\uff20]) (?=[^\x00-\u2e7f])")


def summarize(text: str, *, length: int = 240) -> str:
    """Return plain text cut to `length` characters: at the end of a sentence if there is one late enough, else at a word.

    A cut at a word ends in "…", and a cut at the end of a sentence does not. Text that fits is not cut.
    """
    # Only the first `length` characters affect the result, but they are counted after spaces are collapsed.
    for enough in (length * 2, length * 8 + 1024):
        collapsed = _AFTER_WIDE.sub("", " ".join(text[:enough].split()))
        if len(collapsed) > length:
            break
    text = collapsed
    if len(text) <= length:
        return text
    least = length * 0.6
    # An end of a sentence before `least` does not count. Start before all characters of one that reaches across it.
    start = int(least)
    while start and text[start - 1] in _ENDING:
        start -= 1
    end = 0
    for match in _SENTENCE.finditer(text, start, length):
        end = match.end()
    if end >= least:
        return text[:end].rstrip()
    cut = text[: length - 1]
    if not _is_wide(cut[-1:]) and text[length - 1] != " " and not _is_wide(text[length - 1]):
        space = cut.rfind(" ")
        last = next((end for end in range(len(cut), 0, -1) if _is_wide(cut[end - 1])), 0)
        cut = cut[: max(space, last)] if max(space, last) >= length * 0.4 else cut
    return cut.rstrip(" ,;:、，；：—-") + "…"


def _is_wide(character: str) -> bool:
    """Return True if a character is Chinese, Japanese or Korean, so that a line may end after it.

    A regular expression would take longer to compile than cutting a hundred summaries.
    """
    if character < "\u2e80":
        return False
    return (
        character <= "\u9fff"
        or "\uac00" <= character <= "\ud7af"
        or "\uf900" <= character <= "\ufaff"
        or "\uff00" <= character <= "\uffef"
        or "\U00020000" <= character <= "\U0003ffff"
    )


def leading_text(markup: str, *, enough: int = 700) -> str:
    """Return the plain text at the beginning of canonical HTML, at least `enough` characters if there are so many.

    The HTML must come from the sanitizer, in which `<` always opens a tag and `>` always ends one.
    """
    pieces: list[str] = []
    size = at = 0
    while at < len(markup) and size < enough:
        end = markup.find("<", at + 2 * enough)
        end = len(markup) if end < 0 else end
        piece = _flattened(markup[at:end])
        pieces.append(piece)
        size += len(piece.strip())
        at = end
    text = "".join(pieces)
    if "&" in text:
        import html

        text = html.unescape(text)
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def without_comments(text: str) -> str:
    """Return HTML without its comments (HTML 13.2.5.43 to 13.2.5.52); an unclosed comment stays."""
    pieces: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        # "<!-->" and "<!--->" are complete comments, "<!--!>" is not.
        match = _COMMENT_END.search(text, start + (4 if text.startswith("!", start + 4) else 2))
        if match is None:
            break
        pieces.append(text[at:start])
        at = match.end()
    return "".join(pieces) + text[at:]


_COMMENT_END = expression("--!?>")


_RUBY_NOTE = expression(r"<r[tp]c?[ >].*?</r[tp]c?>", re.DOTALL)
_CANONICAL_TAG = expression(r"</?([a-z0-9-]+)[^>]*>")


def _flattened(markup: str) -> str:
    if "<rt" in markup:
        markup = _RUBY_NOTE.sub("", markup)
    markup = markup.replace("\n", " ")
    text, *others = _CANONICAL_TAG.split(markup)
    # The list alternates between the name of a tag and the text after it.
    rest = [f"\n{behind}" if name in _BLOCK else behind for name, behind in zip(others[::2], others[1::2], strict=True)]
    return text + "".join(rest)


def _tag_space(match: re.Match[str]) -> str:
    name = match.group(1)
    if name is None:
        return ""
    name = name.lower()
    if name not in _ELEMENTS and name not in _OBSOLETE_ELEMENTS and not (name in _AMBIGUOUS and "=" in match.group()):
        return match.group()
    return " " if name in _BLOCK else ""


def _without_hidden(text: str) -> str:
    """Return HTML without whole scripts, styles, templates and drawings; an unclosed one stays, and later loses only its tag."""
    pieces: list[str] = []
    at = 0
    lowered = text.lower()
    missing: set[str] = set()
    for match in _HIDDEN.finditer(text):
        name = match.group(1).lower()
        if match.start() < at or name in missing:
            continue
        end = lowered.find(f"</{name}", match.end())
        if end < 0:
            missing.add(name)
            continue
        pieces.append(text[at : match.start()])
        close = text.find(">", end)
        at = len(text) if close < 0 else close + 1
    return "".join(pieces) + text[at:]
