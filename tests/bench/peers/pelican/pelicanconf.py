"""Pelican's settings for the comparison: RSS and Atom of every category (newest 50) and of the site, no pages."""

SITENAME = "Generated 生成"
SITEURL = "https://example.org/bench"
TIMEZONE = "Asia/Shanghai"
DEFAULT_LANG = "zh"
PATH = "content"
OUTPUT_PATH = "public"
THEME_STATIC_PATHS: list[str] = []
STATIC_PATHS: list[str] = []
DIRECT_TEMPLATES: list[str] = []
# Pelican has one category an article, any number of tags: the three categories are its tags here.
FEED_MAX_ITEMS = 50
FEED_ATOM = "atom.xml"
FEED_RSS = "rss.xml"
FEED_ALL_ATOM = None
CATEGORY_FEED_ATOM = None
AUTHOR_FEED_ATOM = None
AUTHOR_FEED_RSS = None
TRANSLATION_FEED_ATOM = None
TAG_FEED_ATOM = "categories/{slug}/atom.xml"
TAG_FEED_RSS = "categories/{slug}/rss.xml"
RSS_FEED_SUMMARY_ONLY = False
ARTICLE_SAVE_AS = ""
ARTICLE_LANG_SAVE_AS = ""
CATEGORY_SAVE_AS = ""
TAG_SAVE_AS = ""
AUTHOR_SAVE_AS = ""
PAGE_PATHS: list[str] = []
SLUGIFY_USE_UNICODE = True
SLUGIFY_SOURCE = "basename"
