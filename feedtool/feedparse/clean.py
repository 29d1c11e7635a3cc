"""A feed's entries in, the same with clean bodies out: sanitized, without boilerplate, filtered, with their thumbnails."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Literal

from feedtool.config import Html, SourceSettings
from feedtool.feedparse.attachments import missing_pictures
from feedtool.feedparse.boilerplate import (
    Repeated,
    Verdict,
    judge,
    repeated,
    rule_for_line,
    rule_for_picture,
    selectors_for,
)
from feedtool.feedparse.models import RemoteEntry, RemoteFeed
from feedtool.feedparse.text_runs import Run, discard_pictures, discard_runs, picture_key, runs_of
from feedtool.html import Policy, Removal, clean_html, plain_text, safe_url, unwrap_proxy
from feedtool.html.images import first_picture, is_poor_thumbnail
from feedtool.html.limits import refusal
from feedtool.html.repair import text_of
from feedtool.html.sanitize import prepare_html
from feedtool.html.text import leading_text
from feedtool.html.tree import Tree
from feedtool.models import SafeHtml

_OWN_GENERATOR = "feedtool"
_SEARCHED = 200_000
_SEEN = re.compile(r"<(?:img|picture|iframe|video|audio|object|embed)\b", re.IGNORECASE)


_NOTHING = SafeHtml("")


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanEntry(RemoteEntry):
    """An entry whose body is fit to be kept: `html` is safe, and `content` is "" since it says the same unsafely.

    `thumbnail` is None when nothing in the entry is worth showing. `removals` say what was taken out and why,
    `warnings` what was lost in the cleaning. `digest` is of body, picture and summary as they came, and of
    the settings they are cleaned with: while it is the same, a difference in `html`, `thumbnail` or `summary` comes from
    the neighbours in the feed (what repeats is boilerplate), not from the publisher.

    `page` is about entries whose text is to be that of their page and is the feed's: it is asked for "later", or there is
    none and what was "kept" of an earlier visit stays.
    """

    html: SafeHtml = _NOTHING
    thumbnail: str | None = None
    digest: str = ""
    removals: tuple[Removal, ...] = ()
    warnings: tuple[str, ...] = ()
    page: Literal["", "later", "kept"] = ""


@dataclass(slots=True)
class _Body:
    """A body on its way."""

    entry: RemoteEntry
    html: SafeHtml
    runs: list[Run]
    removals: list[Removal]
    warnings: tuple[str, ...]
    digest: str


def clean_entries(
    feed: RemoteFeed, source: SourceSettings, html: Html, *, explain: bool = False
) -> tuple[CleanEntry, ...]:
    """Return the entries that the source's filters let pass, in the feed's order, clean (FORMAT.md section 5).

    What repeats over the entries of this very feed is boilerplate, unless feedtool made the feed: such bodies are clean
    already. `limit` keeps the newest. `explain` names what the sanitizer takes, too, at some cost.
    """
    own = feed.generator.lower().startswith(_OWN_GENERATOR)
    # What feedtool attaches to an entry is its article's thumbnail, which need not be in the text.
    entries = [replace(entry, pictures=()) for entry in feed.entries] if own else feed.entries
    bodies = [_cleaned(entry, source, html, explain) for entry in entries]
    shared = Repeated() if own else repeated(body.runs for body in bodies)
    kept = _newest([body for body in bodies if _wanted(body, source)], source.limit)
    if own:
        return tuple(_finished(body) for body in kept)
    return tuple(_finished(_stripped(body, judge(body.runs, shared), html), shared) for body in kept)


def _policy(entry: RemoteEntry, html: Html) -> Policy:
    return Policy(
        base_url=entry.base,
        tags=html.tags,
        attributes=html.attributes,
        iframe_hosts=html.iframe_hosts,
        drop_trackers=html.drop_trackers,
        proxies=html.proxies,
    )


def _cleaned(entry: RemoteEntry, source: SourceSettings, html: Html, explain: bool) -> _Body:
    """Take out what selectors name, then sanitize."""
    content, removals, warnings = entry.content, list[Removal](), list[str]()
    if entry.content_kind == "html":
        content, removals = without_named(prepare_html(content), (*html.remove, *source.remove), warnings)
    made = clean_html(content, kind=entry.content_kind, policy=_policy(entry, html), explain=explain)
    removals += made.removals
    warnings += made.warnings
    clean = _with_pictures(made.html, entry, html)
    return _Body(entry, clean, runs_of(clean), removals, tuple(warnings), _digest(entry, source, html))


def _with_pictures(body: SafeHtml, entry: RemoteEntry, html: Html) -> SafeHtml:
    """Return the body with the pictures behind its text that are attached to the entry and not in it."""
    added = missing_pictures(body, entry.pictures) if entry.pictures and not refusal(body) else ""
    return (
        clean_html(f"{body}\n{added}" if body else added, kind="html", policy=_policy(entry, html)).html
        if added
        else body
    )


def _digest(entry: RemoteEntry, source: SourceSettings, html: Html) -> str:
    """Return what is equal while a body, its picture and its summary come the same and are cleaned the same way."""
    said = (entry.content, entry.content_kind, entry.image, entry.summary, entry.base, source.remove, html)
    # Without pictures the digest is that of earlier versions.
    text = ascii((*said, entry.pictures) if entry.pictures else said)
    return blake2b(text.encode(), digest_size=9).hexdigest()


def without_named(content: str, remove: Iterable[str], warnings: list[str]) -> tuple[str, list[Removal]]:
    """Take out what the settings name, and what rules name unless nothing to read or see is left then.

    Selectors that can't be read are named in `warnings`.
    """
    own = [(selector, f"selector {selector}") for selector in remove]
    known = [(selector, f"boilerplate: {name}") for selector, name in selectors_for(content)]
    if not (own or known) or refusal(content):
        return content, []
    made, removals = _without(content, own, warnings) if own else (content, [])
    left, more = _without(made, known, warnings) if known else (made, [])
    if more and not _SEEN.search(left) and not plain_text(left).strip():
        return made, removals
    return left, [*removals, *more]


def _without(content: str, selectors: Iterable[tuple[str, str]], warnings: list[str]) -> tuple[str, list[Removal]]:
    tree = Tree(content)
    for selector, why in selectors:
        try:
            found = tree.find(selector)
        except ValueError:
            warnings.append(f"selector {selector!r} can't be read; write it as CSS, such as .share or div[data-ad]")
            continue
        for node in found:
            tree.discard(node, why, text_of(node))
    if not tree.removals:
        return content, []
    tree.prune()
    return tree.html(), list(tree.removals)


def _stripped(body: _Body, verdict: Verdict, html: Html) -> _Body:
    """Take out what was judged boilerplate, and sanitize again, so that nothing edits what was sanitized."""
    if not verdict.runs and not verdict.pictures:
        return body
    if refusal(body.html):
        return body
    tree = Tree(body.html)
    discard_runs(tree, lambda key: verdict.runs.get(key, ""))
    discard_pictures(tree, lambda key: verdict.pictures.get(key, ""))
    tree.prune()
    body.removals += [removal for removal in tree.removals if removal.detail]
    made = clean_html(tree.html(), kind="html", policy=_policy(body.entry, html))
    return replace(body, html=made.html)


def _wanted(body: _Body, source: SourceSettings) -> bool:
    if not source.include and not source.exclude:
        return True
    text = leading_text(body.html, enough=_SEARCHED)[:_SEARCHED]
    parts = (body.entry.title, text)
    if source.include and not any(re.search(source.include, part) for part in parts):
        return False
    return not (source.exclude and any(re.search(source.exclude, part) for part in parts))


_FIRST = datetime.min.replace(tzinfo=UTC)


def _newest(bodies: list[_Body], limit: int | None) -> list[_Body]:
    """Return the newest in the feed's order; entries without a date count as new as the feed's order makes them."""
    if limit is None or len(bodies) <= limit:
        return bodies
    if any(body.entry.published is None and body.entry.updated is None for body in bodies):
        return bodies[:limit]
    order = sorted(range(len(bodies)), key=lambda number: _moment(bodies[number].entry), reverse=True)
    chosen = set(order[:limit])
    return [body for number, body in enumerate(bodies) if number in chosen]


def _moment(entry: RemoteEntry) -> datetime:
    return entry.published or entry.updated or _FIRST


def _finished(body: _Body, shared: Repeated | None = None) -> CleanEntry:
    entry = body.entry
    values = {name: getattr(entry, name) for name in _FIELDS}
    return CleanEntry(
        **values | {"content": "", "content_kind": "html", "pictures": (), "summary": _summary(entry.summary)},
        html=body.html,
        thumbnail=_given(entry, shared) or first_picture(body.html),
        digest=body.digest,
        removals=tuple(dict.fromkeys(body.removals)),
        warnings=body.warnings,
    )


def _summary(summary: str) -> str:
    """Return a summary without the lines at its end that a rule knows."""
    parts = _PARAGRAPH.split(summary) if len(summary) <= _SHORT_SUMMARY else [summary]
    while len(parts) > 1 and (not parts[-1].strip() or rule_for_line(plain_text(parts[-1]))):
        parts.pop()
    return "".join(parts)


_PARAGRAPH = re.compile(r"(?=<p\b)")
_SHORT_SUMMARY = 5_000
_FIELDS = tuple(field.name for field in fields(RemoteEntry))


def _given(entry: RemoteEntry, shared: Repeated | None) -> str | None:
    """Return the picture the feed itself gives the entry, unless it shows nothing of it."""
    if not entry.image:
        return None
    url = safe_url(unwrap_proxy(entry.image))
    if url is None or is_poor_thumbnail(url) or rule_for_picture(url):
        return None
    if shared is not None and picture_key(url) in shared.pictures:
        return None
    return url
