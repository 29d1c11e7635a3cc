"""A file's bytes in, its text out, with the encoding that was found; what the text says is not looked at."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from feedtool.articles.rules import HEAD_SIZE

CANDIDATES = ["gb18030", "big5", "shift_jis", "euc_kr"]
_WIDE_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# Detection reads a sample: a mebibyte of one article says nothing that 64 kB has not said.
_SAMPLE = 65_536
SURE = 16
"""Bytes of letters beyond their first ones, by which a text that begins as UTF-8 is UTF-8: no other text does by chance."""


class Decoded(NamedTuple):
    """`encoding` is "utf-8", or what the bytes were taken for; `exact` is False where bytes had to be replaced."""

    text: str
    encoding: str
    exact: bool


def decode(data: bytes) -> Decoded:
    """Return the text of a file: UTF-8 (with or without a mark), UTF-16/32 with a mark, else as a library detects.

    Never raises: bytes that fit no encoding become U+FFFD, and `exact` says so.
    """
    try:
        # The codec that takes a mark away is written in Python.
        return Decoded(data.decode().removeprefix("\ufeff"), "utf-8", exact=True)
    except UnicodeDecodeError as error:
        wrong = error
    for mark, name in _WIDE_MARKS:
        if data.startswith(mark):
            return _decoded(data, name)
    if _is_mostly_utf8(data, wrong):
        return Decoded(data.decode("utf-8-sig", "replace"), "utf-8", exact=False)
    return _decoded(data, _detected(data))


def _is_mostly_utf8(data: bytes, wrong: UnicodeDecodeError) -> bool:
    if data.startswith(codecs.BOM_UTF8):
        return True
    # What reading a head alone goes by, so that it and the whole file are never read in two alphabets.
    right = data[: wrong.start].decode("utf-8", "ignore")  # the error may lie within half a mark
    beyond = wrong.start - len(right)
    if beyond >= SURE or (beyond and wrong.start >= HEAD_SIZE):
        return True
    # One broken character in a long UTF-8 text must not turn the whole of it into another alphabet.
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
        # A letter with an accent here and there: no Asian text has its high bytes so far apart.
        return "cp1252"
    if best is not None:
        return "gb18030" if best.encoding in ("gb2312", "gbk", "gb18030") else best.encoding
    return "cp1252" if sum(byte > 0x7F for byte in sample) * 4 < len(sample) else "gb18030"


def _decoded(data: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(data.decode(encoding), encoding, exact=True)
    except (UnicodeDecodeError, LookupError):
        return Decoded(data.decode(encoding, "replace"), encoding, exact=False)
