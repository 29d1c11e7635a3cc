"""Read the feeds and their folders from an OPML list, without resolving entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedtool.errors import FeedtoolError
from feedtool.html import line_of

MAXIMUM = 10_000_000
DEPTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A subscription, with its `folders` from the outermost to the innermost."""

    title: str
    url: str
    folders: tuple[str, ...] = ()


def read_opml(data: bytes) -> tuple[Outline, ...]:
    """Return the feeds of an OPML 1.0 or 2.0 list in document order, each address once, with all of its folders.

    `category` attributes count as folders ("/A/B" is B in A). Raise FeedtoolError if the data is not OPML, is too large, or
    has a document type with entities, which a subscription list does not need.
    """
    from lxml import etree

    if len(data) > MAXIMUM:
        raise FeedtoolError(f"has {len(data):,} bytes", hint=f"feedtool reads at most {MAXIMUM:,} bytes of OPML")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FeedtoolError(f"is not XML: {str(error)[:200]}", hint="export it from the feed reader again") from None
    kind: Any = root.getroottree().docinfo.internalDTD
    if kind is not None and next(kind.iterentities(), None) is not None:
        raise FeedtoolError("declares entities, which no subscription list needs", hint="remove its DOCTYPE")
    if etree.QName(root).localname.lower() != "opml":
        raise FeedtoolError("is not OPML", hint="its first element must be <opml>")
    return _outlines(root)


def _outlines(root: Any) -> tuple[Outline, ...]:
    by_url: dict[str, Outline] = {}
    pending: list[tuple[Any, tuple[str, ...]]] = [(root, ())]
    while pending:
        element, folders = pending.pop()
        attributes = {name.lower(): line_of(value) for name, value in element.attrib.items()}
        url = attributes.get("xmlurl", "")
        title = attributes.get("title") or attributes.get("text") or ""
        below = folders
        if url:
            categories = [
                part for path in attributes.get("category", "").split(",") for part in path.split("/") if part.strip()
            ]
            own = Outline(
                title=title or url, url=url, folders=tuple(dict.fromkeys((*folders, *map(str.strip, categories))))
            )
            previous = by_url.get(url)
            if previous is not None:
                own = Outline(
                    title=previous.title, url=url, folders=tuple(dict.fromkeys((*previous.folders, *own.folders)))
                )
            by_url[url] = own
        elif title and element.tag == "outline" and len(folders) < DEPTH:
            below = (*folders, title)
        children = [child for child in element if isinstance(child.tag, str)]
        pending.extend((child, below) for child in reversed(children) if child.tag != "head")
    return tuple(by_url.values())
