"""Names that are harmful to some system, shell, server or reader, and a check of safe names.

The names are texts in this file, not files.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

from feedtool.slugs import collision_key

NAMES: dict[str, str] = {
    "up": "../../escaped", "up on Windows": "..\\..\\escaped", "up in the middle": "a/../../../escaped",
    "up, encoded": "..%2f..%2fescaped", "up, twice encoded": "%252e%252e%252fescaped", "up, full-width": "．．／．．／escaped",
    "up, overlong dots": "....//....//escaped", "only up": "..", "here": ".", "dots": "...", "a root": "/etc/cron.d/escaped",
    "a root twice": "//etc//escaped", "a drive": "C:\\Windows\\escaped", "a drive, relative": "C:escaped",
    "a share": "\\\\server\\share\\escaped", "a device path": "\\\\.\\COM1", "a stream": "name:stream:$DATA",
    "an address": "file:///etc/passwd", "a folder": "a/b", "a folder on Windows": "a\\b", "a deep one": "a/" * 200 + "b",
    "CON": "CON", "con": "con", "NUL": "NUL", "AUX with an ending": "aux.tar.gz", "COM1.txt": "COM1.txt",
    "LPT with a small digit": "LPT¹", "CONIN$": "CONIN$", "CLOCK$": "CLOCK$", "PRN and a dot": "PRN.",
    "CON and a space": "CON .txt", "CON, invisible sign": "CO\u200bN", "NUL byte": "a\0b", "NUL byte and an ending": "x.md\0.txt",
    "newline": "a\nb", "carriage return": "a\rb", "tab": "a\tb", "bell and escape": "\x07\x1b[2Ja", "delete": "a\x7fb",
    "line separator": "a\u2028b", "next line": "a\x85b", "10 kB": "x" * 10_000, "10 kB of three bytes": "長" * 3_400,
    "10 kB of marks": "e" + "\u0301" * 5_000, "255 bytes": "y" * 255, "ends within a sign": "é" * 99 + "😀" * 30,
    ".git": ".git/hooks/post-checkout", ".git, Windows' short name": "GIT~1/hooks/x", ".git, ignorable sign": ".g\u200cit/config",
    ".htaccess": ".htaccess", ".feedtool": ".feedtool/index", "our manifest": ".feedtool-manifest",
    "our temporary": "x.feedtool-new", "our settings": "feedtool.toml", "our state": "feedtool.state", "index": "index.html",
    "a feed": "atom.xml", "robots": "robots.txt", "web.config": "web.config", "desktop.ini": "desktop.ini",
    "nothing": "\u200b\u2060", "a space": " ", "an ideographic space": "\u3000", "dots at the end": "name...",
    "a space at the end": "name ", "dots and spaces": ". . .", "RTL override": "photo\u202egnp.md", "isolates": "\u2066x\u2069",
    "an option": "-rf", "a long option": "--delete=/", "home": "~", "another's home": "~root/.ssh/authorized_keys",
    "a command": "$(touch escaped)", "back-ticks": "`touch escaped`", "a pipe": "x|touch escaped", "a variable": "${HOME}",
    "a star": "*", "a question": "a?b", "quotes": "a\"b'c", "angles": "<x>", "a brace": "{source}", "a format": "{0.__class__}",
    "a percent": "%s%n%APPDATA%", "Straße": "Straße", "STRASSE": "STRASSE", "strasse": "strasse", "K": "K", "Kelvin": "\u212a",
    "composed": "caf\u00e9", "decomposed": "cafe\u0301", "CAFÉ": "CAF\u00c9", "fi": "fi", "ligature": "ﬁ", "full-width": "ｆｉ",
    "Turkish": "İstanbul", "dotless": "ıstanbul", "istanbul": "istanbul", "sigma": "ΣΑΣ", "final sigma": "σας",
    "a lone surrogate": "a\ud800b", "no character": "a\uffffb", "another plane": "\U000e0041\U000e0042x", "private": "\ue000",
    "Zalgo": "Z" + "\u0340\u0489" * 60, "an emoji family": "👨‍👩‍👧", "Hangul": "\u1112\u1161\u11ab", "a variation": "☃\ufe0f",
}  # fmt: skip
"""Harmful names, by the reason why they are harmful."""

_RESERVED = {"con", "prn", "aux", "nul", "clock$", "conin$", "conout$"} | {
    f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"
}
_BANNED = set('<>:"\\|?*') | {chr(code) for code in (*range(32), *range(127, 160), *range(0x202A, 0x202F))}
_BANNED |= {chr(code) for code in (*range(0x2066, 0x206A), 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF)}


def harm(name: str) -> str:
    """Return what is wrong with a name that feedtool chose; "" if it is safe on every system."""
    wrong = {
        "signs": bool(set(name) & _BANNED) or any("\ud800" <= sign <= "\udfff" for sign in name),
        "reserved": name.split(".")[0].rstrip().lower() in _RESERVED,
        "beginning": name[:1] in ("", ".", "-", "~", " "),
        "end": name[-1:] in (".", " ", "-"),
        "length": len(name.encode("utf-8", "replace")) > 255,
        "form": not unicodedata.is_normalized("NFC", name),
    }
    return " ".join(kind for kind, is_wrong in wrong.items() if is_wrong)


def harms(folder: Path, *, but: tuple[str, ...] = ()) -> list[str]:
    """Return every name below a folder that is unsafe or looks like another one beside it, as "reason: name"."""
    problems = []
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        names = [path.name for path in place.iterdir() if path.name not in but]
        problems += [f"{wrong}: {place / name}" for name in names if (wrong := harm(name))]
        by_key: dict[str, str] = {}
        for name in sorted(names):
            other = by_key.setdefault(collision_key(name), name)
            problems += [f"alike: {other!r} and {name!r} in {place}"] if other != name else []
    return problems
