"""Text out of untrusted strings: legal in XML, free of markup, cut for summaries; says nothing of what is safe HTML."""

from __future__ import annotations

import re
from functools import cache

from feedtool.expressions import expression
from feedtool.html.names import name_set

_C0 = bytes(code for code in [*range(32), 127] if code not in (9, 10, 13))
_C0_AND_FOUR = _C0 + bytes(range(0xF0, 0xF5))
# All bytes but those, the first ones of C1 controls and of what lies from U+F000 on, and the second ones behind the latter
# that are met in texts: so what is left of a text is little, and what stands side by side in it stood so before.
_PLAIN = bytes(set(range(256)).difference(_C0_AND_FOUR, b"\xc2\xef\xb7\xbc\xbe\xbf"))
_C1 = expression(b"\xc2[\x80-\x9f]")
_IN_ARABIC = expression(b"\xef\xb7[\x90-\xaf]")
_BIDI = expression("[\u202a-\u202e\u2066-\u2069\ufeff]")
# Possessive and without `<` inside: each start is tried once, whatever the quotes.
_TAG = expression(
    r"<(?:[!?][^<>]*|/?([A-Za-z][A-Za-z0-9:-]*)(?:[\s/](?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*|[\s/][^<>]*)?)>"
)
_HIDDEN = expression(r"<(script|style|template|svg|math)\b", re.IGNORECASE)
_BLOCK = name_set(
    "address article aside blockquote br caption center dd details div dl dt figcaption figure footer h1 h2 h3"
    " h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul"
)
_KNOWN = _BLOCK | name_set(
    "a abbr audio b bdi bdo big button cite code col colgroup del dfn em embed font form html head body i"
    " iframe img input ins kbd label link mark meta noscript nobr object option path picture q rb rp rt rtc"
    " ruby s samp script select small source span strike strong style sub sup svg math template textarea tfoot"
    " time title tt u var video wbr"
)
_OBSOLETE = name_set("acronym applet basefont bgsound blink fieldset frameset marquee nolayer noembed noframes xmp")
_WORDS = name_set("area canvas data dialog frame legend map menu meter output param portal progress slot track")
"""Elements whose names are met in texts as well: they are tags only with an attribute."""
_ENDING = "。！？…”’」』）).!?\"'"
"""Every sign that `_SENTENCE` takes."""
_SENTENCE = expression(r"[。！？…]+[”’」』）)]*|[.!?]+[\"'”’)]*(?=\s|$)")


def legal_text(s: str) -> str:
    """Return `s` without what XML 1.0 forbids, C1 controls, lone surrogates and noncharacters; often `s` itself."""
    if s.isprintable():
        return s
    raw = utf8_of(s)
    return _illegal().sub("", s) if raw is None or may_be_illegal(s, raw) else s


_last: tuple[str, bytes | None] = ("", b"")


def utf8_of(text: str) -> bytes | None:
    """Return a text in UTF-8, None where it holds half a sign.

    The last answer is remembered: a body that is found to be legal is looked at once more.
    """
    global _last
    known, raw = _last
    if known is not text:
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            raw = None
        _last = (text, raw)
    return raw


