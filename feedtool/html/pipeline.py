"""Clean a body in these steps: check its cost, convert it to HTML, repair it, sanitize it until it is stable.

No body makes it raise an error.
"""

from __future__ import annotations

from collections.abc import Callable

from feedtool.html.body_kind import is_html_throughout
from feedtool.html.images import first_picture, has_unwanted, without_unwanted
from feedtool.html.lazy_images import load_lazy_images_without_parser
from feedtool.html.limits import (
    MAX_MARKUP,
    MAX_TEXT,
    markdown_refusal,
    nesting_refusal,
    output_refusal,
    refusal,
    refused_to_html,
    text_refusal,
)
from feedtool.html.markdown import markdown_to_html, text_to_html
from feedtool.html.policy import Cleaned, Policy, Removal
from feedtool.html.repair import Need, needed, repair, scan_body, without_style_sheets
from feedtool.html.sanitize import has_wrapper, prepare, prepare_html, sanitizer
from feedtool.html.stability import is_stable
from feedtool.html.text import leading_text
from feedtool.models import BodyKind, SafeHtml

_ROUNDS = 5


def clean(body: str, *, kind: BodyKind, policy: Policy, explain: bool = False) -> Cleaned:
    """Return the body as safe HTML, with the plain text at its beginning and its first picture.

    A body that would cost a parser too much becomes plain text, with a warning. Cleaning the result again, as HTML and with
    the same policy, changes nothing, unless `policy.remove` holds selectors of structure or position (`p:first-child`).
    """
    cleaned = clean_html(body, kind=kind, policy=policy, explain=explain)
    return Cleaned(
        html=cleaned.html,
        text=leading_text(cleaned.html),
        image=first_picture(cleaned.html),
        removals=cleaned.removals,
        warnings=cleaned.warnings,
    )


def clean_html(body: str, *, kind: BodyKind, policy: Policy, explain: bool = False) -> Cleaned:
    """Return the same as `clean`, but with empty `text` and `image`."""
    warnings: list[str] = []
    removals: list[Removal] = []
    html = _as_html(body, kind, warnings)
    if explain:
        from feedtool.html.removals import removals_by_sanitizer

        if kind == "html" and has_wrapper(prepare(body)):
            removals.append(Removal(what="CDATA section", detail="<![CDATA[ and ]]> around the body"))
    scan = scan_body(html)
    need = needed(scan, policy)
    sanitize = sanitizer(policy)
    if need is Need.REPAIR and not explain and (bare := without_style_sheets(html, scan, policy)) is not None:
        out = sanitize(bare)
        if _is_final(out, policy):
            return Cleaned(html=SafeHtml(out), warnings=tuple(dict.fromkeys(warnings)))
    loaded = load_lazy_images_without_parser(html, scan.pictures) if need is Need.LAZY_IMAGES else None
    if explain and (loaded is not None or need is Need.NOTHING):
        # Use the removals only, not the repaired body: an explanation must not change the result.
        removals += repair(html, scan, policy, [])[1]
    if loaded is not None:
        html = loaded
    elif need is not Need.NOTHING:
        before = len(html)
        html, removed = repair(html, scan, policy, warnings)
        removals += removed
        if len(html) > 2 * before:
            html = _bounded(html, warnings)
    if explain:
        removals += removals_by_sanitizer(html, policy)
    out = _stable(html, sanitize, policy, warnings, removals)
    return Cleaned(
        html=SafeHtml(out),
        removals=tuple(dict.fromkeys(removals)) if explain else (),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _as_html(body: str, kind: BodyKind, warnings: list[str]) -> str:
    # A body of this size becomes plain text, and its beginning holds enough of that.
    is_cut = len(body) > MAX_MARKUP
    body = body[:MAX_MARKUP]
    if kind == "html":
        return _bounded(prepare_html(body), warnings, is_cut=is_cut)
    body = prepare(body)
    if kind == "text":
        if reason := text_refusal(body):
            leading_lines = _leading_lines(body)
            is_cut = is_cut or len(leading_lines) < len(body)
            return _as_text(text_to_html(leading_lines), reason, warnings, is_cut=is_cut)
        return _bounded(text_to_html(body), warnings)
    if is_html_throughout(body):
        return _bounded(body, warnings, is_cut=is_cut)
    if reason := markdown_refusal(body):
        leading_lines = _leading_lines(body)
        html = (
            text_to_html(leading_lines) if nesting_refusal(leading_lines) else prepare(markdown_to_html(leading_lines))
        )
        return _as_text(html, reason, warnings, is_cut=is_cut or len(leading_lines) < len(body))
    # Character references can produce characters that the raw text must not contain.
    return _bounded(prepare(markdown_to_html(body)), warnings)


def _leading_lines(body: str) -> str:
    """Return the first lines of a body, more than enough for the text that can be published of it."""
    most = 4 * MAX_TEXT
    return body if len(body) <= most else body[: body.rfind("\n", MAX_TEXT, most) + 1 or most]


def _bounded(html: str, warnings: list[str], *, is_cut: bool = False) -> str:
    reason = refusal(html)
    return _as_text(html, reason, warnings, is_cut=is_cut) if reason else html


def _as_text(body: str, reason: str, warnings: list[str], *, is_cut: bool = False) -> str:
    text, is_cut_here = refused_to_html(body)
    cut_note = f", cut after {MAX_TEXT:,} characters" if is_cut or is_cut_here else ""
    warnings.append(f"the body is published as plain text{cut_note}, because {reason}; make it smaller or simpler")
    return text


def _is_final(out: str, policy: Policy) -> bool:
    """Return True if `_stable` would certainly return this output of the sanitizer unchanged."""
    return not output_refusal(out) and not has_unwanted(out, policy) and is_stable(out)


def _stable(
    html: str, sanitize: Callable[[str], str], policy: Policy, warnings: list[str], removals: list[Removal]
) -> str:
    """Sanitize until nothing changes, because a parser may read its own output differently."""
    out = sanitize(html)
    for _ in range(_ROUNDS):
        if reason := output_refusal(out):
            return sanitize(_as_text(out, reason, warnings))
        if has_unwanted(out, policy):
            emptied, removed = without_unwanted(out, policy)
            removals += removed
            out = sanitize(emptied)
            continue
        if is_stable(out):
            return out
        again = sanitize(out)
        if again == out:
            return out
        out = again
    return sanitize(_as_text(out, "it reads differently each time it is parsed", warnings))
