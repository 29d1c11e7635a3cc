"""Define every setting of feedtool.toml: its type, default and documentation.

Validation, the JSON Schema and `data/defaults.toml` are derived from these classes. To add a setting, add a field here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from feedtool.config import validate
from feedtool.config.field_types import (
    ArrayOfTables,
    Boolean,
    Choice,
    Date,
    FormatName,
    Integer,
    ListOf,
    Pairs,
    Person,
    Seconds,
    Size,
    Table,
    TablesByName,
    Text,
)
from feedtool.config.tables import SettingsTable, entry_option, setting, table, visit_option
from feedtool.digests import blake2b
from feedtool.models import Author
from feedtool.registry import OWN_FORMATS

THEME_COLOURS = ("accent", "background", "text", "muted", "border")
THEME_NAMES = (*THEME_COLOURS, *(f"dark-{name}" for name in THEME_COLOURS))
IFRAME_HOSTS = ("www.youtube.com", "www.youtube-nocookie.com", "player.vimeo.com", "player.bilibili.com")
# The output of a build depends on these tables. [[sources]] and [ingest] are not among them: ingest writes article files.
OUTPUT_TABLES = ("base_url", "site", "articles", "feeds", "categories", "html", "pages")

ON_UPDATE = ("merge", "overwrite", "keep")

LINK = Text(validate.url, pattern=validate.URL_PATTERN)
LANGUAGE = Text(validate.language, pattern=validate.LANGUAGE_PATTERN)
PROSE = Text(lines=True)
NAMES = ListOf(Text(required=True))
HOSTS = ListOf(Text(validate.host, pattern=validate.HOST_PATTERN, required=True))


@table
class Site(SettingsTable):
    """Settings of the whole site. `url` ends in "/" or is ""; `authority` defaults to the host of `url`."""

    title: str = setting(Text(required=True), "Title of the site and of its own feed.", default="Feeds")
    url: str = setting(
        Text(validate.site_url, pattern=validate.SITE_URL_PATTERN),
        "Address at which the output folder is served. Feeds need it because all their links are absolute.",
        default="",
        example='"https://example.org/feeds/"',
    )
    description: str = setting(PROSE, "Description of the site, in a sentence or two.", default="")
    language: str = setting(LANGUAGE, 'Language of articles that do not set one (BCP 47), such as "zh-CN".', default="")
    timezone: str = setting(
        Text(validate.zone, required=True), 'Time zone of dates without one, such as "Asia/Shanghai".', default="UTC"
    )
    author: Author | None = setting(
        Person(),
        "Author of the feeds and of articles that do not set one: a name, or a table with name, email and uri.",
        default=None,
        example='{ name = "Ada", email = "ada@example.org", uri = "https://example.org/ada" }',
    )
    rights: str = setting(PROSE, "Copyright notice of the feeds.", default="")
    icon: str = setting(LINK, "URL of a small square icon.", default="")
    image: str = setting(LINK, "URL of an image for the feeds; podcasts need one.", default="")
    hub: str = setting(LINK, "URL of a WebSub hub that pushes updates to subscribers.", default="")
    authority: str = setting(
        Text(validate.authority, pattern=validate.AUTHORITY_PATTERN),
        "Host name used in entry ids; the host of url when empty. Set it to the old host before you move to a new one.",
        default="",
    )

    def __post_init__(self) -> None:
        if not self.authority:
            object.__setattr__(self, "authority", validate.host_of(self.url))


@table
class Articles(SettingsTable):
    """The folder of the articles, their permalinks, and the site generator that also reads them."""

    path: str = setting(Text(required=True), "Folder of the articles, relative to the site folder.", default="articles")
    permalink: str = setting(
        Text(validate.permalink),
        "Address of an article's page on a site that another generator renders. Placeholders: {year} {month} {day} {hour} "
        "{minute} {second} {slug} {stem} {path} {category} {categories} {title}.",
        default="",
        example='"/{year}/{month}/{day}/{slug}/"',
    )
    generator: str = setting(
        Choice("plain", "hexo", "jekyll", "hugo", "pelican"),
        "Site generator whose conventions the articles follow.",
        default="plain",
        old="flavour",
    )


@table
class Select(SettingsTable):
    """An extra feed of the articles that match every condition given here and do not match `exclude`."""

    name: str
    title: str = setting(Text(), "Title of the feed; its name when empty.", default="")
    description: str = setting(PROSE, "Description of the feed.", default="")
    limit: int | None = setting(
        Integer(1), "Number of the newest entries in the feed; [feeds] limit when not given.", default=None
    )
    categories: tuple[str, ...] = setting(NAMES, "Only articles in at least one of these categories.", default=())
    tags: tuple[str, ...] = setting(NAMES, "Only articles with at least one of these tags.", default=())
    authors: tuple[str, ...] = setting(NAMES, "Only articles by at least one of these authors.", default=())
    sources: tuple[str, ...] = setting(NAMES, "Only articles from at least one of these sources.", default=())
    since: str = setting(Date(), "Only articles published on this date or later.", default="", example='"2024-01-01"')
    title_regex: str = setting(
        Text(validate.regex), "Regular expression to search for in the title.", default="", name="title_match"
    )
    exclude: Select | None = setting(
        Table("Select"),
        "The same conditions again: articles that match them are left out.",
        default=None,
        name="not",
        example='{ tags = ["ad"] }',
    )


@table
class Feeds(SettingsTable):
    """What the feeds contain, and how much of it."""

    formats: tuple[str, ...] = setting(
        ListOf(FormatName(), required=True), "Feed formats to write.", default=tuple(OWN_FORMATS)
    )
    limit: int = setting(
        Integer(1), "Number of the newest entries in each feed; older entries go to its archives.", default=50
    )
    max_bytes: int = setting(
        Size(),
        'Maximum size of one feed document in bytes, such as "2MB"; the oldest entries are dropped. 0: no limit.',
        default=0,
    )
    content: str = setting(
        Choice("full", "summary"), "Put the full text of articles into feeds, or only a summary.", default="full"
    )
    archive: bool = setting(
        Boolean(), "Write archives (RFC 5005), so that new subscribers can read the whole history.", default=True
    )
    categories: str = setting(
        Choice("flat", "hierarchy"),
        "How to read a list of categories: as independent ones, or each as a child of the one before it (Hexo).",
        default="flat",
    )
    undated: str = setting(
        Choice("skip", "error"),
        "Report an article without a readable date as a warning (skip) or as an error; it is left out either way.",
        default="skip",
    )
    ttl: int = setting(
        Integer(), "Minutes that feed readers should wait between two requests (RSS). 0: omit.", default=60
    )
    tombstone_days: int = setting(
        Integer(0, 36500),
        "Days for which feeds announce that an article was deleted (tombstones, RFC 6721). 0: never.",
        default=90,
    )
    summary_length: int = setting(
        Integer(1, 100000), "Maximum characters of a summary that is made from the text.", default=240
    )
    podcast_category: str = setting(
        Text(),
        'Apple Podcasts category of feeds with audio or video, such as "Technology". itunes elements are written only if this, '
        "the author's e-mail address and a language are set.",
        default="",
    )
    select: tuple[Select, ...] = setting(
        TablesByName("Select"), "An extra feed of the articles that match every condition given.", default=()
    )


@table
class CategorySettings(SettingsTable):
    """Optional settings of one category's feeds."""

    name: str
    title: str = setting(Text(), "Title of the feed; the category's name when empty.", default="")
    slug: str = setting(
        Text(validate.slug, pattern=validate.SLUG_PATTERN),
        "Folder of the category's feeds; made from the name when empty.",
        default="",
        example='"finance"',
    )
    description: str = setting(PROSE, "Description of the category.", default="")
    image: str = setting(LINK, "URL of an image for the feeds.", default="")
    limit: int | None = setting(
        Integer(1), "Number of the newest entries in the feed; [feeds] limit when not given.", default=None
    )


