import os

AUTHOR = "Ada"
SITENAME = "A Pelican site"
SITEURL = ""
PATH = "content"
ARTICLE_PATHS = [""]
TIMEZONE = "Asia/Tokyo"
DEFAULT_LANG = "ja"
ARTICLE_URL = "posts/{date:%Y}/{slug}.html"
SLUGIFY_SOURCE = "basename"
FEED_DOMAIN = os.environ["THIS_IS_NEVER_EXECUTED"]
raise SystemExit("this file was executed")
