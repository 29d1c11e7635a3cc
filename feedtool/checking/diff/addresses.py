"""The feeds that a server gives below a site's address: those it lists, those its page names, those in usual places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from feedtool.checking.diff.documents import NAMES, NO_FEED, OPML, Document, is_feed_name, list_trouble
from feedtool.checking.diff.readers import BEGINNING, begins_like_a_feed
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
"""Where Jekyll, Hugo, Hexo, Pelican, Eleventy, Docusaurus, Astro, Gatsby, WordPress, Ghost and Blogger put feeds by default."""
FILES = (".xml", ".json", ".rss", ".atom", ".rdf")
AS_GIVEN = "."
"""Stands for the address as a person gave it, without "/" at its end."""


def at_address(address: str, folders: Iterable[str], fetch: Fetching) -> Iterator[Document]:
    """Yield the feeds that are served at a site's address, or the one at a feed's own address.

    A site's are its own, those that its list of feeds names, and where it has no list of ours, those in `folders`, those
    that its page names, and those in the places where generators put them: 100 requests more at most. What is served and
    is no feed is yielded as well. Raises UsageError where the address is none.
    """
    base, name = _base(address)
    if name:
        yield from (one._replace(placed=False) for one in _ask(_below(base, [name]), fetch))
        return
    wanted = _below(base, ("", OPML, *NAMES))
    if not address.endswith("/") and base.count("/") > 3:
        wanted[AS_GIVEN] = base[:-1]
    first = {one.path: one for one in _ask(wanted, fetch)}
    if first and all(one.data is None for one in first.values()):
        # One reason is enough for a server that says nothing else.
        yield next(iter(first.values()))
        return
    for one in (first.pop(AS_GIVEN, None), first.get("")):
        if one is not None and begins_like_a_feed((one.data or b"")[:BEGINNING]):
            yield one._replace(path="", placed=False)
            return
    own = [first[name] for name in NAMES if name in first]
    yield from own
    listed = _listed(first[OPML].data) if OPML in first else None
    if listed is not None:
        yield from _ask(_below(base, (path for path in dict.fromkeys(listed) if path and path not in first)), fetch)
        return
    page = first.get("", Document(""))
    usual: tuple[str, ...] = USUAL
    if OPML in first and (trouble := first[OPML].trouble or list_trouble(first[OPML].data or b"")):
        yield first[OPML]._replace(data=None, trouble=trouble, hint=first[OPML].hint or NO_FEED)
        usual = ()
    if page.trouble:
        yield page
    name = own[0].path if own else NAMES[0]
    likely = {**_named(page, base), **_below(base, (f"{folder}/{name}" if folder else name for folder in folders))}
    likely |= _below(base, (path for path in usual if path not in likely))
    asked = _ask({path: url for path, url in likely.items() if path not in first}, fetch, home=base)
    yield from filter(_is_announced, asked)


def _is_announced(document: Document) -> bool:
    """Return True unless it is a page in a usual place, whose name promises no feed: a page may well be called "rss"."""
    path, data = document.path, document.data
    return data is None or path not in USUAL or is_feed_name(path) or begins_like_a_feed(data[:BEGINNING])


def _base(address: str) -> tuple[str, str]:
    """Return the address of a site, ending in "/", and the path below it where the address is that of a feed."""
    from feedtool.config.validate import InvalidValueError, site_url

    try:
        base = site_url(address)
    except InvalidValueError as error:
        raise UsageError(error.what, where=address, hint=error.hint) from None
    above, _, name = base.rstrip("/").rpartition("/")
    if above.count("/") < 2:
        return base, ""
    if name.lower().endswith((".html", ".opml")):
        raise UsageError("is a file's address", where=address, hint="give that of the folder the site is served from")
    return (above + "/", unquote(name)) if name.lower().endswith(FILES) else (base, "")


def _quoted(path: str) -> str:
    from feedtool.slugs import quote_path

    return quote_path(path)


def _below(base: str, paths: Iterable[str]) -> dict[str, str]:
    return {path: base + _quoted(path) for path in paths}


def _ask(wanted: dict[str, str], fetch: Fetching, home: str | None = None) -> Iterator[Document]:
    """Yield what servers give for some paths as it comes, what is absent left out; `wanted` holds the address of each.

    `home` is the address that a person gave where a page named others.
    """
    from feedtool.http import Request, Response

    requests = [Request(url=url, key=path, home=home) for path, url in wanted.items()]
    for answer in fetch(requests) if requests else ():
        if isinstance(answer, Response):
            placed = not answer.key.startswith(("http://", "https://"))
            yield Document(answer.key, answer.body, content_type=answer.content_type, url=answer.url, placed=placed)
        elif answer.status not in ABSENT:
            # The site is there where one of its pages leads to a host that is not.
            unknown = answer.unknown_host if home is None else ""
            yield Document(answer.key, None, answer.message, answer.hint, unknown_host=unknown)


def _listed(data: bytes | None) -> list[str] | None:
    """Return the paths that a published list of feeds names below its own site; None where there is no such list.

    The list is feedtool's own: the site's feed comes first, and tells at which address the site says it is served.
    """
    from feedtool.feedparse.opml import read_opml

    if data is None:
        return None
    try:
        urls = [outline.url for outline in read_opml(data)]
    except FeedtoolError:
        return None
    base, _, name = urls[0].rpartition("/") if urls else ("", "", "")
    if name not in NAMES or any(not url.startswith(base + "/") for url in urls):
        return None
    return [_safe(unquote(url[len(base) + 1 :])) for url in urls]


def _named(page: Document, base: str) -> dict[str, str]:
    """Return the feeds that a page of the site names in its head (autodiscovery): their addresses by their paths.

    What lies below the site's address has its path there, what does not its whole address.
    """
    from feedtool.feedparse.discovery import discover

    found = discover(page.data or b"", page.url or base)
    return {_path(url, base): url for url, _, kind in found if kind not in ("guess", "link")}


def _path(url: str, base: str) -> str:
    return _safe(unquote(url[len(base) :])) if url.startswith(base) else url


def _safe(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