@table
class Html(SettingsTable):
    """HTML that article bodies may contain beyond the built-in list, and HTML to remove from them."""

    tags: tuple[str, ...] = setting(
        ListOf(Text(validate.tag, pattern=validate.NAME_PATTERN, required=True)),
        "HTML elements to allow beyond the built-in list.",
        default=(),
    )
    attributes: tuple[tuple[str, str], ...] = setting(
        Pairs(
            Text(validate.element, pattern=f"^\\*$|{validate.NAME_PATTERN}", required=True),
            ListOf(Text(validate.attribute, pattern=validate.NAME_PATTERN, required=True)),
        ),
        'HTML attributes to allow beyond the built-in list, by element; "*" means every element.',
        default=(),
        example='{ "*" = ["data-align"], td = ["align"] }',
    )
    iframe_hosts: tuple[str, ...] = setting(
        HOSTS, "Hosts whose embedded frames become links; all other frames are removed.", default=IFRAME_HOSTS
    )
    remove: tuple[str, ...] = setting(NAMES, "CSS selectors of elements to remove from every body.", default=())
    proxies: tuple[str, ...] = setting(
        ListOf(Text(validate.prefix, required=True)),
        "Prefixes to remove from image URLs.",
        default=(),
        example='["https://cors.example.org/?"]',
    )
    drop_trackers: bool = setting(Boolean(), "Remove tracking pixels.", default=True)
    distrust_thumbnails: bool = setting(
        Boolean(), "Ignore thumbnails that are known placeholders or boilerplate.", default=False
    )


