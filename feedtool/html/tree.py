"""A body as a tree that can be edited in place, over lexbor; knows nothing of what ought to be edited."""

from __future__ import annotations

from collections.abc import Iterable

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from feedtool.html.names import name_set
from feedtool.html.policy import Removal
from feedtool.html.text import legal_text

Node = LexborNode

_PRUNED = name_set("a center div em figure font i p picture section span strong td li")
_KEPT_BY = frozenset(["br", "wbr"])
_PRUNING_ROUNDS = 6


class Tree:
    """A parsed body; what is discarded leaves the document but lives on until the tree is gone.

    Lexbor frees a decomposed node together with all below it while Python may still hold one of those: a crash. So
    nodes are moved out of the way instead, and every list of nodes stays good whatever was discarded meanwhile.
    """

    def __init__(self, html: str) -> None:
        self.parser = LexborHTMLParser("<!doctype html><body>" + html)
        self._may_be_illegal = "&#" in html or "\r" in html
        self.removals: list[Removal] = []
        self._bin = self.parser.create_node("div")
        self._bereft: dict[int, Node] = {}

    def find(self, selector: str) -> list[Node]:
        """Return the elements a CSS selector names, in document order; raises ValueError when it is no selector."""
        body = self.parser.body
        try:
            return body.css(selector) if body is not None else []
        except SelectolaxError as error:
            raise ValueError(str(error)) from error

    def discard(self, node: Node, what: str, detail: str = "") -> None:
        """Take an element and all below it out of the document, and remember why."""
        parent = node.parent
        if parent is not None:
            self._bereft[parent.mem_id] = parent
        self.removals.append(Removal(what=what, detail=detail[:120]))
        self._bin.insert_child(node, move=True)

    def replace(self, node: Node, value: Node | str) -> None:
        """Put another element, or text, where this one stood."""
        node.insert_before(value, move=not isinstance(value, str))
        self._bin.insert_child(node, move=True)

    def unwrap(self, node: Node) -> None:
        """Leave what is below an element in its place, without the element."""
        for child in list(node.iter(include_text=True)):
            node.insert_before(child, move=True)
        self._bin.insert_child(node, move=True)

    def create(self, tag: str, attributes: Iterable[tuple[str, str]] = (), text: str = "") -> Node:
        """Return a new element that stands nowhere yet."""
        node = self.parser.create_node(tag)
        for name, value in attributes:
            node.attrs[name] = value
        if text:
            node.insert_child(text)
        return node

    def prune(self) -> None:
        """Take out the wrappers that discarding left with nothing in them."""
        for _ in range(_PRUNING_ROUNDS):
            bereft, self._bereft = self._bereft, {}
            for node in bereft.values():
                parent = node.parent
                if parent is not None and node.tag in _PRUNED and _is_empty(node):
                    self._bereft[parent.mem_id] = parent
                    self._bin.insert_child(node, move=True)

    def html(self) -> str:
        """Return the document's body as HTML that parses to this very tree."""
        for pre in self.parser.tags("pre"):
            first = pre.first_child
            if first is not None and first.is_text_node and (first.text_content or "").startswith("\n"):
                first.insert_before("\n")
        body = self.parser.body
        html = (body.inner_html or "") if body is not None else ""
        # What the parser decoded (&#11; &#13;) stands here as the character itself.
        return legal_text(html).replace("\r", "\n") if self._may_be_illegal else html


def depth_of(html: str, limit: int) -> int:
    """Return how deep a body's elements are nested, stopping past `limit`."""
    node = LexborHTMLParser("<!doctype html><body>" + html).body
    top = node
    depth = deepest = 0
    while node is not None and depth <= limit:
        child = node.first_child
        if child is not None:
            node, depth = child, depth + 1
            deepest = max(deepest, depth)
            continue
        while node is not None and node is not top and node.next is None:
            node, depth = node.parent, depth - 1
            if depth <= 0:
                return deepest
        node = node.next if node is not None else None
    return max(deepest, depth)


def _is_empty(node: Node) -> bool:
    for child in node.iter(include_text=True, skip_empty=True):
        if child.is_text_node:
            if (child.text_content or "").strip():
                return False
        elif child.is_element_node and child.tag not in _KEPT_BY:
            return False
    return True
