"""Write sitemaps for search engines (sitemaps.org protocol 0.9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from feedtool.html import legal_text

MAX_ADDRESSES = 50_000
"""The protocol's limit of addresses in one file ("Using Sitemap index files")."""
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

Row = tuple[str, str | None]


def sitemap(pages: Iterable[Row], *, base_url: str) -> list[tuple[str, bytes]]:
    """Return (path, bytes) of the files of a sitemap.

    `pages` are absolute addresses with the date of their last change (RFC 3339) or None. Beyond 50,000 addresses,
    `sitemap.xml` is an index of `sitemap-1.xml`, `sitemap-2.xml`, …. The given order is kept: with the oldest address
    first, only the last part changes.
    """
    chunks = list(_chunks(pages))
    if len(chunks) < 2:
        return [("sitemap.xml", _document("urlset", "url", chunks[0] if chunks else []))]
    parts = [(f"sitemap-{number}.xml", chunk) for number, chunk in enumerate(chunks, 1)]
    index = [(base_url + path, max((when for _, when in chunk if when), default=None)) for path, chunk in parts]
    return [
        *((path, _document("urlset", "url", chunk)) for path, chunk in parts),
        ("sitemap.xml", _document("sitemapindex", "sitemap", index)),
    ]


def sitemap_paths(count: int) -> list[str]:
    """Return the paths of the files that `sitemap` makes for this number of addresses, without making them."""
    if count <= MAX_ADDRESSES:
        return ["sitemap.xml"]
    return [*(f"sitemap-{number}.xml" for number in range(1, -(-count // MAX_ADDRESSES) + 1)), "sitemap.xml"]


def _chunks(pages: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(pages)
    while chunk := list(islice(rows, MAX_ADDRESSES)):
        yield chunk


def _document(kind: str, item: str, rows: Sequence[Row]) -> bytes:
    from lxml import etree  # imported here because a build without pages does not need it

    names: Any = {None: _NAMESPACE}  # the type stubs do not allow a default namespace
    root = etree.Element(f"{{{_NAMESPACE}}}{kind}", nsmap=names)
    root.text = "\n"
    for url, when in rows:
        row = etree.SubElement(root, f"{{{_NAMESPACE}}}{item}")
        etree.SubElement(row, f"{{{_NAMESPACE}}}loc").text = legal_text(url)
        if when:
            etree.SubElement(row, f"{{{_NAMESPACE}}}lastmod").text = legal_text(when)
        row.tail = "\n"
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"
