"""Read texts back from XML documents that feedtool has written."""

from __future__ import annotations


def texts_at(path: str, data: bytes) -> list[str] | None:
    """Return the texts of the elements at a path in a document, in its order; None if it cannot be read."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(data, parser) if data else None
    if root is None:
        return None
    return [element.text for element in root.iterfind(path) if element.text]
