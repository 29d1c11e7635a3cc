"""A repaired body goes in; out comes what the sanitizer will take from it, named for people; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from feedtool.expressions import expression
from feedtool.html.policy import FORCED, Policy, Removal, allowed_attributes, allowed_tags
from feedtool.html.urls import LINKS, safe_url

if TYPE_CHECKING:
    from feedtool.html.tree import Tree

_MANY = 200
_ADDRESSES = frozenset(("src", "href", "poster", "cite"))
_FRAME = frozenset(("html", "head", "body"))


def removals_by_sanitizer(html: str, policy: Policy) -> list[Removal]:
    """Return the first tags, attributes and addresses of `html` that the allow-list has no place for, each once."""
    from feedtool.html.tree import Tree

    tags, attributes = allowed_tags(policy), allowed_attributes(policy)
    everywhere = attributes["*"]
    tree = Tree(html)
    found: dict[Removal, None] = dict.fromkeys(_comments(tree)) if _COMMENT.search(html) else {}
    for node in tree.find("*"):
        tag = node.tag or ""
        if tag in _FRAME:
            continue
        if tag not in tags:
            found[Removal(what=f"tag {tag}"[:80], detail=" ".join(node.text(deep=True)[:400].split())[:120])] = None
        else:
            known = everywhere | attributes.get(tag, frozenset()) | frozenset(FORCED.get(tag, ()))
            for name, value in node.attributes.items():
                if removal := _judged(name, value or "", known, policy):
                    found[removal] = None
        if len(found) >= _MANY:
            break
    return list(found)


# Where a comment may begin, also one that is meant to be something else (HTML 13.2.5.41).
_COMMENT = expression("<(?:[!?]|/[^A-Za-z])")


def _comments(tree: Tree) -> Iterator[Removal]:
    """Yield what a parser takes for comments: also `<?php …>`, `<![CDATA[…>` and `</ …>`."""
    body = tree.parser.body
    seen = 0
    for node in body.traverse(include_text=True) if body is not None else ():
        if node.is_element_node or node.is_text_node:
            continue
        text = node.html or ""
        what = "processing instruction" if text.startswith("<?") else "comment"
        if text.startswith("<!--[CDATA["):
            what = "CDATA section"
        yield Removal(what=what, detail=" ".join(text[:400].split())[:120])
        seen += 1
        if seen == _MANY:
            return


def _judged(name: str, value: str, known: frozenset[str], policy: Policy) -> Removal | None:
    detail = " ".join(value[:400].split())[:120]
    if name not in known:
        return Removal(what=f"attribute {name}"[:80], detail=detail)
    if name in _ADDRESSES and safe_url(value, policy.base_url, schemes=LINKS) is None:
        return Removal(what="unsafe URL", detail=detail)
    return None
