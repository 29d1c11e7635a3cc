"""Names of categories and articles come in, names of folders and files safe on every system go out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from feedtool.digests import blake2b
from feedtool.expressions import expression

_LIMIT = 80
"""UTF-8 bytes a slug never passes, its hash included."""

# Spelled out, because Unicode's categories differ between Python versions and an address must not.
_INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd\ud800-\udfff\ufdd0-\ufdef\U000e0000-\U000e0fff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
)
_DASHES = expression("--+")
_SPACES = expression(r"[\s-]*\s[\s-]*")
_DROPPED = expression(f"[{_INVISIBLE}]+")
_REPLACED = expression(r"""[!-,/:-@\[-^`{-~]+""")
_FILE_REPLACED = expression(r"""["#$%*/:;<>?\[\\\]^`{|}~]+""")
_LONE_DOTS = expression(r"(?<![^\W_])\.+|\.+(?![^\W_])")
_RESERVED = expression(
    r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?:\..*)?"  # CLOCK$, CONIN$ and CONOUT$ have lost their sign
    r"|(?:index|atom|rss|feeds?|sitemap|robots|404)\.(?:x?html?|xml|json|opml|css|txt)",
    re.IGNORECASE,
)


def slug(name: str) -> str:
    """Return a folder name for `name`: lower case, Unicode kept, spaces as `-`, at most 80 UTF-8 bytes.

    Whatever else is lost (`C++`, a cut, a name Windows reserves) is told apart by `-` and six hex digits of the
    whole name's hash. Case, spaces at the ends and NFC/NFD are no loss: `slugs` tells such names apart where both
    are in use.
    """
    return _slug(name)[0]


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Return a slug for each name, no two alike under NFKC and case folding, whatever the order of the names.

    The rule, made so that addresses move as seldom as they can: a name gets its own `slug` unless that is alike to
    another's. Among alike ones the name that is its own slug in its plainest form (`fi`, not `ﬁ`, not `Fi`) keeps it,
    so nothing ever moves such a name; every other gets its hash. A lossy name has its hash from the start, so
    `C++` stays where it is when `C` and `C#` come. NFC/NFD twins are one name.
    """
    given = sorted(set(names))
    plain = {name: unicodedata.normalize("NFC", name) for name in given}
    found: dict[str, str] = {}
    taken: set[str] = set()
    first = {name: _slug(name) for name in sorted(set(plain.values()))}
    counts = Counter(collision_key(text) for text, _ in first.values())
    for name, (text, _) in first.items():
        if counts[collision_key(text)] == 1 or name == text == collision_key(text):
            found[name] = text
            taken.add(collision_key(text))
    waiting = [name for name in first if name not in found]
    level = 1
    while waiting:
        tries = {name: _hashed(_stem(name), name, level) for name in waiting}
        counts = Counter(collision_key(text) for text in tries.values())
        settled = {
            n: text
            for n, text in tries.items()
            if counts[collision_key(text)] == 1 and collision_key(text) not in taken
        }
        found |= settled
        taken.update(map(collision_key, settled.values()))
        waiting = [name for name in waiting if name not in settled]
        level += 1
    return {name: found[plain[name]] for name in given}


def file_name(title: str, *, suffix: str = ".md", limit: int = 200) -> str:
    """Return a file name for an article: case and Unicode kept, spaces and unsafe characters as `-`.

    `limit` counts UTF-8 bytes, the suffix included. Cut, reserved and empty names carry the title's hash; two titles
    may still share a name (or be `alike`), which the caller settles. Raises ValueError when `limit` leaves no room.
    """
    room = limit - len(suffix.encode())
    if room < 6:
        raise ValueError(f"a limit of {limit} bytes leaves no room for a name before {suffix!r}")
    title = unicodedata.normalize("NFC", title)
    stem = _FILE_REPLACED.sub("-", _DROPPED.sub("", _SPACES.sub("-", title.strip())))
    stem = _trimmed(unicodedata.normalize("NFC", _DASHES.sub("-", stem)))
    if not stem or _RESERVED.fullmatch(stem):
        stem = _hashed(stem.replace(".", "-"), title, 1, limit=room)
    elif len(stem.encode()) > room:
        stem = _hashed(stem, title, 1, limit=room)
    return stem + suffix


def quote_path(path: str) -> str:
    """Return a relative path as a URL writes it: all but `/` and RFC 3986's unreserved characters encoded as UTF-8."""
    if _UNRESERVED.fullmatch(path):
        return path
    return "".join(map(_QUOTED.__getitem__, path.encode("utf-8", "replace")))


def collision_key(name: str) -> str:
    """Return the form in which two names are alike to some file system or eye: NFKC with case folded (Unicode D146)."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", name).casefold()).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", folded).casefold())


_UNRESERVED = expression(r"[A-Za-z0-9._~/-]*", re.ASCII)
_QUOTED = [chr(byte) if _UNRESERVED.fullmatch(chr(byte)) else f"%{byte:02X}" for byte in range(256)]


def _slug(name: str) -> tuple[str, bool]:
    """The slug, and whether it carries a hash."""
    name = unicodedata.normalize("NFC", name)
    spaced = _SPACES.sub("-", _lower(name).strip())
    stem = _stem(name)
    if stem == spaced and stem and not _RESERVED.fullmatch(stem) and len(stem.encode()) <= _LIMIT:
        return stem, False
    return _hashed(stem, name, 1), True


def _stem(name: str) -> str:
    """What is safe of a name, uncut; "" when nothing is."""
    text = _SPACES.sub("-", _lower(name).strip())
    clean = _REPLACED.sub("-", _DROPPED.sub("", text))
    if clean != text:
        clean = _DASHES.sub("-", clean)
    return _trimmed(unicodedata.normalize("NFC", _LONE_DOTS.sub("", clean)))


def _lower(name: str) -> str:
    return unicodedata.normalize("NFC", name.lower())


def _trimmed(text: str) -> str:
    """Without a dot, dash, space or underscore at the ends: Windows drops some, the Pages upload hides others."""
    return text.strip("-._ \t\n\r\f\v\x85\xa0")


def _hashed(stem: str, name: str, level: int, *, limit: int = _LIMIT) -> str:
    """The stem cut to leave room, and the hash of the whole name; a longer one for each further level."""
    salt = b"" if level == 1 else str(level).encode()
    data = unicodedata.normalize("NFC", name).encode("utf-8", "surrogatepass")
    digest = blake2b(data, digest_size=3 if level == 1 else 8, salt=salt).hexdigest()
    if _RESERVED.fullmatch(stem):
        stem = stem.replace(".", "-")  # Windows reserves `con.anything` too
    stem = _trimmed(_cut(stem, limit - len(digest) - 1))
    return f"{stem}-{digest}" if stem else digest


def _cut(text: str, limit: int) -> str:
    """The start of a text in at most `limit` UTF-8 bytes, whole characters with their marks."""
    data = text.encode()
    if len(data) <= limit:
        return text
    end = len(data[: max(limit, 0)].decode("utf-8", "ignore"))
    while end and _clings(text[end]):
        end -= 1
    return text[:end]


def _clings(character: str) -> bool:
    """Whether a character belongs to the one before it: a mark, an emoji's skin tone, a Hangul vowel or final."""
    return (
        unicodedata.category(character)[0] == "M"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\u1160" <= character <= "\u11ff"
    )
