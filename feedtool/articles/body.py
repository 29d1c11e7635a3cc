"""Remove the parts of an article's body that its site does not show: password-protected text and template comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedtool.articles.fields import Note
from feedtool.articles.frontmatter import Document
from feedtool.models import BodyKind

if TYPE_CHECKING:
    from feedtool.html.policy import Removal
    from feedtool.html.template_tags import Hidden


def visible_body(document: Document, kind: BodyKind, dialect: str) -> tuple[str, tuple[Removal, ...]]:
    """Return the body without the parts that its site does not show, and what was removed; `dialect` is a generator's name.

    Password-protected text adds a note to the document with the name of its tag, never its text.
    """
    from feedtool.html.template_tags import hidden_parts, without_parts

    body = document.body
    parts = hidden_parts(body, kind, dialect)
    if not parts:
        return body, ()
    from feedtool.html.policy import Removal

    line, at = document.text.count("\n", 0, document.split.body) + 1, 0
    removals: list[Removal] = []
    noted: set[str] = set()
    for part in parts:
        line, at = line + body.count("\n", at, part.start), part.start
        what = f"protected text in {part.name}" if part.protected else part.name
        removals.append(Removal(what=what, detail=f"line {line}"))
        if part.protected and part.name not in noted:
            noted.add(part.name)
            document.notes.append((line, None, _protected(part)))
    return without_parts(body, parts), tuple(removals)


def _protected(part: Hidden) -> Note:
    if part.is_closed:
        hint = "its site asks for a password; to publish the text, remove the tag"
        return Note("", "FT027", f'text in the tag "{part.name}" is not published', hint)
    message = f'the tag "{part.name}" is not closed; the text from there on is not published'
    return Note("", "FT027", message, "close it where the protected text ends")
