"""Filter a feed's entries, sanitize their bodies, remove boilerplate, and choose their thumbnails."""

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
    Boilerplate,
    Repeated,
    count_repeated,
    find_boilerplate,
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
_MEDIA = re.compile(r"<(?:img|picture|iframe|video|audio|object|embed)\b", re.IGNORECASE)


_NOTHING = SafeHtml("")


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanEntry(RemoteEntry):
    """An entry with a sanitized body: `html` is safe, and `content`, its unsafe original, is "".

    `thumbnail` is None if no picture of the entry is suitable. `removals` lists what was removed and why, `warnings` what was
    lost in the cleaning. `digest` covers the body, picture and summary as received, and the settings for cleaning them.
    While it is equal, a difference in `html`, `thumbnail` or `summary` comes from the other entries of the feed (repeated
    parts are boilerplate), not from the publisher.

    `page` concerns entries that should have the text of their page, but have the feed's: the page is fetched "later", or
    there is none and the text of an earlier visit is "kept".
    """

    html: SafeHtml = _NOTHING
    thumbnail: str | None = None
    digest: str = ""
    removals: tuple[Removal, ...] = ()
    warnings: tuple[str, ...] = ()
    page: Literal["", "later", "kept"] = ""


@dataclass(slots=True)
class _Body:
    """A body between the steps of the cleaning."""

    entry: RemoteEntry
    html: SafeHtml
    runs: list[Run]
    removals: list[Removal]
    warnings: tuple[str, ...]
    digest: str


def clean_entries(
    feed: RemoteFeed, source: SourceSettings, html: Html, *, explain: bool = False
) -> tuple[CleanEntry, ...]:
    """Return the clean entries that pass the source's filters, in the feed's order.

    Text and pictures that repeat in the entries of this feed are boilerplate, unless feedtool made the feed: such bodies
    are clean already. The source's `limit` keeps the newest entries. `explain` also records the sanitizer's removals, which
    takes more time.
    """
    own = feed.generator.lower().startswith(_OWN_GENERATOR)
    # feedtool attaches an article's thumbnail to its entry; the thumbnail need not be in the text.
    entries = [replace(entry, pictures=()) for entry in feed.entries] if own else feed.entries
    bodies = [_cleaned(entry, source, html, explain) for entry in entries]
    shared = Repeated() if own else count_repeated(body.runs for body in bodies)
    passed = _newest([body for body in bodies if _passes_filters(body, source)], source.limit)
    if own:
        return tuple(_entry_of(body) for body in passed)
    return tuple(
        _entry_of(_without_boilerplate(body, find_boilerplate(body.runs, shared), html), shared) for body in passed
    )


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
    """Remove the elements that selectors match, then sanitize the body."""
    content, removals, warnings = entry.content, list[Removal](), list[str]()
    if entry.content_kind == "html":
        content, removals = without_named(prepare_html(content), (*html.remove, *source.remove), warnings)
    result = clean_html(content, kind=entry.content_kind, policy=_policy(entry, html), explain=explain)
    removals += result.removals
    warnings += result.warnings
    clean = _with_pictures(result.html, entry, html)
    return _Body(entry, clean, runs_of(clean), removals, tuple(warnings), _digest(entry, source, html))


def _with_pictures(body: SafeHtml, entry: RemoteEntry, html: Html) -> SafeHtml:
    """Return the body, followed by the entry's attached pictures that it does not show."""
    added = missing_pictures(body, entry.pictures) if entry.pictures and not refusal(body) else ""
    return (
        clean_html(f"{body}\n{added}" if body else added, kind="html", policy=_policy(entry, html)).html
        if added
        else body
    )


def _digest(entry: RemoteEntry, source: SourceSettings, html: Html) -> str:
    """Return a digest of the body, picture and summary as received, and of the settings for cleaning them."""
    parts = (entry.content, entry.content_kind, entry.image, entry.summary, entry.base, source.remove, html)
    # Without pictures the digest equals that of earlier versions.
    text = ascii((*parts, entry.pictures) if entry.pictures else parts)
    return blake2b(text.encode(), digest_size=9).hexdigest()


