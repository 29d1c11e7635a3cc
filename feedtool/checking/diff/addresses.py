"""Find the feeds that a server publishes below a site's address.

They come from the site's list of feeds, from the links in its page, and from the usual places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from feedtool.checking.diff.documents import NO_FEED, OPML, Document, feed_files, is_feed_name, list_problem
from feedtool.checking.diff.readers import PREFIX_SIZE, looks_like_a_feed
from feedtool.errors import FeedtoolError, UsageError

if TYPE_CHECKING:
    from feedtool.http import Failure, Request, Response

Fetching = Callable[[Iterable["Request"]], Iterator["Response | Failure"]]
ABSENT = frozenset({404, 410})
USUAL = (
    *("feed.xml", "index.xml", "rss2.xml", "feed.rss", "feed.atom", "index.rss", "index.rdf", "rdf.xml"),
    *("feeds/all.atom.xml", "feeds/all.rss.xml", "feed/index.xml", "feed/feed.xml", "feed/rss.xml", "feed/atom.xml"),
    *("blog/atom.xml", "blog/rss.xml", "blog/feed.json", "blog/feed.xml", "blog/index.xml", "blog/feed.rss"),
    *("posts/index.xml", "post/index.xml", "news/index.xml", "feeds/posts/default"),
    *("feed/", "feed", "rss/", "rss", "atom", "feed/atom/", "blog/feed/"),
)
"""The default places of feeds in Jekyll, Hugo, Hexo, Pelican, Eleventy, Docusaurus, Astro, Gatsby, WordPress, Ghost and Blogger."""
FILES = (".xml", ".json", ".rss", ".atom", ".rdf")
AS_GIVEN = "."
"""The key of the address exactly as the user gave it, without a "/" at its end."""


def at_address(address: str, folders: Iterable[str], fetch: Fetching) -> Iterator[Document]:
    """Yield the feeds that are served at a site's address, or the single feed at a feed's own address.

    A site's feeds are its own, those in its list of feeds, and if it has no list by feedtool, those in `folders`, those
    that its page links to, and those in the default places of generators: at most 100 more requests. A document that is
    served but is not a feed is yielded as well. Raise UsageError if the address is invalid.
    """
    base, name = _base(address)
    if name:
        yield from (one._replace(placed=False) for one in _fetch_documents(_below(base, [name]), fetch))
        return
    urls = _below(base, ("", OPML, *feed_files()))
    if not address.endswith("/") and base.count("/") > 3:
        urls[AS_GIVEN] = base[:-1]
    first = {one.path: one for one in _fetch_documents(urls, fetch)}
    if first and all(one.data is None for one in first.values()):
        # One problem is enough if every request fails.
        yield next(iter(first.values()))
        return
    for one in (first.pop(AS_GIVEN, None), first.get("")):
        if one is not None and looks_like_a_feed((one.data or b"")[:PREFIX_SIZE]):
            yield one._replace(path="", placed=False)
            return
    own = [first[name] for name in feed_files() if name in first]
    yield from own
    paths = _listed(first[OPML].data) if OPML in first else None
    if paths is not None:
        yield from _fetch_documents(
            _below(base, (path for path in dict.fromkeys(paths) if path and path not in first)), fetch
        )
        return
    page = first.get("", Document(""))
    usual: tuple[str, ...] = USUAL
    if OPML in first and (problem := first[OPML].problem or list_problem(first[OPML].data or b"")):
        yield first[OPML]._replace(data=None, problem=problem, hint=first[OPML].hint or NO_FEED)
        usual = ()
    if page.problem:
        yield page
    name = own[0].path if own else feed_files()[0]
    likely = {**_announced(page, base), **_below(base, (f"{folder}/{name}" if folder else name for folder in folders))}
    likely |= _below(base, (path for path in usual if path not in likely))
    documents = _fetch_documents({path: url for path, url in likely.items() if path not in first}, fetch, home=base)
    yield from filter(_is_announced, documents)


def _is_announced(document: Document) -> bool:
    """Return True unless the document is a page in a usual place whose name does not imply a feed: a page may be called "rss"."""
    path, data = document.path, document.data
    return data is None or path not in USUAL or is_feed_name(path) or looks_like_a_feed(data[:PREFIX_SIZE])


def _base(address: str) -> tuple[str, str]:
    """Return the address of the site, ending in "/", and the path below it if the address is that of a feed."""
    from feedtool.config.validate import InvalidValueError, site_url

    try:
        base = site_url(address)
    except InvalidValueError as error:
        raise UsageError(error.what, where=address, hint=error.hint) from None
    above, _, name = base.rstrip("/").rpartition("/")
    if above.count("/") < 2:
        return base, ""
    if name.lower().endswith((".html", ".opml")):
        raise UsageError("is the address of a file", where=address, hint="give the address of the site's folder")
    is_file = name.lower().endswith(FILES) or unquote(name) in feed_files()
    return (above + "/", unquote(name)) if is_file else (base, "")


def _quoted(path: str) -> str:
    from feedtool.slugs import quote_path

    return quote_path(path)


def _below(base: str, paths: Iterable[str]) -> dict[str, str]:
    return {path: base + _quoted(path) for path in paths}


def _fetch_documents(urls: dict[str, str], fetch: Fetching, home: str | None = None) -> Iterator[Document]:
    """Yield the documents at some paths as they arrive, without those that are absent; `urls` holds the address of each path.

    `home` is the address that the user gave, if the others come from a page.
    """
    from feedtool.http import Request, Response

    requests = [Request(url=url, key=path, home=home) for path, url in urls.items()]
    for answer in fetch(requests) if requests else ():
        if isinstance(answer, Response):
            placed = not answer.key.startswith(("http://", "https://"))
            yield Document(answer.key, answer.body, content_type=answer.content_type, url=answer.url, placed=placed)
        elif answer.status not in ABSENT:
            # The site itself exists, even if one of its pages links to a host that does not.
            unknown = answer.unknown_host if home is None else ""
            yield Document(answer.key, None, answer.message, answer.hint, unknown_host=unknown)


def _listed(data: bytes | None) -> list[str] | None:
    """Return the paths below the site in a published list of feeds, or None if there is no such list.

    The list must be feedtool's own: the site's feed comes first, and shows the address at which the site is served.
    """
    from feedtool.feedparse.opml import read_opml

    if data is None:
        return None
    try:
        urls = [outline.url for outline in read_opml(data)]
    except FeedtoolError:
        return None
    base, _, name = urls[0].rpartition("/") if urls else ("", "", "")
    if name not in feed_files() or any(not url.startswith(base + "/") for url in urls):
        return None
    return [_safe(unquote(url[len(base) + 1 :])) for url in urls]


def _announced(page: Document, base: str) -> dict[str, str]:
    """Return the feeds that a page of the site links to in its head (autodiscovery): addresses by path.

    The path of a feed outside the site is its whole address.
    """
    from feedtool.feedparse.discovery import discover

    links = discover(page.data or b"", page.url or base)
    return {_path(url, base): url for url, _, kind in links if kind not in ("guess", "link")}


def _path(url: str, base: str) -> str:
    return _safe(unquote(url[len(base) :])) if url.startswith(base) else url


def _safe(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
