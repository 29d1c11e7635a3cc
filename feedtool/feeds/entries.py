"""Make the feed entry of an article: clean the body, make addresses absolute, cut the summary, choose the picture."""

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
    """The settings that affect entries.

    `base_url` is the address of the site. `permalink` is the template of the addresses of articles on a site that renders
    its articles itself, else "". `pages` says which articles get a page beside the feeds. `prefix` is the path of the
    articles' folder.
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
    """An explanation of how an article became an entry: what was removed, and where the thumbnail comes from."""

    removals: tuple[Removal, ...] = ()
    thumbnail: str = "none"


def entry_of(
    article: Article, rules: EntryRules, *, url: str | None, explained: Explained | None = None
) -> tuple[Entry, tuple[Problem, ...]]:
    """Return the entry of an article, and the problems found in its body.

    `url` is the address of the article's page, None if it has no page. Relative addresses in the article are resolved
    against its link, else its permalink, else the address of the site. If `explained` is given, it is filled in.
    """
    # A page that feedtool writes has none of the article's files beside it; these are where the site is.
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
    image, reason = _image(article, cleaned.image, rules, base)
    if explained is not None:
        explained.removals, explained.thumbnail = cleaned.removals, reason
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
        more=tuple((name, _line(value)) for name, value in article.more),
    )
    return entry, tuple(problems)


def _line(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    return line_of(value) if isinstance(value, str) else tuple(map(line_of, value))


def _image(article: Article, first_picture: str | None, rules: EntryRules, base: str) -> tuple[str | None, str]:
    if article.thumbnail == "":
        return None, "none: the front matter asks for no thumbnail"
    if article.thumbnail is None:
        return (
            first_picture,
            "the first real picture of the body" if first_picture else "none: the body has no real picture",
        )
    if rules.distrust_thumbnails and is_placeholder(article.thumbnail):
        return (
            first_picture,
            "the first real picture of the body, because the one in the front matter is a known placeholder",
        )
    address = safe_url(unwrap_proxy(article.thumbnail, rules.policy.proxies), base)
    if address is None:
        return (
            first_picture,
            "the first real picture of the body, because the one in the front matter is not an http address",
        )
    return address, "named by the front matter"


def _summary(article: Article, text: str, policy: Policy, rules: EntryRules) -> str:
    if article.summary is None:
        marked_excerpt = excerpt(article.body, article.kind)
        if marked_excerpt is None:
            return line_of(summarize(text, length=rules.summary_length))
        leading_text = clean(marked_excerpt, kind=article.kind, policy=policy).text
        return line_of(summarize(leading_text, length=max(rules.summary_length, 1000)))
    written = plain_text(article.summary)
    # A summary in the front matter is kept whole, unless it is too long for one.
    return summarize(written, length=max(rules.summary_length, 1000))


def _author(author: Author, base: str) -> Author:
    return Author(name=line_of(author.name), email=author.email, uri=safe_url(author.uri, base) if author.uri else None)


def _categories(article: Article, rules: EntryRules) -> tuple[Category, ...]:
    category_names = set(article.categories)
    return (
        *(Category(name=line_of(name), scheme=f"{rules.base_url}categories/") for name in article.categories),
        *(
            Category(name=line_of(name), scheme=f"{rules.base_url}tags/")
            for name in article.tags
            if name not in category_names
        ),
    )


def _enclosures(article: Article, base: str) -> list[Enclosure]:
    enclosures = []
    for enclosure in article.enclosures:
        url = safe_url(enclosure.url, base)
        if url is not None:
            enclosures.append(replace(enclosure, url=url, title=line_of(enclosure.title) if enclosure.title else None))
    return enclosures


def _source(source: Source | None) -> Source | None:
    if source is None:
        return None
    url = safe_url(source.url) if source.url else None
    title = line_of(source.title) if source.title else None
    return Source(title=title, url=url, id=source.id) if title or url else None


__all__ = ["EntryRules", "Explained", "entry_of"]
