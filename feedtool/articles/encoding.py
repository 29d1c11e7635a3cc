"""Decode the bytes of a file and detect their encoding."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from feedtool.articles.rules import HEAD_SIZE

CANDIDATES = ["gb18030", "big5", "shift_jis", "euc_kr"]
_WIDE_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Detection reads a sample: more than 64 kB of an article adds nothing.
_SAMPLE = 65_536
CERTAIN_LENGTH = 16
"""Continuation bytes in valid UTF-8 after which the whole text is taken for UTF-8: no other encoding has as many by chance."""


class Decoded(NamedTuple):
    """A decoded text; `encoding` is "utf-8" or the detected one, and `exact` is False if bytes had to be replaced."""

    text: str
    encoding: str
    exact: bool


def decode(data: bytes) -> Decoded:
    """Return the text of a file: UTF-8 (with or without a byte order mark), UTF-16/32 with one, else a detected encoding.

    Never raises: invalid bytes become U+FFFD, and `exact` is then False.
    """
    try:
        # The codec utf-8-sig is slower: it is written in Python.
        return Decoded(data.decode().removeprefix("\ufeff"), "utf-8", exact=True)
    except UnicodeDecodeError as error:
        wrong = error
    for byte_order_mark, name in _WIDE_BYTE_ORDER_MARKS:
        if data.startswith(byte_order_mark):
            return _decoded(data, name)
    if _is_mostly_utf8(data, wrong):
        return Decoded(data.decode("utf-8-sig", "replace"), "utf-8", exact=False)
    return _decoded(data, _detected(data))


def _is_mostly_utf8(data: bytes, wrong: UnicodeDecodeError) -> bool:
    if data.startswith(codecs.BOM_UTF8):
        return True
    # The head reader uses the same rule, so that a head and its whole file never have two encodings.
    right = data[: wrong.start].decode("utf-8", "ignore")  # the error may be within an incomplete byte order mark
    beyond = wrong.start - len(right)
    if beyond >= CERTAIN_LENGTH or (beyond and wrong.start >= HEAD_SIZE):
        return True
    # One broken character in a long UTF-8 text must not change the encoding of the whole text.
    replaced = data.decode("utf-8", "replace")
    beyond_ascii = sum(character > "\x7f" for character in replaced[:_SAMPLE])
    bad = replaced[:_SAMPLE].count("\ufffd")
    return beyond_ascii > 20 * bad or (wrong.end >= len(data) - 3 and beyond_ascii > 2 * bad)


def _detected(data: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = data[:_SAMPLE]
    if b"\0" in sample:
        return "latin-1"
    best = from_bytes(sample, cp_isolation=CANDIDATES).best()
    runs = re.findall(rb"[\x80-\xff]+", sample)
    if len(runs) * 50 < len(sample) and all(len(run) == 1 for run in runs):
        # Single accented letters: no Asian text has its high bytes so far apart.
        return "cp1252"
    if best is not None:
        return "gb18030" if best.encoding in ("gb2312", "gbk", "gb18030") else best.encoding
    return "cp1252" if sum(byte > 0x7F for byte in sample) * 4 < len(sample) else "gb18030"


def _decoded(data: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(data.decode(encoding), encoding, exact=True)
    except (UnicodeDecodeError, LookupError):
        return Decoded(data.decode(encoding, "replace"), encoding, exact=False)
