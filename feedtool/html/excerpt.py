"""Find the part of a body that its author marked as its beginning."""

from __future__ import annotations

from feedtool.expressions import expression
from feedtool.html.body_kind import is_html_throughout
from feedtool.html.limits import markdown_refusal
from feedtool.html.markdown import code_of, is_in_code
from feedtool.models import BodyKind

_MORE = expression(r"(?i)<!--\s*+more\s*+-->")


def excerpt(body: str, kind: BodyKind) -> str | None:
    """Return the part of a body before `<!--more-->`, None without one; what stands in code of Markdown is no mark."""
    if "<!--" not in body or markdown_refusal(body):
        return None
    marks = [found.start() for found in _MORE.finditer(body)]
    if marks and kind == "markdown" and not is_html_throughout(body):
        code = code_of(body)
        marks = [mark for mark in marks if not is_in_code(mark, code)]
    return body[: marks[0]] if marks else None