def without_named(content: str, remove: Iterable[str], warnings: list[str]) -> tuple[str, list[Removal]]:
    """Remove the elements that the settings' selectors match, and those of the shipped rules if some content is left.

    Add a message to `warnings` for each selector that cannot be parsed.
    """
    own = [(selector, f"selector {selector}") for selector in remove]
    shipped = [(selector, f"boilerplate: {name}") for selector, name in selectors_for(content)]
    if not (own or shipped) or refusal(content):
        return content, []
    result, removals = _without_selected(content, own, warnings) if own else (content, [])
    left, more = _without_selected(result, shipped, warnings) if shipped else (result, [])
    if more and not _MEDIA.search(left) and not plain_text(left).strip():
        return result, removals
    return left, [*removals, *more]


def _without_selected(
    content: str, selectors: Iterable[tuple[str, str]], warnings: list[str]
) -> tuple[str, list[Removal]]:
    tree = Tree(content)
    for selector, why in selectors:
        try:
            nodes = tree.find(selector)
        except ValueError:
            warnings.append(f"selector {selector!r} can't be read; write it as CSS, such as .share or div[data-ad]")
            continue
        for node in nodes:
            tree.discard(node, why, text_of(node))
    if not tree.removals:
        return content, []
    tree.prune()
    return tree.html(), list(tree.removals)


def _without_boilerplate(body: _Body, boilerplate: Boilerplate, html: Html) -> _Body:
    """Remove the boilerplate, and sanitize again, so that the sanitizer always makes the last edit."""
    if not boilerplate.runs and not boilerplate.pictures:
        return body
    if refusal(body.html):
        return body
    tree = Tree(body.html)
    discard_runs(tree, lambda key: boilerplate.runs.get(key, ""))
    discard_pictures(tree, lambda key: boilerplate.pictures.get(key, ""))
    tree.prune()
    body.removals += [removal for removal in tree.removals if removal.detail]
    result = clean_html(tree.html(), kind="html", policy=_policy(body.entry, html))
    return replace(body, html=result.html)


def _passes_filters(body: _Body, source: SourceSettings) -> bool:
    if not source.include and not source.exclude:
        return True
    text = leading_text(body.html, enough=_SEARCHED)[:_SEARCHED]
    parts = (body.entry.title, text)
    if source.include and not any(re.search(source.include, part) for part in parts):
        return False
    return not (source.exclude and any(re.search(source.exclude, part) for part in parts))


_FIRST = datetime.min.replace(tzinfo=UTC)


def _newest(bodies: list[_Body], limit: int | None) -> list[_Body]:
    """Return the newest bodies in the feed's order; if any entry has no date, return the first ones."""
    if limit is None or len(bodies) <= limit:
        return bodies
    if any(body.entry.published is None and body.entry.updated is None for body in bodies):
        return bodies[:limit]
    order = sorted(range(len(bodies)), key=lambda number: _moment(bodies[number].entry), reverse=True)
    chosen = set(order[:limit])
    return [body for number, body in enumerate(bodies) if number in chosen]


def _moment(entry: RemoteEntry) -> datetime:
    return entry.published or entry.updated or _FIRST


def _entry_of(body: _Body, shared: Repeated | None = None) -> CleanEntry:
    entry = body.entry
    values = {name: getattr(entry, name) for name in _FIELDS}
    return CleanEntry(
        **values | {"content": "", "content_kind": "html", "pictures": (), "summary": _summary(entry.summary)},
        html=body.html,
        thumbnail=_own_picture(entry, shared) or first_picture(body.html),
        digest=body.digest,
        removals=tuple(dict.fromkeys(body.removals)),
        warnings=body.warnings,
    )


def _summary(summary: str) -> str:
    """Return a summary without the paragraphs at its end that match a rule."""
    parts = _PARAGRAPH.split(summary) if len(summary) <= _SHORT_SUMMARY else [summary]
    while len(parts) > 1 and (not parts[-1].strip() or rule_for_line(plain_text(parts[-1]))):
        parts.pop()
    return "".join(parts)


_PARAGRAPH = re.compile(r"(?=<p\b)")
_SHORT_SUMMARY = 5_000
_FIELDS = tuple(field.name for field in fields(RemoteEntry))


def _own_picture(entry: RemoteEntry, shared: Repeated | None) -> str | None:
    """Return the picture that the feed gives for the entry, unless it is boilerplate or unsuitable as a thumbnail."""
    if not entry.image:
        return None
    url = safe_url(unwrap_proxy(entry.image))
    if url is None or is_poor_thumbnail(url) or rule_for_picture(url):
        return None
    if shared is not None and picture_key(url) in shared.pictures:
        return None
    return url
