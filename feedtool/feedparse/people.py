"""Read the name and the e-mail address of people out of the texts that feeds write them in.

`email.utils` reads the headers of mail: it splits `Müller, Hans` at the comma and takes `(Editor)` for a comment.
"""

from __future__ import annotations

import html
import re

# Lengths as RFC 5321 section 4.5.3.1 bounds them; a host's last part may be of any length and of any script.
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

    One of the two may be "". A text with several addresses is split at its commas and semicolons if that gives each
    person one address, else it is one name; a text without an address is a name as it stands.
    """
    text = " ".join(text[:_LONGEST].split())
    if "@" not in text:
        return [(text, "")] if text else []
    if "&" in text:
        text = html.unescape(text)
    found = list(_ADDRESS.finditer(text))
    if len(found) == 1:
        return [_person(text, found[0])]
    parts = _split(text, found) if 1 < len(found) <= _MOST else []
    return parts or [(text, "")]


def _split(text: str, addresses: list[re.Match[str]]) -> list[tuple[str, str]]:
    """Return the people in a list with an address for each, [] where it can't be told whose an address is."""
    parts = [part for part in re.split(r"[,;] ?", text) if part]
    if len(parts) != len(addresses):
        return []
    matches = [(part, _ADDRESS.findall(part)) for part in parts]
    if any(len(found) != 1 for _, found in matches):
        return []
    return [_person(part, found) for part in parts if (found := _ADDRESS.search(part)) is not None]


def _person(text: str, address: re.Match[str]) -> tuple[str, str]:
    before, after = text[: address.start()].rstrip(), text[address.end() :].lstrip()
    for opening, closing in _BRACKETED:
        if before.endswith(opening) and after.startswith(closing):
            before, after = before[:-1].rstrip(), after[1:].lstrip()
            break
    # RFC 5322 section 3.4: a display name stands before the address; RSS 2.0 puts it behind, in brackets.
    after = _without_brackets(after)
    name = _unquoted(f"{before} {after}".strip(" ,;:").lstrip("-–— "))
    return name, address.group(1)


def _without_brackets(text: str) -> str:
    """Return a text without the brackets around the whole of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and at < len(text) - 1:
            return text
    return text[1:-1].strip()


def _unquoted(name: str) -> str:
    """Return a name without the quotes around the whole of it (RFC 5322 section 3.2.4)."""
    found = _QUOTED.fullmatch(name)
    if found is None:
        return name
    quoted = found.group(1)
    return (_ESCAPE.sub(r"\1", quoted) if quoted is not None else found.group(2)).strip() or name
