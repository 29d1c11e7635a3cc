"""Parse the names and e-mail addresses of people in the texts of feeds.

`email.utils` is made for mail headers: it splits `Müller, Hans` at the comma and takes `(Editor)` for a comment.
"""

from __future__ import annotations

import html
import re

# The lengths follow RFC 5321 section 4.5.3.1; a host's last label may have any length and script.
_ADDRESS = re.compile(
    r"(?<![@\w.+-])(?:mailto:)?([^\s@<>()\[\]{},;:\"'|\\][^\s@<>()\[\]{},;:\"|\\]{0,63}@"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,20}[^\W_](?:[\w-]{0,61}[^\W_])?)(?:\?[^\s<>()]{1,200})?(?![\w@-])",
    re.IGNORECASE,
)
_BRACKETED = (("<", ">"), ("(", ")"), ("[", "]"))
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'')
_ESCAPE = re.compile(r"\\(.)")
_LONGEST = 1000
_MOST = 20


def people_in(text: str) -> list[tuple[str, str]]:
    """Return (name, address) of each person in a text such as `address (Name)`, `Name <address>`, `"Name" <address>`.

    One of the two may be "". A text with several addresses is split at commas and semicolons if each part then has one
    address; otherwise the whole text is one name. A text without an address is a name.
    """
    text = " ".join(text[:_LONGEST].split())
    if "@" not in text:
        return [(text, "")] if text else []
    if "&" in text:
        text = html.unescape(text)
    addresses = list(_ADDRESS.finditer(text))
    if len(addresses) == 1:
        return [_person(text, addresses[0])]
    parts = _split(text, addresses) if 1 < len(addresses) <= _MOST else []
    return parts or [(text, "")]


def _split(text: str, addresses: list[re.Match[str]]) -> list[tuple[str, str]]:
    """Return the people in a list with one address each, [] if the addresses cannot be assigned."""
    parts = [part for part in re.split(r"[,;] ?", text) if part]
    if len(parts) != len(addresses):
        return []
    matches = [(part, _ADDRESS.findall(part)) for part in parts]
    if any(len(match) != 1 for _, match in matches):
        return []
    return [_person(part, match) for part in parts if (match := _ADDRESS.search(part)) is not None]


def _person(text: str, address: re.Match[str]) -> tuple[str, str]:
    before, after = text[: address.start()].rstrip(), text[address.end() :].lstrip()
    for opening, closing in _BRACKETED:
        if before.endswith(opening) and after.startswith(closing):
            before, after = before[:-1].rstrip(), after[1:].lstrip()
            break
    # A display name precedes the address (RFC 5322 section 3.4); in RSS 2.0 it follows in brackets.
    after = _without_brackets(after)
    name = _unquoted(f"{before} {after}".strip(" ,;:").lstrip("-–— "))
    return name, address.group(1)


def _without_brackets(text: str) -> str:
    """Return a text without a pair of brackets that encloses all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and at < len(text) - 1:
            return text
    return text[1:-1].strip()


def _unquoted(name: str) -> str:
    """Return a name without quotes that enclose all of it (RFC 5322 section 3.2.4)."""
    match = _QUOTED.fullmatch(name)
    if match is None:
        return name
    quoted = match.group(1)
    return (_ESCAPE.sub(r"\1", quoted) if quoted is not None else match.group(2)).strip() or name
