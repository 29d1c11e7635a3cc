"""Parse a body with lexbor into a tree that can be edited in place."""

from __future__ import annotations

from collections.abc import Iterable

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from feedtool.html.names import name_set
from feedtool.html.policy import Removal
from feedtool.html.text import legal_text

Node = LexborNode

_PRUNED_TAGS = name_set("a center div em figure font i p picture section span strong td li")
_LINE_BREAKS = frozenset(["br", "wbr"])
_PRUNING_ROUNDS = 6


class Tree:
    """A parsed body, whose discarded nodes leave the document but exist as long as the tree.

    Lexbor frees a decomposed node and all nodes below it, even if Python still refers to one of them, and then crashes.
    Discarded nodes are therefore moved to a detached element, and lists of nodes stay valid after any edit.
    """

    def __init__(self, html: str) -> None:
        self.parser = LexborHTMLParser("<!doctype html><body>" + html)
        self._may_be_illegal = "&#" in html or "\r" in html
        self.removals: list[Removal] = []
        self._detached = self.parser.create_node("div")
        self._emptied_parents: dict[int, Node] = {}

    def find(self, selector: str) -> list[Node]:
        """Return the elements that match a CSS selector, in document order. Raise ValueError if the selector is invalid."""
        body = self.parser.body
        try:
            return body.css(selector) if body is not None else []
        except SelectolaxError as error:
            raise ValueError(str(error)) from error

    def discard(self, node: Node, what: str, detail: str = "") -> None:
        """Remove an element and all below it from the document, and record the reason in `removals`."""
        parent = node.parent
        if parent is not None:
            self._emptied_parents[parent.mem_id] = parent
        self.removals.append(Removal(what=what, detail=detail[:120]))
        self._detached.insert_child(node, move=True)

    def replace(self, node: Node, value: Node | str) -> None:
        """Replace an element by another one or by text."""
        node.insert_before(value, move=not isinstance(value, str))
        self._detached.insert_child(node, move=True)

    def unwrap(self, node: Node) -> None:
        """Replace an element by its children."""
        for child in list(node.iter(include_text=True)):
            node.insert_before(child, move=True)
        self._detached.insert_child(node, move=True)

    def create(self, tag: str, attributes: Iterable[tuple[str, str]] = (), text: str = "") -> Node:
        """Return a new element that is not yet part of the document."""
        node = self.parser.create_node(tag)
        for name, value in attributes:
            node.attrs[name] = value
        if text:
            node.insert_child(text)
        return node

    def prune(self) -> None:
        """Remove wrapper elements that became empty when their content was discarded."""
        for _ in range(_PRUNING_ROUNDS):
            emptied, self._emptied_parents = self._emptied_parents, {}
            for node in emptied.values():
                parent = node.parent
                if parent is not None and node.tag in _PRUNED_TAGS and _is_empty(node):
                    self._emptied_parents[parent.mem_id] = parent
                    self._detached.insert_child(node, move=True)

    def html(self) -> str:
        """Return the body as HTML that parses to the same tree."""
        for pre in self.parser.tags("pre"):
            first = pre.first_child
            if first is not None and first.is_text_node and (first.text_content or "").startswith("\n"):
                first.insert_before("\n")
        body = self.parser.body
        html = (body.inner_html or "") if body is not None else ""
        # The parser has decoded references such as &#11; and &#13; to the characters themselves.
        return legal_text(html).replace("\r", "\n") if self._may_be_illegal else html


def depth_of(html: str, limit: int) -> int:
    """Return how deep the elements of a body are nested; stop counting beyond `limit`."""
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
        elif child.is_element_node and child.tag not in _LINE_BREAKS:
            return False
    return True
