"""Write OPML 2.0 subscription lists, which any feed reader can import."""

from __future__ import annotations

from collections.abc import Sequence

from feedtool.feeds.values import folder_of, language_tag, legal, page_of
from feedtool.feeds.xml_writer import Frame, element, line, markup
from feedtool.models import Feed

_FRAME = Frame("opml", {}, version="2.0")


def outline(title: str, feeds: Sequence[Feed], *, file: str) -> bytes:
    """Return a subscription list with this title of the given feeds, in order (OPML 2.0, "Subscription lists").

    `file` is the name of the feed document in each feed's folder. The list contains no dates and no entries.
    """
    head = element("head", element("title", markup(title))) + "\n"
    lines = [line("outline", None, _attributes(feed, file)) for feed in feeds]
    body = element("body", "\n" + "".join(lines)) + "\n"
    return b"".join(_FRAME.document(head + body))


def _attributes(feed: Feed, file: str) -> dict[str, str]:
    name, url, page = legal(feed.title), folder_of(feed), page_of(feed)
    # The type is "rss" for every format: OPML 2.0 defines no other, and readers expect it.
    attributes = {"text": name, "title": name, "type": "rss", "xmlUrl": url + file, "htmlUrl": page}
    if feed.description:
        attributes["description"] = legal(feed.description)
    if language := language_tag(feed.language):
        attributes["language"] = language
    return attributes
