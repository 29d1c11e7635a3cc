"""Where feeds are published in, the documents subscribers get there out: a folder's files, or what a server answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urljoin

from feedtool import store
from feedtool.errors import FeedtoolError, UsageError
from feedtool.walks.build.publish import manifest

if TYPE_CHECKING:
    from feedtool.fetch import Failure, Request, Response

NAMES = ("atom.xml", "feed.json", "rss.xml")
"""Documents of one feed; the first that is there is compared, since Atom says most of an entry."""
OPML = "feeds.opml"
FOREIGN = ("feed.xml", "index.xml", "rss2.xml")
"""Feeds as other generators name them, looked for where feedtool has published nothing yet."""
ABSENT = frozenset({404, 410})


class Document(NamedTuple):
    """One published document by its path below the site's address; `data` None where it is only known to be there.

    `trouble` says why it could not be had, with a hint; then nothing is known of it.
    """

    path: str
    data: bytes | None = None
    trouble: str = ""
    hint: str = ""


def folders_of(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of the feed documents in each folder ("" for the site's own), of the paths of an output."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name in NAMES:
            found.setdefault(folder, []).append(name)
    return {folder: sorted(found[folder]) for folder in sorted(found)}


def in_folder(folder: str) -> Iterator[Document]:
    """Yield the feeds in a folder that is published, or a copy of one; raises UsageError where it is none.

    Its manifest says which there are; without it, as when an upload dropped hidden files or another generator made
    them, names do.
    """
    if not os.path.isdir(folder):
        raise UsageError("there is no such folder", where=folder, hint="give the folder or the address of the site")
    paths = sorted(manifest(folder)) or list(_files(folder))
    there = [path for path in paths if os.path.isfile(os.path.join(folder, path))]
    chosen = {_join(place, _best(names)) for place, names in folders_of(there).items()}
    for path in there:
        name = path.rpartition("/")[2]
        if path in chosen or name in FOREIGN:
            yield Document(path, store.read(os.path.join(folder, path)))
        elif name in NAMES:
            yield Document(path)


def _best(names: list[str]) -> str:
    return next(name for name in NAMES if name in names)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _files(root: str) -> Iterator[str]:
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        for name in names:
            yield name if inside == "." else f"{inside}/{name}"


Fetching = Callable[[Iterable["Request"]], Iterator["Response | Failure"]]


def at_address(address: str, folders: Iterable[str], fetch: Fetching) -> Iterator[Document]:
    """Yield the feeds that are served at a site's address: the site's own, and those that its list of feeds names.

    Where there is no list, `folders` are tried, and what the site's page names. Raises UsageError where the address
    is none.
    """
    base = _base(address)
    first = {one.path: one for one in _ask(base, ("", OPML, *NAMES), fetch)}
    own = [first[name] for name in NAMES if name in first]
    if all(one.data is None for one in first.values()):
        # One reason is enough for a server that says nothing else.
        yield from list(first.values())[:1]
        return
    yield from own
    listed = _listed(first[OPML].data if OPML in first else None)
    if listed is None:
        page = first[""].data if "" in first else None
        name = own[0].path if own else NAMES[0]
        listed = [*_named(page or b"", base), *(_join(folder, name) for folder in folders)]
    yield from _ask(base, (path for path in dict.fromkeys(listed) if path and path not in first), fetch)


def _base(address: str) -> str:
    from feedtool.settings.checks import RefusedError, site_url

    try:
        base = site_url(address)
    except RefusedError as error:
        raise UsageError(error.what, where=address, hint=error.hint) from None
    if base.rstrip("/").rpartition("/")[2].endswith((".xml", ".json", ".html", ".opml", ".rss")):
        raise UsageError("is a file's address", where=address, hint="give that of the folder the site is served from")
    return base


def _ask(base: str, paths: Iterable[str], fetch: Fetching) -> Iterator[Document]:
    """Yield what a server gives for some paths as it comes, what is absent left out."""
    from feedtool.fetch import Request, Response
    from feedtool.slugs import quote_path

    wanted = [Request(url=base + quote_path(path), key=path) for path in paths]
    for answer in fetch(wanted) if wanted else ():
        if isinstance(answer, Response):
            yield Document(answer.key, answer.body)
        elif answer.status not in ABSENT:
            yield Document(answer.key, None, answer.message, answer.hint)


def _listed(data: bytes | None) -> list[str] | None:
    """Return the paths that a published list of feeds names below its own site; None where there is no such list.

    The list is feedtool's own: the site's feed comes first, and tells at which address the site says it is served.
    """
    from feedtool.opml_read import read_opml

    if data is None:
        return None
    try:
        urls = [outline.url for outline in read_opml(data)]
    except FeedtoolError:
        return None
    base = urls[0].rpartition("/")[0] + "/" if urls else ""
    return [_safe(unquote(url[len(base) :])) for url in urls if url.startswith(base)]


def _named(page: bytes, base: str) -> list[str]:
    """Return the paths of the feeds that a page of the site names in its head (autodiscovery)."""
    from feedtool.remote.discovery import discover

    found = [urljoin(base, url) for url, _, kind in discover(page, base) if kind not in ("guess", "link")]
    return [_safe(unquote(url[len(base) :])) for url in found if url.startswith(base) and "?" not in url]


def _safe(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
