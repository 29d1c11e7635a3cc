"""A feed's bytes and what its server said of them in, its text out; what the text says is not looked at."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from feedtool.articles.encoding import decode

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE_STARTS = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"{\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
)
# As browsers read these labels (WHATWG Encoding): the wider set of characters that is really meant.
_MEANT = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "hz": "hz",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_ODD_LABELS = {
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-sjis": "cp932",
    "ks_c_5601-1987": "cp949",
    "utf8mb4": "utf-8",
}
# What nobody writes a feed in and a decoder should not be talked into.
_NEVER = frozenset({"utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([A-Za-z0-9_.:-]{1,40})")
_HIGH = re.compile(rb"[^<>]{0,400}[\x80-\xff][^<>]{0,400}")
_SAMPLE = 65_536
_HEAD = 4096


class Text(NamedTuple):
    """A text and the encoding it was read in; `note` says so when that was not what had been declared."""

    text: str
    encoding: str
    note: str = ""


def text_of(body: bytes, content_type: str = "") -> Text:
    """Return the text of a body: by its byte order mark, else as its bytes prove, its server or its declaration says.

    Valid UTF-8 beyond ASCII is believed before any label. A label that most bytes contradict is not believed, and bytes
    that fit no reading become U+FFFD: one bad byte costs one character. Never raises.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _replaced(body[len(mark) :], name)
    start = body[:64].lstrip(b" \t\r\n")
    for beginning, name in _WIDE_STARTS:
        if start.startswith(beginning):
            return _replaced(body, name)
    labels = _labels(body, content_type)
    if body.isascii():
        name = next((label for label in labels if label.startswith(("iso2022", "hz"))), "utf-8")
        return Text(body.decode(name, "replace"), name)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _by_label(body, labels)
    double = next((label for label in labels if label in _DOUBLE), None)
    if double and max(text) < "\u0800" and (other := _decoded(body, double)) and not other[1]:
        # Two bytes of GBK may look like a Greek letter of UTF-8; three in a row hardly ever look like a Chinese one.
        return Text(other[0], double, _contradicted(labels, double))
    return Text(text, "utf-8", _contradicted(labels, "utf-8"))


_DOUBLE = frozenset({"gb18030", "big5hkscs", "cp932", "cp949", "euc_jp"})


def _labels(body: bytes, content_type: str) -> list[str]:
    """Return the encodings named by the header and the declaration, the likelier first."""
    header = _CHARSET.search(content_type[:1000])
    declared = _DECLARED.search(body[:_HEAD])
    named = [_known(header.group(1)) if header else "", _known(declared.group(1).decode()) if declared else ""]
    if named[0] == "cp1252" and named[1]:
        # Many servers add ISO-8859-1 to whatever they send; who wrote a declaration meant it.
        named.reverse()
    return list(dict.fromkeys(name for name in named if name))


def _known(label: str) -> str:
    label = label.strip().lower()
    label = _ODD_LABELS.get(label, label)
    try:
        found = codecs.lookup(label)
    except (LookupError, ValueError):
        return ""
    if found.name in _NEVER or not getattr(found, "_is_text_encoding", True):
        return ""
    name = "utf-8" if found.name.startswith(("utf-16", "utf-32", "utf-8")) else found.name
    return _MEANT.get(name, name)


def _by_label(body: bytes, labels: list[str]) -> Text:
    """Read a body that is no flawless UTF-8."""
    high = len(body.translate(None, _ASCII))
    tried = [name for name in labels if name != "utf-8"]
    broken_utf8 = _decoded(body, "utf-8")
    mostly_utf8 = broken_utf8 is not None and broken_utf8[1] * 20 <= high
    if mostly_utf8 and broken_utf8 is not None and not any(name in _DOUBLE for name in tried):
        return Text(broken_utf8[0], "utf-8", _note(labels, "utf-8", broken_utf8[1]))
    for name in tried:
        found = _decoded(body, name)
        if found is not None and found[1] * 20 <= high and (name != "cp1252" or not _is_asian(body)):
            return Text(found[0], name, _note(labels, name, found[1]))
    if mostly_utf8 and broken_utf8 is not None:
        return Text(broken_utf8[0], "utf-8", _note(labels, "utf-8", broken_utf8[1]))
    name = decode(_telling(body)).encoding
    found = _decoded(body, _MEANT.get(name, name)) or _decoded(body, "cp1252") or ("", 0)
    return Text(found[0], name, _contradicted(labels, name) or f"its encoding is not declared; read as {name}")


_ASCII = bytes(range(128))


def _decoded(body: bytes, name: str) -> tuple[str, int] | None:
    """Return the text and how many characters of it had to be replaced."""
    try:
        return body.decode(name), 0
    except (LookupError, ValueError):
        pass
    try:
        text = body.decode(name, "replace")
    except (LookupError, ValueError):
        return None
    return text, text.count("\ufffd")


def _is_asian(body: bytes) -> bool:
    """Tell whether bytes labelled Western come in the pairs that Chinese, Japanese and Korean are written in."""
    telling = _telling(body)
    runs = re.findall(rb"[\x80-\xff]+", telling)
    paired = sum(len(run) >= 4 for run in runs)
    return paired * 2 > len(runs) and decode(telling).encoding in _ASIAN


_ASIAN = frozenset({"gb18030", "big5", "big5hkscs", "shift_jis", "cp932", "euc_kr", "cp949", "euc_jp"})


def _telling(body: bytes) -> bytes:
    """Return what in a body says something of its encoding: the text around bytes beyond ASCII, without markup."""
    kept: list[bytes] = []
    size = 0
    for found in _HIGH.finditer(body):
        kept.append(found.group())
        size += len(found.group())
        if size > _SAMPLE:
            break
    return b"\n".join(kept)[:_SAMPLE]


def _replaced(body: bytes, name: str) -> Text:
    """Read a body whose encoding is beyond doubt."""
    found = _decoded(body, name) or ("", 0)
    return Text(found[0], name, _note([], name, found[1]))


def _note(labels: list[str], name: str, lost: int) -> str:
    """Return a note of another label and of bytes that are no characters, "" where all is well."""
    noun = "sequence of bytes is" if lost == 1 else "sequences of bytes are"
    notes = [_contradicted(labels, name), f"{lost:,} {noun} not {name}" if lost else ""]
    return "; ".join(note for note in notes if note)


def _contradicted(labels: list[str], name: str) -> str:
    return f"it says that it is {labels[0]} but is {name}" if labels and labels[0] != name else ""
