"""The settings themselves: frozen classes with their defaults, kinds and documentation; nothing is read here.

From these fields come validation, the JSON Schema and `data/defaults.toml`: a setting is added here alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from feedtool.config import validate
from feedtool.config.field_types import (
    Choice,
    Day,
    Flag,
    Many,
    Named,
    Pairs,
    Person,
    Rows,
    Seconds,
    Size,
    Table,
    Text,
    Whole,
)
from feedtool.config.tables import Keyed, setting, table
from feedtool.digests import blake2b
from feedtool.models import Author

THEME_COLOURS = ("accent", "background", "text", "muted", "border")
THEME_NAMES = (*THEME_COLOURS, *(f"dark-{name}" for name in THEME_COLOURS))
IFRAME_HOSTS = ("www.youtube.com", "www.youtube-nocookie.com", "player.vimeo.com", "player.bilibili.com")
# What a build's bytes depend on. Sources and ingest are not among them: what they bring arrives as article files.
SHOWN = ("base_url", "site", "articles", "feeds", "categories", "html", "pages")


ON_UPDATE = ("merge", "overwrite", "keep")

LINK = Text(validate.url, pattern=validate.URL_PATTERN)
LANGUAGE = Text(validate.language, pattern=validate.LANGUAGE_PATTERN)
PROSE = Text(lines=True)
NAMES = Many(Text(required=True))
HOSTS = Many(Text(validate.host, pattern=validate.HOST_PATTERN, required=True))


@table
class Site(Keyed):
    """The site as a whole. `url` ends in "/" or is ""; `authority` falls back to its host."""

    title: str = setting(Text(required=True), "Title of the site and of its own feed.", default="Feeds")
    url: str = setting(
        Text(validate.site_url, pattern=validate.SITE_URL_PATTERN),
        "Address the output folder is served at. Feeds need it: every link in them is absolute.",
        default="",
        example='"https://example.org/feeds/"',
    )
    description: str = setting(PROSE, "What the site is about, in a sentence or two.", default="")
    language: str = setting(LANGUAGE, 'Language of the articles that name none (BCP 47), such as "zh-CN".', default="")
    timezone: str = setting(
        Text(validate.zone, required=True), 'Zone of dates written without one, such as "Asia/Shanghai".', default="UTC"
    )
    author: Author | None = setting(
        Person(),
        "Author of the feeds and of articles that name none: a name, or a table of name, email and uri.",
        default=None,
        example='{ name = "Ada", email = "ada@example.org", uri = "https://example.org/ada" }',
    )
    rights: str = setting(PROSE, "Copyright notice of the feeds.", default="")
    icon: str = setting(LINK, "URL of a small square picture.", default="")
    image: str = setting(LINK, "URL of a picture for the feeds; podcasts need it.", default="")
    hub: str = setting(LINK, "URL of the WebSub hub that pushes updates to subscribers.", default="")
    authority: str = setting(
        Text(validate.authority, pattern=validate.AUTHORITY_PATTERN),
        "Host in the ids of entries; the url's host when empty. Set it to the old host before moving to a new one.",
        default="",
    )

    def __post_init__(self) -> None:
        if not self.authority:
            object.__setattr__(self, "authority", validate.host_of(self.url))


@table
class Articles(Keyed):
    """Where articles lie and which generator else reads them."""

    path: str = setting(Text(required=True), "Folder of the articles, relative to the site folder.", default="articles")
    permalink: str = setting(
        Text(validate.permalink),
        "Where a site that already renders pages shows an article, with {year} {month} {day} {hour} {minute} "
        "{second} {slug} {stem} {path} {category} {categories} {title}.",
        default="",
        example='"/{year}/{month}/{day}/{slug}/"',
    )
    flavour: str = setting(
        Choice("plain", "hexo", "jekyll", "hugo", "pelican"), "Generator that also reads the articles.", default="plain"
    )


@table
class Select(Keyed):
    """An extra feed: the articles that match every list and bound that is given, and not `exclude`."""

    name: str
    title: str = setting(Text(), "Title of the feed; its name when empty.", default="")
    description: str = setting(PROSE, "What the feed is about.", default="")
    limit: int | None = setting(Whole(1), "Entries in the feed; [feeds] limit when not given.", default=None)
    categories: tuple[str, ...] = setting(NAMES, "Any of these categories.", default=())
    tags: tuple[str, ...] = setting(NAMES, "Any of these tags.", default=())
    authors: tuple[str, ...] = setting(NAMES, "Any of these authors.", default=())
    sources: tuple[str, ...] = setting(NAMES, "Any of these sources.", default=())
    since: str = setting(Day(), "Published on this date or later.", default="", example='"2024-01-01"')
    title_regex: str = setting(
        Text(validate.regex), "Regular expression found in the article's title.", default="", name="title_match"
    )
    exclude: Select | None = setting(
        Table("Select"),
        "The same keys: what matches them is left out.",
        default=None,
        name="not",
        example='{ tags = ["ad"] }',
    )


@table
class Feeds(Keyed):
    """What every feed holds and how much."""

    formats: tuple[str, ...] = setting(
        Many(Choice("atom", "rss", "json"), required=True), "Formats to write.", default=("atom", "rss", "json")
    )
    limit: int = setting(Whole(1), "Newest entries in a feed; older ones are in its archives.", default=50)
    max_bytes: int = setting(
        Size(), 'Most bytes of one feed document, such as "2MB"; the oldest entries give way. 0: no bound.', default=0
    )
    content: str = setting(
        Choice("full", "summary"), "Whether entries carry their text or a summary only.", default="full"
    )
    archive: bool = setting(
        Flag(), "Write archives (RFC 5005), so that new subscribers can read the whole history.", default=True
    )
    categories: str = setting(
        Choice("flat", "hierarchy"),
        "How a list of categories reads: each by itself, or each below the one before it (Hexo).",
        default="flat",
    )
    undated: str = setting(
        Choice("skip", "error"),
        "An article without a readable date: left out with a warning or an error.",
        default="skip",
    )
    ttl: int = setting(Whole(), "Minutes readers may wait before they ask again (RSS). 0: not said.", default=60)
    tombstone_days: int = setting(
        Whole(0, 36500),
        "Days that a deleted article's tombstone stays in feeds (RFC 6721). 0: no tombstones.",
        default=90,
    )
    summary_length: int = setting(Whole(1, 100000), "Most characters of a summary cut from the text.", default=240)
    podcast_category: str = setting(
        Text(),
        'Category of Apple Podcasts for feeds with audio or video, such as "Technology"; without one (or without the author\'s'
        " e-mail and a language) they carry no itunes elements.",
        default="",
    )
    select: tuple[Select, ...] = setting(
        Named("Select"), "An extra feed by query: articles must match every key given.", default=()
    )


@table
class CategorySettings(Keyed):
    """What one category's feeds say beside its name."""

    name: str
    title: str = setting(Text(), "Title of the feed; the category's name when empty.", default="")
    slug: str = setting(
        Text(validate.slug, pattern=validate.SLUG_PATTERN),
        "Folder of the feeds; made from the name when empty.",
        default="",
        example='"finance"',
    )
    description: str = setting(PROSE, "What the category is about.", default="")
    image: str = setting(LINK, "URL of a picture for the feeds.", default="")
    limit: int | None = setting(Whole(1), "Entries in the feed; [feeds] limit when not given.", default=None)


