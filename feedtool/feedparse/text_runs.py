"""Split a clean body into runs of text and pictures between block boundaries, and remove runs and pictures from a tree."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from feedtool.html.tree import Node, Tree

_BLOCKS = (
    "address article aside blockquote br center dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header"
    " hgroup hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul"
)
_BLOCK_NAMES = frozenset(_BLOCKS.split())
_SELECTOR = ", ".join(_BLOCKS.split())
# In the sanitizer's output, `>` always ends a tag and `"` a value.
_BOUNDARY = re.compile(r"</?(" + "|".join(sorted(_BLOCK_NAMES, key=len, reverse=True)) + r")(?: [^>]*)?>")
_TAG = re.compile(r"<[^>]*>")
_ANCHOR = re.compile(r"<(/?)a(?: [^>]*)?>")
_PICTURE = re.compile(r'<img(?: [^>]*?)? src="([^"]*)"')
_ADDRESS = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|bmp|svg)\Z", re.IGNORECASE)
_LONGEST = 600


class Run(NamedTuple):
    """The content between two block boundaries: its text as shown, on one line, its pictures, and the key of both.

    `linked` is True if at least half of the text is in links.
    """

    text: str
    pictures: tuple[str, ...]
    key: str
    heading: bool = False
    linked: bool = False


def key_of(text: str, pictures: tuple[str, ...]) -> str:
    """Return a key that is equal for equal runs, "" for a run that is too long to compare."""
    return "\0".join((text.casefold(), *pictures)) if len(text) <= _LONGEST else ""


def runs_of(html: str) -> list[Run]:
    """Return the non-empty runs of a sanitized body, in one pass."""
    parts = _BOUNDARY.split(html)
    runs: list[Run] = []
    last, inside = "", False
    for at in range(0, len(parts), 2):
        part = parts[at]
        if part and not part.isspace():
            run = _run(part, last, inside)
            if run.text or run.pictures:
                runs.append(run)
            # A link may contain blocks, and then starts and ends in different runs.
            if "</a>" in part or "<a" in part:
                inside = part.rfind("<a ") > part.rfind("</a>")
        last = parts[at + 1] if at + 1 < len(parts) else ""
    return runs


def picture_key(url: str) -> str:
    """Return a picture's address without its scheme, and without the query if it is an image file."""
    url = _ADDRESS.sub("", url, count=1).partition("#")[0]
    path, separator, query = url.partition("?")
    return path if _FILE.search(path) else path + separator + query


def discard_runs(tree: Tree, why: Callable[[str], str]) -> None:
    """Remove the runs for whose keys `why` returns a reason, and the blocks that become empty."""
    for nodes in list(_tree_runs(tree)):
        text = _line("".join(_text_in(node) for node in nodes))
        pictures = tuple(picture_key(url) for node in nodes for url in _sources(node))
        reason = why(key_of(text, pictures)) if text or pictures else ""
        if reason:
            whole = _enclosing_block(nodes)
            for number, node in enumerate([whole] if whole is not None else nodes):
                tree.discard(node, reason, "" if number else text or " ".join(pictures))


def discard_pictures(tree: Tree, why: Callable[[str], str]) -> None:
    """Remove the pictures for whose keys `why` returns a reason, and the figure around one that has no other picture."""
    for node in tree.find("img"):
        url = node.attributes.get("src") or ""
        reason = why(picture_key(url))
        if reason:
            parent = node.parent
            alone = parent is not None and parent.tag in ("figure", "picture") and len(parent.css("img")) == 1
            tree.discard(parent if alone and parent is not None else node, reason, url)


def _run(markup: str, boundary: str, inside: bool) -> Run:
    pictures = (
        tuple(picture_key(entities.unescape(url)) for url in _PICTURE.findall(markup)) if "<img" in markup else ()
    )
    text = markup
    if "<" in text:
        text = _TAG.sub("", text)
    if "&" in text:
        text = entities.unescape(text)
    text = _line(text)
    heading = boundary[:1] == "h" and boundary[1:].isdigit()
    return Run(text, pictures, key_of(text, pictures), heading, 2 * _link_size(markup, inside) >= max(1, len(text)))


def _link_size(markup: str, inside: bool) -> int:
    """Return the length of a run's text in links; `inside` means that the run starts inside a link."""
    if not inside and "<a " not in markup:
        return 0
    size = 0
    for number, part in enumerate(_ANCHOR.split(markup)):
        if number % 2:
            inside = not part
        elif inside:
            size += len(_line(entities.unescape(_TAG.sub("", part))))
    return size


def _line(text: str) -> str:
    return " ".join(text.split())


def _tree_runs(tree: Tree) -> Iterator[list[Node]]:
    """Yield the nodes of each run; descend into inline elements that contain blocks, and yield others as a whole."""
    body = tree.parser.body
    node = body.first_child if body is not None else None
    current: list[Node] = []
    while node is not None and body is not None:
        is_block = node.is_element_node and node.tag in _BLOCK_NAMES
        opens = is_block or (node.is_element_node and node.first_child is not None and _contains_block(node))
        if is_block and current:
            yield current
            current = []
        if not opens:
            current.append(node)
        elif node.first_child is not None:
            node = node.first_child
            continue
        node, closed = _next_node(node, body)
        if closed and current:
            yield current
            current = []
    if current:
        yield current


def _next_node(node: Node, top: Node) -> tuple[Node | None, bool]:
    """Return the node after this one and its descendants, and True if a block ended in between."""
    closed = False
    at: Node | None = node
    while at is not None and at.next is None:
        at = at.parent
        if at is None or at.mem_id == top.mem_id:
            return None, True
        closed = closed or at.tag in _BLOCK_NAMES
    return (at.next if at is not None else None), closed


def _enclosing_block(nodes: list[Node]) -> Node | None:
    """Return the block that contains exactly these nodes, None if there is none that can be removed as a whole."""
    parent = nodes[0].parent
    if parent is None or parent.tag not in _BLOCK_NAMES or parent.tag in _CELLS:
        return None
    first, last = parent.first_child, parent.last_child
    same = first is not None and last is not None
    return parent if same and first.mem_id == nodes[0].mem_id and last.mem_id == nodes[-1].mem_id else None  # type: ignore[union-attr]


_CELLS = frozenset({"td", "th", "tr", "table", "tbody", "thead", "tfoot"})


def _contains_block(node: Node) -> bool:
    return node.css_first(_SELECTOR) is not None


def _text_in(node: Node) -> str:
    if node.is_text_node:
        return node.text_content or ""
    return node.text(deep=True) if node.is_element_node else ""


def _sources(node: Node) -> list[str]:
    if not node.is_element_node:
        return []
    pictures = [node] if node.tag == "img" else node.css("img")
    return [src for one in pictures if (src := one.attributes.get("src"))]
