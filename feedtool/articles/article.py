"""Make an Article from a parsed document: typed values, title, link and visible body."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from feedtool.articles.body import visible_body
from feedtool.articles.dialect import DRAFT, Hidden
from feedtool.articles.fields import CATEGORIES, ID, LANGUAGE, LINK, RIGHTS, SUMMARY, TAGS, TITLE, Fields, Note, texts
from feedtool.articles.frontmatter import Document
from feedtool.articles.identity import identity, stem_of
from feedtool.articles.provenance import is_body_as_written
from feedtool.articles.rules import Rules
from feedtool.models import Article, BodyKind, Enclosure

if TYPE_CHECKING:
    from feedtool.html.policy import Removal


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class ReadingDetails:
    """How an article was read, for `feedtool explain`.

    `form` is that of its front matter, `used` maps each value to the key that it was read from, `recovered` is True if the
    front matter is not valid and was read line by line, and `hidden` lists the parts of the body that its site does not show.
    """

    form: str = ""
    encoding: str = ""
    used: dict[str, str] = field(default_factory=dict)
    recovered: bool = False
    hidden: tuple[Removal, ...] = ()


def make_article(
    path: str,
    document: Document,
    fields: Fields,
    published: datetime,
    rules: Rules,
    hidden: Hidden,
    details: ReadingDetails | None,
) -> Article:
    """Return the article; record the hidden parts of its body in `details`, if given."""
    kind = _kind(path, document)
    body, removals = visible_body(document, kind, rules.dialect.name)
    if details is not None:
        details.hidden = removals
    updated = fields.updated()
    hidden = hidden.since(int(published.timestamp()))
    return Article(
        path=path,
        id=identity(path, fields.text(ID), published, rules),
        title=fields.text(TITLE) or _heading(body, kind) or _name_as_title(path),
        published=published,
        updated=updated if updated is not None and updated > published else published,
        body=body,
        kind=kind,
        categories=category_names(fields, rules),
        tags=fields.names(TAGS),
        authors=fields.authors(),
        thumbnail=fields.thumbnail(),
        link=_link(fields),
        summary=fields.text(SUMMARY) or None,
        enclosures=_enclosures(fields),
        language=_language(fields),
        rights=fields.text(RIGHTS) or None,
        source=fields.source(),
        more=fields.more(),
        draft=hidden.kind == DRAFT,
        withheld=hidden.reason,
        shown_from=_utc(hidden.start),
        shown_until=_utc(hidden.end),
        address=rules.dialect.address(fields.values),
        address_zone=rules.dialect.address_zone(fields, rules.zone),
        line=document.text.count("\n", 0, document.split.body) + 1,
    )


def _utc(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def category_names(fields: Fields, rules: Rules) -> tuple[str, ...]:
    """Return the names of the categories; with `hierarchy`, each path and its parents as `parent/child`."""
    if not rules.hierarchy:
        value = fields.values.get("categories")
        if rules.dialect.splits_categories and isinstance(value, str):
            fields.values["categories"] = list(value.split())
        return fields.names(CATEGORIES)
    names: dict[str, None] = {}
    for path in fields.paths():
        for depth in range(1, len(path) + 1):
            names["/".join(path[:depth])] = None
    return tuple(names)


def is_linked(fields: Fields) -> bool:
    """Return True if the article has a valid link of its own; add no notes."""
    if not fields.values.keys().isdisjoint(LINK):
        count = len(fields.notes)
        link = _link(fields)
        del fields.notes[count:]
        return link is not None
    return False


def _link(fields: Fields) -> str | None:
    """Return the first valid link; note the invalid ones before it."""
    from feedtool.html import safe_url

    for key in LINK:
        value = fields.values.get(key)
        text = next(texts(value), "").strip() if value else ""
        address = safe_url(text) if re.match(r"(?i)https?://\S", text) else None
        if address is not None:
            fields.used["link"] = key
            return address
        if text and not (key == "permalink" and re.match(r"[/\w.:-]", text) and "javascript" not in text.lower()):
            message = f"{key}: not an absolute http or https address"
            fields.notes.append(Note(key, "FT017", message, "write it as https://example.org/page"))
    return None


def _enclosures(fields: Fields) -> tuple[Enclosure, ...]:
    """Return the enclosures with an http or https address; note the others."""
    from feedtool.html import safe_url

    kept = []
    for enclosure in fields.enclosures():
        # Check a relative address against any site: rendering resolves it against the real one.
        if safe_url(enclosure.url, "https://localhost/") is None:
            key = fields.used["enclosures"]
            message = f"{key}: not an http or https address; it is left out"
            fields.notes.append(Note(key, "FT020", message, "give it as {url, type, length}"))
        else:
            kept.append(enclosure)
    return tuple(kept)


def _language(fields: Fields) -> str | None:
    text = fields.text(LANGUAGE).replace("_", "-")
    if not text:
        return None
    if re.fullmatch(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,6}", text):
        return text
    key = fields.used.get("lang", "lang")
    fields.notes.append(Note(key, "FT019", f"{key}: not a language tag", "write it as zh-CN or en (BCP 47)"))
    return None


_HEADING = re.compile(r"<(h[1-6])(?: [^<>]*)?>(.+?)</\1>", re.DOTALL)
_SEARCHED = 20_000
_LONGEST_TITLE = 300


def _heading(body: str, kind: BodyKind) -> str:
    """Return the text of the first heading in the sanitized body, so not one in code, a comment or a script."""
    from feedtool.html import Policy, clean_html, plain_text

    html = clean_html(body[:_SEARCHED], kind="markdown" if kind == "text" else kind, policy=Policy()).html
    headings = (plain_text(match[2]) for match in _HEADING.finditer(html))
    return next((text[:_LONGEST_TITLE] for text in headings if text), "")


def _name_as_title(path: str) -> str:
    stem = stem_of(path)
    bare = re.sub(r"^\d{4}-?\d\d-?\d\d[-_ ]+", "", stem) or stem
    return bare.replace("-", " ").replace("_", " ").strip() if bare.isascii() else bare


def _kind(path: str, document: Document) -> BodyKind:
    suffix = path.rpartition(".")[2].lower()
    if suffix in ("html", "htm"):
        return "html"
    if suffix == "txt":
        return "text"
    split = document.split
    matter = document.text[split.start : split.end]
    # A body that ingest wrote is HTML until somebody edits it, whatever it begins with.
    return "html" if "feedtool:" in matter and is_body_as_written(matter, document.body) else "markdown"