@table
class Html(Keyed):
    """What bodies may hold beyond the built-in list, and what is taken out of them."""

    tags: tuple[str, ...] = setting(
        Many(Text(validate.tag, pattern=validate.NAME_PATTERN, required=True)),
        "Elements to allow beyond the built-in list.",
        default=(),
    )
    attributes: tuple[tuple[str, str], ...] = setting(
        Pairs(
            Text(validate.element, pattern=f"^\\*$|{validate.NAME_PATTERN}", required=True),
            Many(Text(validate.attribute, pattern=validate.NAME_PATTERN, required=True)),
        ),
        'Attributes to allow beyond the built-in list, by element; "*" is every element.',
        default=(),
        example='{ "*" = ["data-align"], td = ["align"] }',
    )
    iframe_hosts: tuple[str, ...] = setting(
        HOSTS, "Hosts whose embedded frames become links; frames of all others are dropped.", default=IFRAME_HOSTS
    )
    remove: tuple[str, ...] = setting(NAMES, "CSS selectors of what to take out of every body.", default=())
    proxies: tuple[str, ...] = setting(
        Many(Text(validate.prefix, required=True)),
        "Prefixes to take off picture URLs.",
        default=(),
        example='["https://cors.example.org/?"]',
    )
    drop_trackers: bool = setting(Flag(), "Take out tracking pixels.", default=True)
    distrust_thumbnails: bool = setting(
        Flag(), "Ignore thumbnails that are known placeholders or boilerplate.", default=False
    )