@table
class Pages(SettingsTable):
    """HTML pages beside the feeds."""

    articles: str = setting(
        Choice("linkless", "all", "none"),
        "Articles to write pages for: those without a link of their own, all, or none.",
        default="linkless",
    )
    index: bool = setting(Boolean(), "Write index pages for the site and for every category.", default=True)
    theme: tuple[tuple[str, str], ...] = setting(
        Pairs(
            Text(required=True),
            Text(validate.colour, pattern=validate.COLOUR_PATTERN, required=True),
            names=THEME_NAMES,
        ),
        f"Colours of the pages: {', '.join(THEME_COLOURS)}; prefix a name with dark- for dark mode.",
        default=(),
        example='{ accent = "#0a5", dark-accent = "#5fa" }',
    )


@table
class Ingest(SettingsTable):
    """How to fetch sources and write their entries."""

    timeout: float = setting(Seconds(), "Maximum seconds for one source, including all redirects.", default=30.0)
    deadline: float = setting(
        Seconds(),
        "Seconds after which a run visits no more sources; the next run begins with the remaining ones.",
        default=600.0,
    )
    concurrency: int = setting(Integer(1, 1024), "Maximum number of sources fetched at the same time.", default=32)
    per_host: int = setting(Integer(1, 1024), "Maximum number of these from the same host.", default=2)
    max_bytes: int = setting(
        Size(), "Maximum size of one source in bytes after decompression.", default=10000000, example='"10MB"'
    )
    user_agent: str = setting(Text(), "User-Agent header to send; feedtool's own when empty.", default="")
    allow_private_hosts: tuple[str, ...] = setting(
        HOSTS,
        "Hosts that may have private or loopback addresses. Only sources whose own address has such a host can reach it.",
        default=(),
        example='["localhost"]',
    )
    on_update: str = setting(
        Choice(*ON_UPDATE),
        "When an entry changes upstream: merge it with local edits, overwrite the file, or keep the file.",
        default="merge",
    )
    folder: str = setting(
        Text(validate.folder),
        "Folder for new articles, below the articles folder. Placeholders: {source} {category} {year} {month} {day}.",
        default="{source}",
    )