@cache
def _illegal() -> re.Pattern[str]:
    # Few texts ever need it, and compiling it takes as long as cleaning twenty articles.
    beyond = "".join(chr(plane * 0x10000 + last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    return re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff{beyond}]")


def may_be_illegal(text: str, raw: bytes) -> bool:
    """Say, by a quick look at a text and its UTF-8, whether `legal_text` may have something to take out.

    Bytes are searched some ten times faster than characters, and all are thrown away at once that are in no illegal one;
    only what bytes that are left may belong to is looked for in the whole.
    """
    odd = raw.translate(None, _PLAIN)
    if not odd:
        return False
    # What is common to find none of: controls, and what lies above the first 65,536 characters.
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
    """Return a text that is no HTML, a title or a name, as one line. Nothing in it is forbidden by XML, and nothing turns
    the direction of what stands behind it (UAX 9: embeddings, overrides, isolates)."""
    # No control, surrogate or noncharacter is printable.
    return " ".join((text if text.isprintable() else _BIDI.sub("", legal_text(text))).split())


def escaped(text: str) -> str:
    """Return a plain text as HTML, or as what stands inside an element of XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain_text(fragment: str) -> str:
    """Return a title, name or summary as plain text: tags out, entities decoded once, whitespace collapsed.

    Only names HTML knows are tags, so that `Vec<T>` stays. Controls and bidirectional overrides are dropped.
    """
    text = fragment
    if "<" in text:
        text = _TAG.sub(_tag_space, _without_hidden(without_comments(text)))
        if "<" in text:
            # A tag with another one in an attribute shows only now; a comment that nothing ends hides nothing.
            text = _TAG.sub(_tag_space, text).removesuffix("<!--")
    if "&" in text:
        import html

        text = html.unescape(text)
    if not text.isascii():
        text = _BIDI.sub("", text)
    return " ".join(legal_text(" ".join(text.split())).split())


# Where one paragraph ends and the next begins, Chinese and Japanese put no space behind the full stop.
_AFTER_WIDE = expression(r"(?<=[\u3001-\u3011\uff01-\uff0f\uff1a-\uff20]) (?=[^\x00-\u2e7f])")


def summarize(text: str, *, length: int = 240) -> str:
    """Return plain text cut to `length` characters: at a sentence's end if one falls late enough, else at a word.

    A cut at a word ends in "…"; a cut at a sentence's end does not, and text that fits is returned as it is.
    """
    # Nothing behind the first `length` characters bears on the answer, but spaces are not counted yet.
    for enough in (length * 2, length * 8 + 1024):
        short = _AFTER_WIDE.sub("", " ".join(text[:enough].split()))
        if len(short) > length:
            break
    text = short
    if len(text) <= length:
        return text
    least = length * 0.6
    # No end of a sentence that comes earlier counts; the one that is being looked at is looked at from its beginning.
    start = int(least)
    while start and text[start - 1] in _ENDING:
        start -= 1
    end = 0
    for found in _SENTENCE.finditer(text, start, length):
        end = found.end()
    if end >= least:
        return text[:end].rstrip()
    cut = text[: length - 1]
    if not _is_wide(cut[-1:]) and text[length - 1] != " " and not _is_wide(text[length - 1]):
        space = cut.rfind(" ")
        last = next((end for end in range(len(cut), 0, -1) if _is_wide(cut[end - 1])), 0)
        cut = cut[: max(space, last)] if max(space, last) >= length * 0.4 else cut
    return cut.rstrip(" ,;:、，；：—-") + "…"


def _is_wide(sign: str) -> bool:
    """Say whether a sign is one of Chinese, Japanese or Korean, behind which a line may end; an expression for them takes
    longer to compile than cutting a hundred summaries."""
    if sign < "\u2e80":
        return False
    return (
        sign <= "\u9fff"
        or "\uac00" <= sign <= "\ud7af"
        or "\uf900" <= sign <= "\ufaff"
        or "\uff00" <= sign <= "\uffef"
        or "\U00020000" <= sign <= "\U0003ffff"
    )


def leading_text(markup: str, *, enough: int = 700) -> str:
    """Return the plain text canonical HTML begins with, at least `enough` characters of it where there are so many.

    Takes only what `sanitize` made, where `<` always opens a tag and `>` always ends one.
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
    """Return HTML without its comments (HTML 13.2.5.43 to 13.2.5.52); one that is never closed stays."""
    kept: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        # "<!-->" and "<!--->" end at once, "<!--!>" does not.
        found = _COMMENT_END.search(text, start + (4 if text.startswith("!", start + 4) else 2))
        if found is None:
            break
        kept.append(text[at:start])
        at = found.end()
    return "".join(kept) + text[at:]


_COMMENT_END = expression("--!?>")


_RUBY_NOTE = expression(r"<r[tp]c?[ >].*?</r[tp]c?>", re.DOTALL)
_CANONICAL_TAG = expression(r"</?([a-z0-9-]+)[^>]*>")


def _flattened(markup: str) -> str:
    if "<rt" in markup:
        markup = _RUBY_NOTE.sub("", markup)
    markup = markup.replace("\n", " ")
    text, *others = _CANONICAL_TAG.split(markup)
    # A tag's name and the text behind it, in turns.
    rest = [f"\n{behind}" if name in _BLOCK else behind for name, behind in zip(others[::2], others[1::2], strict=True)]
    return text + "".join(rest)


def _tag_space(found: re.Match[str]) -> str:
    name = found.group(1)
    if name is None:
        return ""
    name = name.lower()
    if name not in _KNOWN and name not in _OBSOLETE and not (name in _WORDS and "=" in found.group()):
        return found.group()
    return " " if name in _BLOCK else ""


def _without_hidden(text: str) -> str:
    """Cut whole scripts, styles and drawings out; one that never closes loses only its tag."""
    kept: list[str] = []
    at = 0
    lowered = text.lower()
    missing: set[str] = set()
    for found in _HIDDEN.finditer(text):
        name = found.group(1).lower()
        if found.start() < at or name in missing:
            continue
        end = lowered.find(f"</{name}", found.end())
        if end < 0:
            missing.add(name)
            continue
        kept.append(text[at : found.start()])
        close = text.find(">", end)
        at = len(text) if close < 0 else close + 1
    return "".join(kept) + text[at:]