@table
class Pages(Keyed):
    """The pages for people beside the feeds."""

    articles: str = setting(
        Choice("linkless", "all", "none"),
        "Articles that get a page here: those without a link of their own, all, or none.",
        default="linkless",
    )
    index: bool = setting(Flag(), "Write the index pages of the site and of every category.", default=True)
    theme: tuple[tuple[str, str], ...] = setting(
        Pairs(
            Text(required=True),
            Text(validate.colour, pattern=validate.COLOUR_PATTERN, required=True),
            names=THEME_NAMES,
        ),
        f"Colours of the pages: {', '.join(THEME_COLOURS)}, and each with dark- before it.",
        default=(),
        example='{ accent = "#0a5", dark-accent = "#5fa" }',
    )


@table
class Ingest(Keyed):
    """How sources are fetched and their entries written."""

    timeout: float = setting(Seconds(), "Most seconds for one source, all redirects included.", default=30.0)
    deadline: float = setting(
        Seconds(),
        "Seconds after which a run asks no further source; those left are the first of the next run.",
        default=600.0,
    )
    concurrency: int = setting(Whole(1, 1024), "Sources fetched at the same time.", default=32)
    per_host: int = setting(Whole(1, 1024), "Of these, at most so many from one host.", default=2)
    max_bytes: int = setting(Size(), "Most bytes of one source, decompressed.", default=10000000, example='"10MB"')
    user_agent: str = setting(Text(), "User-Agent to send; feedtool's own when empty.", default="")
    allow_private_hosts: tuple[str, ...] = setting(
        HOSTS,
        "Hosts that may have private or loopback addresses: those of sources; no other source leads there.",
        default=(),
        example='["localhost"]',
    )
    on_update: str = setting(
        Choice(*ON_UPDATE),
        "When upstream changes: follow it but keep local edits, overwrite them, or keep the file.",
        default="merge",
    )
    folder: str = setting(
        Text(validate.folder),
        "Folder of new articles below the articles folder, with {source} {category} {year} {month} {day}.",
        default="{source}",
    )