@table
class SourceSettings(SettingsTable):
    """A feed to ingest."""

    name: str = visit_option(Text(required=True), "Name of the source; every source needs a different one.")
    url: str = visit_option(
        Text(validate.source_url, pattern=validate.SOURCE_PATTERN, required=True),
        "Address of the feed, or path of a file relative to the site folder. ${NAME} stands for an environment variable.",
        example='"https://example.org/feed.xml"',
    )
    categories: tuple[str, ...] = entry_option(NAMES, "Categories to add before those of each entry.", default=())
    author: Author | None = entry_option(
        Person(), "Author of entries that do not name one.", default=None, example='"Ada"'
    )
    tags: tuple[str, ...] = entry_option(NAMES, "Tags to add before those of each entry.", default=())
    limit: int | None = entry_option(
        Integer(1), "Maximum number of entries to take in one run; all when not given.", default=None
    )
    include: str = entry_option(
        Text(validate.regex), "Take only entries whose title or text matches this regular expression.", default=""
    )
    exclude: str = entry_option(
        Text(validate.regex), "Skip entries whose title or text matches this regular expression.", default=""
    )
    remove: tuple[str, ...] = entry_option(NAMES, "CSS selectors of elements to remove from bodies.", default=())
    full_text: bool = entry_option(
        Boolean(), "Fetch each entry's page to get its full text; needs feedtool[fulltext].", default=False
    )
    timezone: str = entry_option(
        Text(validate.zone), "Time zone of dates without one; [site] timezone when empty.", default=""
    )
    language: str = entry_option(LANGUAGE, "Language of entries that do not set one (BCP 47).", default="")
    on_update: str = entry_option(Choice(*ON_UPDATE, ""), "As in [ingest]; its value when empty.", default="")
    folder: str = visit_option(Text(validate.folder), "As in [ingest]; its value when empty.", default="")
    headers: tuple[tuple[str, str], ...] = visit_option(
        Pairs(Text(validate.header_name, pattern=validate.HEADER_PATTERN, required=True), Text(validate.header)),
        "HTTP headers to send; ${NAME} stands for an environment variable, so that secrets stay out of this file.",
        default=(),
        example='{ Authorization = "Bearer ${FEED_TOKEN}" }',
    )
    enabled: bool = visit_option(Boolean(), "Fetch this source.", default=True)


@table
class Settings(SettingsTable):
    """All settings of a run. Frozen, hashable and picklable.

    `folder` is the absolute path of the site folder, `file` the path of feedtool.toml or "". `base_url` is the address
    that links lead to; it defaults to `site.url`. `origins` maps each dotted key to the origin of its value ("default",
    "feedtool.toml:12", "FEEDTOOL_SITE_TITLE", "option limit"); comparison ignores it.
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
    site: Site = setting(Table("Site"), "The whole site.", default=Site())
    articles: Articles = setting(Table("Articles"), "Where the articles are.", default=Articles())
    feeds: Feeds = setting(Table("Feeds"), "What the feeds contain, and how much of it.", default=Feeds())
    categories: tuple[CategorySettings, ...] = setting(
        TablesByName("CategorySettings"),
        "Optional settings of one category's feeds; every category has feeds without them.",
        default=(),
    )
    html: Html = setting(
        Table("Html"), "HTML that bodies may contain; scripts, styles and forms are never allowed.", default=Html()
    )
    pages: Pages = setting(Table("Pages"), "HTML pages beside the feeds.", default=Pages())
    ingest: Ingest = setting(Table("Ingest"), "How to fetch sources and write their entries.", default=Ingest())
    sources: tuple[SourceSettings, ...] = setting(
        ArrayOfTables("SourceSettings"), "A feed to ingest; write one table for each feed.", default=()
    )
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not self.base_url:
            object.__setattr__(self, "base_url", self.site.url)

    @property
    def authority(self) -> str:
        """The host name in tag URIs: `site.authority` if set, else the host of `base_url`, else "localhost"."""
        if self.site.authority:
            return self.site.authority
        from urllib.parse import urlsplit  # imported here: it loads ipaddress, and most sites have an address

        return urlsplit(self.base_url).hostname or "localhost"

    def digest(self, *names: str) -> str:
        """Return a stable hex digest of the named tables ("feeds", "html"); by default of all that the output depends on."""
        return blake2b(
            ascii([getattr(self, name) for name in names or OUTPUT_TABLES]).encode(), digest_size=16
        ).hexdigest()


CLASSES: Mapping[str, type[Any]] = {
    each.__name__: each
    for each in (Settings, Site, Articles, Feeds, Select, CategorySettings, Html, Pages, Ingest, SourceSettings)
}
