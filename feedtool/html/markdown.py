"""Markdown goes in, HTML comes out with whatever raw HTML stood in it; sanitizes nothing."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from feedtool.expressions import expression
from feedtool.html.text import escaped

if TYPE_CHECKING:
    import pyromark

_TAG_FIRST = expression(r"<(?:[A-Za-z][A-Za-z0-9-]*[\s/>]|!--|!doctype)", re.IGNORECASE)
_AUTOLINK = expression(r"<[A-Za-z][A-Za-z0-9+.-]*:")
_OPEN_TASK = '<input disabled="" type="checkbox"/>\n'
_DONE_TASK = '<input disabled="" type="checkbox" checked=""/>\n'
_PARAGRAPHS = expression(r"\n[ \t\u3000]*\n[ \t\n]*")


def begins_with_tag(body: str) -> bool:
    """Tell whether a Markdown file's body is HTML in truth: Markdown would make code of its indented lines."""
    return _TAG_FIRST.match(body.lstrip("\ufeff \t\r\n\u3000")) is not None


def markdown_to_html(body: str) -> str:
    """Return CommonMark with tables, footnotes, strikethrough and task lists as HTML; quotes stay as typed."""
    made: str = _converter().html(body)
    # Form controls do not leave: a task's box has to be a character.
    return made.replace(_OPEN_TASK, "☐ ").replace(_DONE_TASK, "☑ ")


def text_to_html(body: str) -> str:
    """Return plain text as paragraphs, with its line breaks."""
    paragraphs = _PARAGRAPHS.split(body.strip("\n"))
    return "\n".join(
        "<p>" + escaped(part.strip("\n")).replace("\n", "<br>\n") + "</p>" for part in paragraphs if part.strip()
    )


@cache
def _converter() -> pyromark.Markdown:
    import pyromark

    options = pyromark.Options
    return pyromark.Markdown(
        options=options.ENABLE_TABLES
        | options.ENABLE_FOOTNOTES
        | options.ENABLE_STRIKETHROUGH
        | options.ENABLE_TASKLISTS
    )
