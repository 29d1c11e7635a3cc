"""Make folder and file names that are safe on every system from the names of categories and articles."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from feedtool.digests import blake2b
from feedtool.expressions import expression

_MAXIMUM_BYTES = 80
"""Most UTF-8 bytes of a slug, including its hash."""

# Listed explicitly: Unicode categories differ between Python versions, and addresses must not.
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
    r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?:\..*)?"  # CLOCK$, CONIN$ and CONOUT$ have lost their `$`
    r"|(?:index|atom|rss|feeds?|sitemap|robots|404)\.(?:x?html?|xml|json|opml|css|txt)",
    re.IGNORECASE,
)


def slug(name: str) -> str:
    """Return a folder name for `name`: lower case, Unicode kept, spaces as `-`, at most 80 UTF-8 bytes.

    If anything else of the name is lost (`C++`, a cut, a name that Windows reserves), the slug ends in `-` and six hex digits
    of the whole name's hash. Case, spaces at the ends and NFC/NFD count as no loss: `slugs` makes different slugs for such
    names if both are in use.
    """
    return _slug(name)[0]


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Return a slug for each name; no two are equal under NFKC and case folding. The order of the names does not matter.

    The rule keeps addresses as stable as possible: a name gets its own `slug` unless that collides with another. Among
    colliding names, the one that equals its slug in the plainest form (`fi`, not `ﬁ` or `Fi`) keeps it, so that such a name
    never moves; every other gets its hash. A lossy name has its hash from the start, so `C++` stays the same when `C` and `C#`
    are added. NFC/NFD variants are one name.
    """
    unique_names = sorted(set(names))
    normalized = {name: unicodedata.normalize("NFC", name) for name in unique_names}
    assigned: dict[str, str] = {}
    taken: set[str] = set()
    first = {name: _slug(name) for name in sorted(set(normalized.values()))}
    counts = Counter(collision_key(text) for text, _ in first.values())
    for name, (text, _) in first.items():
        if counts[collision_key(text)] == 1 or name == text == collision_key(text):
            assigned[name] = text
            taken.add(collision_key(text))
    remaining = [name for name in first if name not in assigned]
    level = 1
    while remaining:
        candidates = {name: _hashed(_stem(name), name, level) for name in remaining}
        counts = Counter(collision_key(text) for text in candidates.values())
        unambiguous = {
            n: text
            for n, text in candidates.items()
            if counts[collision_key(text)] == 1 and collision_key(text) not in taken
        }
        assigned |= unambiguous
        taken.update(map(collision_key, unambiguous.values()))
        remaining = [name for name in remaining if name not in unambiguous]
        level += 1
    return {name: assigned[normalized[name]] for name in unique_names}


def file_name(title: str, *, suffix: str = ".md", limit: int = 200) -> str:
    """Return a file name for an article: case and Unicode kept, spaces and unsafe characters as `-`.

    `limit` counts UTF-8 bytes, including the suffix. Cut, reserved and empty names contain the title's hash. Two titles may
    still have equal or colliding names (see `collision_key`), which the caller must resolve. Raise ValueError if `limit` is
    too small for a name.
    """
    available = limit - len(suffix.encode())
    if available < 6:
        raise ValueError(f"a limit of {limit} bytes is too small for a name before {suffix!r}")
    title = unicodedata.normalize("NFC", title)
    stem = _FILE_REPLACED.sub("-", _DROPPED.sub("", _SPACES.sub("-", title.strip())))
    stem = _trimmed(unicodedata.normalize("NFC", _DASHES.sub("-", stem)))
    if not stem or _RESERVED.fullmatch(stem):
        stem = _hashed(stem.replace(".", "-"), title, 1, limit=available)
    elif len(stem.encode()) > available:
        stem = _hashed(stem, title, 1, limit=available)
    return stem + suffix


def quote_path(path: str) -> str:
    """Return a relative path for a URL: all but `/` and the unreserved characters of RFC 3986 are percent-encoded UTF-8."""
    if _UNRESERVED.fullmatch(path):
        return path
    return "".join(map(_QUOTED.__getitem__, path.encode("utf-8", "replace")))


def collision_key(name: str) -> str:
    """Return a key that is equal for names that some file system or reader confuses: NFKC with case folded (Unicode D146)."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", name).casefold()).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", folded).casefold())


_UNRESERVED = expression(r"[A-Za-z0-9._~/-]*", re.ASCII)
_QUOTED = [chr(byte) if _UNRESERVED.fullmatch(chr(byte)) else f"%{byte:02X}" for byte in range(256)]


def _slug(name: str) -> tuple[str, bool]:
    """Return the slug, and True if it contains a hash."""
    name = unicodedata.normalize("NFC", name)
    spaced = _SPACES.sub("-", _lower(name).strip())
    stem = _stem(name)
    if stem == spaced and stem and not _RESERVED.fullmatch(stem) and len(stem.encode()) <= _MAXIMUM_BYTES:
        return stem, False
    return _hashed(stem, name, 1), True


def _stem(name: str) -> str:
    """Return the safe characters of a name, uncut; "" if there are none."""
    text = _SPACES.sub("-", _lower(name).strip())
    clean = _REPLACED.sub("-", _DROPPED.sub("", text))
    if clean != text:
        clean = _DASHES.sub("-", clean)
    return _trimmed(unicodedata.normalize("NFC", _LONE_DOTS.sub("", clean)))


def _lower(name: str) -> str:
    return unicodedata.normalize("NFC", name.lower())


def _trimmed(text: str) -> str:
    """Return the text without dots, dashes, spaces and underscores at the ends: Windows drops some, GitHub Pages hides others."""
    return text.strip("-._ \t\n\r\f\v\x85\xa0")


def _hashed(stem: str, name: str, level: int, *, limit: int = _MAXIMUM_BYTES) -> str:
    """Return the stem, cut if necessary, with the hash of the whole name; each level has another hash, longer from 2 on."""
    salt = b"" if level == 1 else str(level).encode()
    data = unicodedata.normalize("NFC", name).encode("utf-8", "surrogatepass")
    digest = blake2b(data, digest_size=3 if level == 1 else 8, salt=salt).hexdigest()
    if _RESERVED.fullmatch(stem):
        stem = stem.replace(".", "-")  # Windows reserves `con.anything` too
    stem = _trimmed(_cut(stem, limit - len(digest) - 1))
    return f"{stem}-{digest}" if stem else digest


def _cut(text: str, limit: int) -> str:
    """Return the start of a text in at most `limit` UTF-8 bytes, without splitting a character from its marks."""
    data = text.encode()
    if len(data) <= limit:
        return text
    end = len(data[: max(limit, 0)].decode("utf-8", "ignore"))
    while end and _continues_character(text[end]):
        end -= 1
    return text[:end]


def _continues_character(character: str) -> bool:
    """Return True if a character belongs to the one before it: a mark, an emoji's skin tone, a Hangul vowel or final."""
    return (
        unicodedata.category(character)[0] == "M"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\u1160" <= character <= "\u11ff"
    )
