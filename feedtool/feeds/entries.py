"""An article in, an Entry ready to render out: body cleaned, addresses absolute, summary cut, picture chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from feedtool.html import (
    Policy,
    Removal,
    clean,
    is_placeholder,
    legal_text,
    line_of,
    plain_text,
    safe_url,
    summarize,
    unwrap_proxy,
)
from feedtool.html.excerpt import excerpt
from feedtool.models import Article, Author, Category, Enclosure, Entry, Problem, SafeHtml, Source


class EntryRules(NamedTuple):
    """What of the settings bears on making entries; `base_url` is the site's, `own_page` tells where articles live.

    `permalink` is the template of a site that renders its articles itself; "" where it does not.
    """

    policy: Policy
    base_url: str
    full: bool = True
    summary_length: int = 240
    permalink: str = ""
    pages: str = "linkless"
    distrust_thumbnails: bool = False
    prefix: str = "articles/"


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Explained:
    """What was done to an article on its way into feeds, for a person who asks."""

    removals: tuple[Removal, ...] = ()
    thumbnail: str = "none"


def entry_of(
    article: Article, rules: EntryRules, *, url: str | None, explained: Explained | None = None
) -> tuple[Entry, tuple[Problem, ...]]:
    """Return the entry of an article, and what a person should know of its making.

    `url` is where the article is shown, None when nowhere; relative addresses in it stand against it.
    """
    # Our own page of an article holds none of the files beside it; those are where the site is.
    base = article.link or (url if rules.permalink else None) or rules.base_url
    policy = replace(rules.policy, base_url=base)
    cleaned = clean(article.body, kind=article.kind, policy=policy, explain=explained is not None)
    problems = [
        Problem(
            file=rules.prefix + article.path,
            code="FT015",
            message=warning,
            hint="look at the article with `feedtool explain`",
            severity="warning",
            line=article.line,
        )
        for warning in cleaned.warnings
    ]
    image, why = _image(article, cleaned.image, rules, base)
    if explained is not None:
        explained.removals, explained.thumbnail = cleaned.removals, why
    entry = Entry(
        id=legal_text(article.id),
        title=line_of(article.title),
        published=article.published,
        updated=article.updated,
        url=url,
        content=cleaned.html if rules.full else SafeHtml(""),
        summary=_summary(article, cleaned.text, policy, rules),
        image=image,
        authors=tuple(_author(author, base) for author in article.authors),
        categories=_categories(article, rules),
        enclosures=tuple(_enclosures(article, base)),
        language=article.language,
        rights=line_of(article.rights) if article.rights else None,
        source=_source(article.source),
    )
    return entry, tuple(problems)


def _image(article: Article, found: str | None, rules: EntryRules, base: str) -> tuple[str | None, str]:
    if article.thumbnail == "":
        return None, "the front matter wants none"
    if article.thumbnail is None:
        return found, "the first real picture of the body" if found else "none: the body has no real picture"
    if rules.distrust_thumbnails and is_placeholder(article.thumbnail):
        return found, "the front matter's is a known placeholder; the first real picture of the body instead"
    address = safe_url(unwrap_proxy(article.thumbnail, rules.policy.proxies), base)
    if address is None:
        return found, "the front matter's is no http address; the first real picture of the body instead"
    return address, "named by the front matter"


def _summary(article: Article, text: str, policy: Policy, rules: EntryRules) -> str:
    if article.summary is None:
        beginning = excerpt(article.body, article.kind)
        if beginning is None:
            return line_of(summarize(text, length=rules.summary_length))
        begun = clean(beginning, kind=article.kind, policy=policy).text
        return line_of(summarize(begun, length=max(rules.summary_length, 1000)))
    written = plain_text(article.summary)
    # What a person wrote is kept whole, unless it is no summary any more.
    return summarize(written, length=max(rules.summary_length, 1000))


def _author(author: Author, base: str) -> Author:
    return Author(name=line_of(author.name), email=author.email, uri=safe_url(author.uri, base) if author.uri else None)


def _categories(article: Article, rules: EntryRules) -> tuple[Category, ...]:
    known = set(article.categories)
    return (
        *(Category(name=line_of(name), scheme=f"{rules.base_url}categories/") for name in article.categories),
        *(Category(name=line_of(name), scheme=f"{rules.base_url}tags/") for name in article.tags if name not in known),
    )


def _enclosures(article: Article, base: str) -> list[Enclosure]:
    kept = []
    for enclosure in article.enclosures:
        url = safe_url(enclosure.url, base)
        if url is not None:
            kept.append(replace(enclosure, url=url, title=line_of(enclosure.title) if enclosure.title else None))
    return kept


def _source(source: Source | None) -> Source | None:
    if source is None:
        return None
    url = safe_url(source.url) if source.url else None
    title = line_of(source.title) if source.title else None
    return Source(title=title, url=url, id=source.id) if title or url else None


__all__ = ["EntryRules", "Explained", "entry_of"]
