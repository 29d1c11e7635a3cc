"""Take out of an article's body what its site does not show: text behind a password, comments of templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedtool.articles.fields import Note
from feedtool.articles.frontmatter import Document
from feedtool.models import BodyKind

if TYPE_CHECKING:
    from feedtool.html.policy import Removal
    from feedtool.html.template_tags import Hidden


def visible_body(document: Document, kind: BodyKind, dialect: str) -> tuple[str, tuple[Removal, ...]]:
    """Return the body without what its site does not show, and what was taken out; `dialect` is a generator's name.

    Text behind a password is noted in the document, by the name of its tag alone.
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
        hint = "the site gives it out only against a password; to publish it, take the tag away"
        return Note("", "FT027", f'text in the tag "{part.name}" is not published', hint)
    message = f'the tag "{part.name}" is not closed; nothing from there on is published'
    return Note("", "FT027", message, "close it where the protected text ends")
