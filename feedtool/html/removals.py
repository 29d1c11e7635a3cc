"""List for people what the sanitizer will remove from a repaired body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from feedtool.expressions import expression
from feedtool.html.policy import FORCED, Policy, Removal, allowed_attributes, allowed_tags
from feedtool.html.urls import LINKS, safe_url

if TYPE_CHECKING:
    from feedtool.html.tree import Tree

_MAX_REMOVALS = 200
_ADDRESSES = frozenset(("src", "href", "poster", "cite"))
_FRAME = frozenset(("html", "head", "body"))


def removals_by_sanitizer(html: str, policy: Policy) -> list[Removal]:
    """Return the tags, attributes and addresses in `html` that the policy does not allow, each once.

    Stops at about 200 of them.
    """
    from feedtool.html.tree import Tree

    tags, attributes = allowed_tags(policy), allowed_attributes(policy)
    everywhere = attributes["*"]
    tree = Tree(html)
    removals: dict[Removal, None] = dict.fromkeys(_comments(tree)) if _COMMENT.search(html) else {}
    for node in tree.find("*"):
        tag = node.tag or ""
        if tag in _FRAME:
            continue
        if tag not in tags:
            removals[Removal(what=f"tag {tag}"[:80], detail=" ".join(node.text(deep=True)[:400].split())[:120])] = None
        else:
            allowed = everywhere | attributes.get(tag, frozenset()) | frozenset(FORCED.get(tag, ()))
            for name, value in node.attributes.items():
                if removal := _attribute_removal(name, value or "", allowed, policy):
                    removals[removal] = None
        if len(removals) >= _MAX_REMOVALS:
            break
    return list(removals)


# The start of a comment, also of a bogus one that is meant to be something else (HTML 13.2.5.41).
_COMMENT = expression("<(?:[!?]|/[^A-Za-z])")


def _comments(tree: Tree) -> Iterator[Removal]:
    """Yield the comments as a parser sees them, including `<?php …>`, `<![CDATA[…>` and `</ …>`, at most 200."""
    body = tree.parser.body
    count = 0
    for node in body.traverse(include_text=True) if body is not None else ():
        if node.is_element_node or node.is_text_node:
            continue
        text = node.html or ""
        what = "processing instruction" if text.startswith("<?") else "comment"
        if text.startswith("<!--[CDATA["):
            what = "CDATA section"
        yield Removal(what=what, detail=" ".join(text[:400].split())[:120])
        count += 1
        if count == _MAX_REMOVALS:
            return


def _attribute_removal(name: str, value: str, allowed: frozenset[str], policy: Policy) -> Removal | None:
    detail = " ".join(value[:400].split())[:120]
    if name not in allowed:
        return Removal(what=f"attribute {name}"[:80], detail=detail)
    if name in _ADDRESSES and safe_url(value, policy.base_url, schemes=LINKS) is None:
        return Removal(what="unsafe URL", detail=detail)
    return None