@table
class SourceSettings(Keyed):
    """A feed to ingest."""

    name: str = setting(Text(required=True), "Name of the source, unlike that of every other.")
    url: str = setting(
        Text(validate.source_url, pattern=validate.SOURCE_PATTERN, required=True),
        "Address of the feed, in which ${NAME} stands for an environment variable, or a file relative to the site folder.",
        example='"https://example.org/feed.xml"',
    )
    categories: tuple[str, ...] = setting(NAMES, "Categories of every entry, before its own.", default=())
    author: Author | None = setting(Person(), "Author of entries that name none.", default=None, example='"Ada"')
    tags: tuple[str, ...] = setting(NAMES, "Tags of every entry, before its own.", default=())
    limit: int | None = setting(Whole(1), "Most entries taken in one run; all when not given.", default=None)
    include: str = setting(Text(validate.regex), "Regular expression that title or text must match.", default="")
    exclude: str = setting(Text(validate.regex), "Regular expression that neither may match.", default="")
    remove: tuple[str, ...] = setting(NAMES, "CSS selectors of what to take out of bodies.", default=())
    full_text: bool = setting(Flag(), "Fetch each entry's page for its text; needs feedtool[fulltext].", default=False)
    timezone: str = setting(Text(validate.zone), "Zone of dates without one; [site] timezone when empty.", default="")
    language: str = setting(LANGUAGE, "Language of entries that name none (BCP 47).", default="")
    on_update: str = setting(Choice(*ON_UPDATE, ""), "As in [ingest], which holds when empty.", default="")
    folder: str = setting(Text(validate.folder), "As in [ingest], which holds when empty.", default="")
    headers: tuple[tuple[str, str], ...] = setting(
        Pairs(Text(validate.header_name, pattern=validate.HEADER_PATTERN, required=True), Text(validate.header)),
        "Headers to send; ${NAME} stands for an environment variable, so that secrets stay out of this file.",
        default=(),
        example='{ Authorization = "Bearer ${FEED_TOKEN}" }',
    )
    enabled: bool = setting(Flag(), "Whether the source is fetched.", default=True)


@table
class Settings(Keyed):
    """Everything feedtool was told. Frozen, hashable and fit to be sent to another process.

    `folder` is the absolute site folder, `file` the path of feedtool.toml or "". `base_url` is where links lead,
    `site.url` unless it was given. `origins` says of each dotted key where its value came from ("default",
    "feedtool.toml:12", "FEEDTOOL_SITE_TITLE", "--limit"); it takes no part in comparison.
    """

    folder: str = ""
    file: str = ""
    base_url: str = setting(
        Text(validate.site_url),
        "Address that links lead to in this run; [site] url when empty.",
        default="",
        in_file=False,
    )
    output: str = setting(Text(required=True), "Folder to write to, relative to the site folder.", default="public")
    site: Site = setting(Table("Site"), "The site as a whole.", default=Site())
    articles: Articles = setting(Table("Articles"), "Where the articles are.", default=Articles())
    feeds: Feeds = setting(Table("Feeds"), "What every feed holds and how much.", default=Feeds())
    categories: tuple[CategorySettings, ...] = setting(
        Named("CategorySettings"), "What one category's feeds say; every category has feeds without it.", default=()
    )
    html: Html = setting(Table("Html"), "What bodies may hold; scripts, styles and forms never.", default=Html())
    pages: Pages = setting(Table("Pages"), "The pages for people beside the feeds.", default=Pages())
    ingest: Ingest = setting(Table("Ingest"), "How sources are fetched and written.", default=Ingest())
    sources: tuple[SourceSettings, ...] = setting(
        Rows("SourceSettings"), "A feed to ingest; one table for each.", default=()
    )
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not self.base_url:
            object.__setattr__(self, "base_url", self.site.url)

    @property
    def authority(self) -> str:
        """The host in tag URIs: the one set, else that of the site's address, else that of this run's."""
        if self.site.authority:
            return self.site.authority
        from urllib.parse import urlsplit  # loads ipaddress besides, and most sites have an address

        return urlsplit(self.base_url).hostname or "localhost"

    def digest(self, *names: str) -> str:
        """Return a stable hex digest of the named parts ("feeds", "html"), without names of all that output needs."""
        return blake2b(ascii([getattr(self, name) for name in names or SHOWN]).encode(), digest_size=16).hexdigest()


CLASSES: Mapping[str, type[Any]] = {
    each.__name__: each
    for each in (Settings, Site, Articles, Feeds, Select, CategorySettings, Html, Pages, Ingest, SourceSettings)
}
