"""Find the part of a body that its author marked as the excerpt, with `<!--more-->`."""

from __future__ import annotations

from feedtool.expressions import expression
from feedtool.html.body_kind import is_html_throughout
from feedtool.html.limits import markdown_refusal
from feedtool.html.markdown import code_of, is_in_code
from feedtool.models import BodyKind

_MORE_MARKER = expression(r"(?i)<!--\s*+more\s*+-->")


def excerpt(body: str, kind: BodyKind) -> str | None:
    """Return the part of a body before `<!--more-->`, or None without one. Markers in Markdown code do not count."""
    if "<!--" not in body or markdown_refusal(body):
        return None
    positions = [match.start() for match in _MORE_MARKER.finditer(body)]
    if positions and kind == "markdown" and not is_html_throughout(body):
        code = code_of(body)
        positions = [position for position in positions if not is_in_code(position, code)]
    return body[: positions[0]] if positions else None
