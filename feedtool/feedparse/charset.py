"""Decode a feed's bytes to text, by byte order mark, content, and the encodings that its server or itself declares."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from feedtool.articles.encoding import decode

_BYTE_ORDER_MARKS = (
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
# Browsers read these labels as supersets of the named encodings (WHATWG Encoding).
_SUPERSETS = {
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
# No feed uses these encodings, and a label must not select them.
_REFUSED = frozenset({"utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([A-Za-z0-9_.:-]{1,40})")
_HIGH = re.compile(rb"[^<>]{0,400}[\x80-\xff][^<>]{0,400}")
_SAMPLE = 65_536
_HEAD = 4096


class Text(NamedTuple):
    """A text and the encoding used to read it; `note` tells users if the encoding differs from the declared one."""

    text: str
    encoding: str
    note: str = ""


def text_of(body: bytes, content_type: str = "") -> Text:
    """Return the text of a body: decoded by its byte order mark, else by its bytes, the server's label or its declaration.

    Valid UTF-8 beyond ASCII takes precedence over any label. A label that most bytes contradict is ignored. Bytes that the
    encoding cannot decode become U+FFFD: one bad byte costs one character. Never raise.
    """
    for bom, name in _BYTE_ORDER_MARKS:
        if body.startswith(bom):
            return _decode_as(body[len(bom) :], name)
    start = body[:64].lstrip(b" \t\r\n")
    for beginning, name in _WIDE_STARTS:
        if start.startswith(beginning):
            return _decode_as(body, name)
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
        # Two bytes of GBK may look like a Greek letter in UTF-8; three in a row hardly ever look like a Chinese character.
        return Text(other[0], double, _contradicted(labels, double))
    return Text(text, "utf-8", _contradicted(labels, "utf-8"))


_DOUBLE = frozenset({"gb18030", "big5hkscs", "cp932", "cp949", "euc_jp"})


def _labels(body: bytes, content_type: str) -> list[str]:
    """Return the encodings that the header and the XML declaration name, the more likely one first."""
    header = _CHARSET.search(content_type[:1000])
    declared = _DECLARED.search(body[:_HEAD])
    names = [
        _encoding_of(header.group(1)) if header else "",
        _encoding_of(declared.group(1).decode()) if declared else "",
    ]
    if names[0] == "cp1252" and names[1]:
        # Many servers declare ISO-8859-1 for everything; an explicit declaration in the document is more reliable.
        names.reverse()
    return list(dict.fromkeys(name for name in names if name))


def _encoding_of(label: str) -> str:
    label = label.strip().lower()
    label = _ODD_LABELS.get(label, label)
    try:
        codec = codecs.lookup(label)
    except (LookupError, ValueError):
        return ""
    if codec.name in _REFUSED or not getattr(codec, "_is_text_encoding", True):
        return ""
    name = "utf-8" if codec.name.startswith(("utf-16", "utf-32", "utf-8")) else codec.name
    return _SUPERSETS.get(name, name)


def _by_label(body: bytes, labels: list[str]) -> Text:
    """Decode a body that is not valid UTF-8."""
    high = len(body.translate(None, _ASCII))
    tried = [name for name in labels if name != "utf-8"]
    broken_utf8 = _decoded(body, "utf-8")
    mostly_utf8 = broken_utf8 is not None and broken_utf8[1] * 20 <= high
    if mostly_utf8 and broken_utf8 is not None and not any(name in _DOUBLE for name in tried):
        return Text(broken_utf8[0], "utf-8", _note(labels, "utf-8", broken_utf8[1]))
    for name in tried:
        decoded = _decoded(body, name)
        if decoded is not None and decoded[1] * 20 <= high and (name != "cp1252" or not _is_asian(body)):
            return Text(decoded[0], name, _note(labels, name, decoded[1]))
    if mostly_utf8 and broken_utf8 is not None:
        return Text(broken_utf8[0], "utf-8", _note(labels, "utf-8", broken_utf8[1]))
    name = decode(_sample(body)).encoding
    decoded = _decoded(body, _SUPERSETS.get(name, name)) or _decoded(body, "cp1252") or ("", 0)
    return Text(decoded[0], name, _contradicted(labels, name) or f"its encoding is not declared; read as {name}")


_ASCII = bytes(range(128))


def _decoded(body: bytes, name: str) -> tuple[str, int] | None:
    """Return the text and the number of replaced characters; None for an unknown encoding."""
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
    """Return True if bytes labelled as Western come in pairs, as in Chinese, Japanese and Korean encodings."""
    sample = _sample(body)
    runs = re.findall(rb"[\x80-\xff]+", sample)
    paired = sum(len(run) >= 4 for run in runs)
    return paired * 2 > len(runs) and decode(sample).encoding in _ASIAN


_ASIAN = frozenset({"gb18030", "big5", "big5hkscs", "shift_jis", "cp932", "euc_kr", "cp949", "euc_jp"})


def _sample(body: bytes) -> bytes:
    """Return the parts of a body that reveal its encoding: the text around bytes beyond ASCII, without markup."""
    parts: list[bytes] = []
    size = 0
    for match in _HIGH.finditer(body):
        parts.append(match.group())
        size += len(match.group())
        if size > _SAMPLE:
            break
    return b"\n".join(parts)[:_SAMPLE]


def _decode_as(body: bytes, name: str) -> Text:
    """Decode a body in a known encoding, with U+FFFD for invalid bytes."""
    decoded = _decoded(body, name) or ("", 0)
    return Text(decoded[0], name, _note([], name, decoded[1]))


def _note(labels: list[str], name: str, lost: int) -> str:
    """Return a note about a wrong label and about invalid bytes, "" if there are none."""
    noun = "sequence of bytes is" if lost == 1 else "sequences of bytes are"
    notes = [_contradicted(labels, name), f"{lost:,} {noun} not {name}" if lost else ""]
    return "; ".join(note for note in notes if note)


def _contradicted(labels: list[str], name: str) -> str:
    return f"it is declared as {labels[0]} but is {name}" if labels and labels[0] != name else ""
