"""The walk of a body, from any string to `Cleaned`: guard, repair, remove, sanitize, settle; never raises on a body."""

from __future__ import annotations

from collections.abc import Callable

from feedtool.html.body_kind import is_html_throughout
from feedtool.html.images import first_picture, has_unwanted, without_unwanted
from feedtool.html.lazy_images import awake
from feedtool.html.limits import (
    MAX_TEXT,
    MOST_MARKUP,
    markdown_refusal,
    nesting_refusal,
    outgrown,
    refusal,
    refused_to_html,
    text_refusal,
)
from feedtool.html.markdown import markdown_to_html, text_to_html
from feedtool.html.policy import Cleaned, Policy, Removal
from feedtool.html.repair import Need, needed, repair, scan_body, unstyled
from feedtool.html.sanitize import has_wrapper, prepare, prepare_html, sanitizer
from feedtool.html.stability import is_stable
from feedtool.html.text import leading_text
from feedtool.models import BodyKind, SafeHtml

_ROUNDS = 5


def clean(body: str, *, kind: BodyKind, policy: Policy, explain: bool = False) -> Cleaned:
    """Return the body as safe HTML, with the plain text and the picture it begins with.

    What would cost a parser too much becomes plain text, with a warning. Cleaning what was cleaned, as HTML and under
    the same policy, changes nothing unless `policy.remove` holds selectors of structure or position (`p:first-child`).
    """
    made = clean_html(body, kind=kind, policy=policy, explain=explain)
    return Cleaned(
        html=made.html,
        text=leading_text(made.html),
        image=first_picture(made.html),
        removals=made.removals,
        warnings=made.warnings,
    )


def clean_html(body: str, *, kind: BodyKind, policy: Policy, explain: bool = False) -> Cleaned:
    """Return the same as `clean`, but for what the body begins with: `text` and `image` are empty."""
    warnings: list[str] = []
    removals: list[Removal] = []
    html = _as_html(body, kind, warnings)
    if explain:
        from feedtool.html.removals import removals_by_sanitizer

        if kind == "html" and has_wrapper(prepare(body)):
            removals.append(Removal(what="CDATA section", detail="<![CDATA[ and ]]> around the body"))
    look = scan_body(html)
    need = needed(look, policy)
    sanitize = sanitizer(policy)
    if need is Need.REPAIR and not explain and (bare := unstyled(html, look, policy)) is not None:
        out = sanitize(bare)
        if _is_done(out, policy):
            return Cleaned(html=SafeHtml(out), warnings=tuple(dict.fromkeys(warnings)))
    woken = awake(html, look.pictures) if need is Need.WAKING else None
    if explain and (woken is not None or need is Need.NOTHING):
        # What is read and written once more may read otherwise: asking must not change the answer.
        removals += repair(html, look, policy, [])[1]
    if woken is not None:
        html = woken
    elif need is not Need.NOTHING:
        before = len(html)
        html, gone = repair(html, look, policy, warnings)
        removals += gone
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
    # So large a body becomes plain text, of which there is enough in its beginning.
    is_cut = len(body) > MOST_MARKUP
    body = body[:MOST_MARKUP]
    if kind == "html":
        return _bounded(prepare_html(body), warnings, is_cut=is_cut)
    body = prepare(body)
    if kind == "text":
        if reason := text_refusal(body):
            beginning = _beginning(body)
            is_cut = is_cut or len(beginning) < len(body)
            return _as_text(text_to_html(beginning), reason, warnings, is_cut=is_cut)
        return _bounded(text_to_html(body), warnings)
    if is_html_throughout(body):
        return _bounded(body, warnings, is_cut=is_cut)
    if reason := markdown_refusal(body):
        beginning = _beginning(body)
        html = text_to_html(beginning) if nesting_refusal(beginning) else prepare(markdown_to_html(beginning))
        return _as_text(html, reason, warnings, is_cut=is_cut or len(beginning) < len(body))
    # References can name what the raw text may not hold.
    return _bounded(prepare(markdown_to_html(body)), warnings)


def _beginning(body: str) -> str:
    """Return the lines that a body begins with, more than can be published of it as text."""
    most = 4 * MAX_TEXT
    return body if len(body) <= most else body[: body.rfind("\n", MAX_TEXT, most) + 1 or most]


def _bounded(html: str, warnings: list[str], *, is_cut: bool = False) -> str:
    reason = refusal(html)
    return _as_text(html, reason, warnings, is_cut=is_cut) if reason else html


def _as_text(body: str, reason: str, warnings: list[str], *, is_cut: bool = False) -> str:
    text, is_cut_here = refused_to_html(body)
    how = f", cut behind {MAX_TEXT:,} characters" if is_cut or is_cut_here else ""
    warnings.append(f"the body is published as plain text{how}, because {reason}; make it smaller or simpler")
    return text


def _is_done(out: str, policy: Policy) -> bool:
    """Tell whether `_settled` would surely leave what was sanitized once as it is."""
    return not outgrown(out) and not has_unwanted(out, policy) and is_stable(out)


def _stable(
    html: str, sanitize: Callable[[str], str], policy: Policy, warnings: list[str], removals: list[Removal]
) -> str:
    """Sanitize until nothing more changes: a parser may read back otherwise what it wrote itself."""
    out = sanitize(html)
    for _ in range(_ROUNDS):
        if reason := outgrown(out):
            return sanitize(_as_text(out, reason, warnings))
        if has_unwanted(out, policy):
            emptied, gone = without_unwanted(out, policy)
            removals += gone
            out = sanitize(emptied)
            continue
        if is_stable(out):
            return out
        again = sanitize(out)
        if again == out:
            return out
        out = again
    return sanitize(_as_text(out, "it reads differently each time it is parsed", warnings))
