"""Repair the HTML of a body before it is sanitized: load lazy pictures, and remove trackers, placeholders and leftovers.

Nothing is sanitized here, and nothing in the body is trusted.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from feedtool.expressions import expression
from feedtool.html.lazy_images import LAZY_ATTRIBUTES, load_lazy_images, load_lazy_images_without_parser
from feedtool.html.names import name_set
from feedtool.html.policy import CONTENT_DROPPED, Policy, Removal
from feedtool.html.text import utf8_of
from feedtool.html.urls import host_of, is_emoji, is_placeholder, is_tracker, safe_url

if TYPE_CHECKING:
    from feedtool.html.tree import Node, Tree

_TAG = expression(rb"<[a-z][^<>]*+")
_NAME = expression(rb"<([a-z][a-z0-9-]*+)")
_REPLACED_TAGS = name_set("noscript math iframe amp-img amp-anim plaintext xmp")
_MEDIA_TAGS = name_set("img source video")
_INVISIBLE = sorted(CONTENT_DROPPED - {"iframe", "math", "noscript"})
_MORE_THAN_PICTURES = frozenset([*_INVISIBLE, "source", "video", "audio", "image", "figure"])
_NEEDLES = (b" hidden", b"katex-html", b"mathjax_preview", b'"gutter"')
_LAZY_NEEDLES = (b"lazy", b" _src=", b"file=", b" original=", b" src2=")
# The patterns begin with fixed letters, which are searched ten times faster than alternatives.
_LAZY_DATA = expression(rb"data-(?:[a-z]+-)?(?:src|original|actual|echo|url|croporisrc|hi-res)")
_PIXELS = tuple(expression(side + rb"\s*[=:]\s*[\"']?\s*[01](?:px)?[\s\"';/>]") for side in (b"width", b"height"))
_HIDING = expression(rb"display\s*:\s*none")
_HIDDEN_STYLE = expression(r"display\s*:\s*none", re.IGNORECASE)
_HIDDEN_PICTURE = expression(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:^|;)\s*(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|$)", re.I
)

# The pattern begins with fixed letters, which are searched ten times faster than the alternatives that may precede them.
_STYLE = expression(
    r"<style(?:(?<=</p><style)|(?<=</p>\n<style))(?: type=\"text/css\")?>[^<]*+</style>(?=[ \t\n]*<(?:div|img|p)[ >])"
)
# A tag with another "<" before its end: only a parser can tell where it ends and what is inside it.
_OPEN_TAG = expression(r"<[A-Za-z/][^<>]*+<")


class Need(IntEnum):
    """The repair that a body needs before it is sanitized; LAZY_IMAGES stands for lazy pictures and nothing else."""

    NOTHING = 0
    LAZY_IMAGES = 1
    REPAIR = 2


class BodyScan(NamedTuple):
    """The result of scanning a body without a parser, in lower case.

    `raw` holds the different tags, one a line, and `tags` the names of all elements that a parser may find. If quotes make
    it uncertain where a tag ends, `raw` is the whole body, and `styles` is 0. `pictures` and `styles` are numbers of
    elements.
    """

    raw: bytes
    tags: frozenset[str]
    pictures: int
    styles: int


def scan_body(html: str) -> BodyScan:
    """Return what can be found out about a body without parsing it."""
    raw = (utf8_of(html) or html.encode("utf-8", "surrogatepass")).lower()
    differing = set(_TAG.findall(raw))
    tags = b"\n".join(differing)
    names = frozenset(b" ".join(_NAME.findall(tags)).decode().split())
    pictures = raw.count(b"<img") if "img" in names else 0
    odd = any(tag.count(b'"') % 2 for tag in differing) or (
        b"'" in tags and any(tag.count(b"'") % 2 for tag in differing)
    )
    styles = raw.count(b"<style") if "style" in names and not odd else 0
    return BodyScan(raw if odd else tags, names, pictures, styles)


def needed(scan: BodyScan, policy: Policy) -> Need:
    """Return the repair that a body may need; in doubt, it needs one."""
    raw, tags = scan.raw, scan.tags
    if policy.remove or not tags.isdisjoint(_REPLACED_TAGS):
        return Need.REPAIR
    for needle in _NEEDLES:
        if needle in raw:
            return Need.REPAIR
    if b"display" in raw and _HIDING.search(raw):
        return Need.REPAIR
    if tags.isdisjoint(_MEDIA_TAGS):
        return Need.NOTHING
    if b"emoji" in raw or b"smiley" in raw:
        return Need.REPAIR
    for pixel in _PIXELS:
        if pixel.search(raw):
            return Need.REPAIR
    if any(needle in raw for needle in _LAZY_NEEDLES) or _LAZY_DATA.search(raw):
        return Need.REPAIR if not tags.isdisjoint(_MORE_THAN_PICTURES) else Need.LAZY_IMAGES
    return Need.NOTHING


def without_style_sheets(html: str, scan: BodyScan, policy: Policy) -> str | None:
    """Return the body without its style sheets and with its lazy pictures loaded, if it certainly needs no other repair.

    Return None otherwise. A style sheet after a paragraph and before another element leaves no empty element that a repair
    would remove. The result equals that of `repair` only if a parser certainly leaves it unchanged, because `repair` parses
    the body once more.
    """
    if not scan.styles or "<!" in html or b"&#" in scan.raw or _OPEN_TAG.search(html):
        return None
    need = needed(scan._replace(tags=scan.tags - {"style"}), policy)
    if need is not Need.LAZY_IMAGES:
        return None
    html, count = _STYLE.subn("", html)
    return load_lazy_images_without_parser(html, scan.pictures) if count == scan.styles else None


def repair(html: str, scan: BodyScan, policy: Policy, warnings: list[str]) -> tuple[str, list[Removal]]:
    """Return the repaired body and the removals; add a warning for each selector that cannot be read.

    `scan` must be that of the body: elements that it excludes are not searched for.
    """
    from feedtool.html.tree import Tree

    tree = Tree(html)
    tags = scan.tags
    _remove_selected(tree, policy, warnings)
    if "amp-img" in tags or "amp-anim" in tags:
        for node in tree.find("amp-img, amp-anim"):
            tree.replace(node, tree.create("img", _pairs(node)))
    if "plaintext" in tags or "xmp" in tags:
        for node in tree.find("plaintext, xmp"):
            # Their text would be written without escaping and then read as markup.
            tree.unwrap(node)
    load_lazy_images(tree)
    if "noscript" in tags:
        _unwrap_noscript(tree)
    _replace_math(tree, scan)
    if "iframe" in tags:
        _replace_iframes(tree, policy)
    _remove_invisible(tree, scan)
    if "figure" in tags:
        _flatten_code_tables(tree)
    for node in tree.find("img"):
        _remove_emoji_or_tracker(tree, node, policy)
    tree.prune()
    return tree.html(), tree.removals


def text_of(node: Node) -> str:
    """Return the beginning of an element's text on one line, to identify the element."""
    return " ".join(node.text(deep=True)[:400].split())[:120]


def _remove_selected(tree: Tree, policy: Policy, warnings: list[str]) -> None:
    for selector in policy.remove:
        try:
            nodes = tree.find(selector)
        except ValueError:
            warnings.append(f"selector {selector!r} can't be read; write it as CSS, such as .share or div[data-ad]")
            continue
        for node in nodes:
            tree.discard(node, f"selector {selector}", text_of(node))


def _unwrap_noscript(tree: Tree) -> None:
    """Replace each placeholder picture by the real picture in the <noscript> beside it; remove a <noscript> without one."""
    for node in tree.find("noscript"):
        inner = [image for image in node.css("img") if not _is_pixel(image.attributes)]
        if not inner:
            tree.discard(node, "noscript", text_of(node))
            continue
        duplicate = _duplicate_beside(node, inner[0])
        if duplicate is not None:
            tree.discard(duplicate, "placeholder", duplicate.attributes.get("src") or "")
        for image in node.css("script, style, iframe"):
            tree.discard(image, image.tag or "")
        tree.unwrap(node)


def _duplicate_beside(noscript: Node, image: Node) -> Node | None:
    """Return the picture next to a <noscript> that shows the same as the one inside or is a placeholder for it."""
    address = image.attributes.get("src") or ""
    for neighbour in (_beside(noscript, forward=False), _beside(noscript, forward=True)):
        if neighbour is None:
            continue
        candidates = [neighbour] if neighbour.tag == "img" else neighbour.css("img")[:4]
        if neighbour.tag == "noscript":
            continue
        for candidate in candidates:
            attributes = candidate.attributes
            lazy = not LAZY_ATTRIBUTES.isdisjoint(attributes) or "lazy" in (attributes.get("class") or "")
            src = attributes.get("src") or ""
            if src == address or is_placeholder(src) or lazy or _is_preview(attributes):
                return candidate
    return None


def _is_preview(attributes: dict[str, str | None]) -> bool:
    """Return True for Medium's blurred previews, whose address names a width of at most 60 pixels or a quality of 20."""
    match = re.search(r"/max/(\d{1,3})/|[?&]q=20$", attributes.get("src") or "")
    return match is not None and (match.group(1) is None or int(match.group(1)) <= 60)


def _beside(node: Node, *, forward: bool) -> Node | None:
    other = node.next if forward else node.prev
    for _ in range(3):
        if other is None or other.is_element_node:
            return other
        if other.is_text_node and (other.text_content or "").strip():
            return None
        other = other.next if forward else other.prev
    return None


def _replace_math(tree: Tree, scan: BodyScan) -> None:
    if b"katex" in scan.raw or b"mathjax" in scan.raw:
        for node in tree.find(".katex-html, .MathJax_Preview"):
            tree.discard(node, "drawn formula", text_of(node))
    for node in tree.find("math") if "math" in scan.tags else ():
        text = (node.attributes.get("alttext") or "").strip()
        if not text:
            notes = [
                note for note in node.css("annotation") if "tex" in (note.attributes.get("encoding") or "").lower()
            ]
            text = " ".join(notes[0].text(deep=True).split()) if notes else text_of(node)
        tree.replace(node, text or " ")


def _replace_iframes(tree: Tree, policy: Policy) -> None:
    for node in tree.find("iframe"):
        url = safe_url(node.attributes.get("src") or "", policy.base_url)
        host = host_of(url) if url else ""
        if url and any(host == name or host.endswith("." + name) for name in policy.iframe_hosts):
            link = tree.create("a", [("href", url)], host)
            parent = node.parent
            if parent is not None and parent.tag in ("body", "div", "figure", "section", "article", "center", "td"):
                paragraph = tree.create("p")
                paragraph.insert_child(link, move=True)
                link = paragraph
            tree.replace(node, link)
        else:
            tree.discard(node, "iframe", node.attributes.get("src") or "")


def _remove_invisible(tree: Tree, scan: BodyScan) -> None:
    for tag in _INVISIBLE:
        if tag not in scan.tags:
            continue
        for node in tree.parser.tags(tag):
            tree.discard(node, tag, text_of(node))
    if not any(needle in scan.raw for needle in (b"hidden", b"display", b"&#")):
        return
    hidden = [node for node in tree.find("[style], [hidden]") if _is_hidden(node) and node.tag != "img"]
    if hidden:
        body = tree.parser.body
        whole = len(body.text(deep=True) if body is not None else "")
        for node in hidden:
            # Some sites hide the article itself until a script shows it, so keep an element with most of the text.
            if 2 * len(node.text(deep=True)) <= whole:
                tree.discard(node, "hidden element", text_of(node))


def _is_hidden(node: Node) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or _HIDDEN_STYLE.search((attributes.get("style") or "")[:2000]) is not None


def _flatten_code_tables(tree: Tree) -> None:
    """Replace Hexo's code tables, which have a column of line numbers, by the code."""
    for node in tree.find("figure.highlight > table"):
        code = node.css_first("td.code pre")
        if code is not None and node.parent is not None:
            tree.replace(node, code)


def _remove_emoji_or_tracker(tree: Tree, node: Node, policy: Policy) -> None:
    attributes = node.attributes
    src = attributes.get("src") or ""
    alt = (attributes.get("alt") or "").strip()
    kind = (attributes.get("class") or "").lower()
    if alt and len(alt) <= 40 and ("emoji" in kind or "smiley" in kind or is_emoji(src)):
        tree.replace(node, alt)
    elif policy.drop_trackers and (_is_pixel(attributes) or is_tracker(src)):
        tree.discard(node, "tracker", src)


def _is_pixel(attributes: dict[str, str | None]) -> bool:
    for name in ("width", "height"):
        if (attributes.get(name) or "").strip().lower().removesuffix("px") in ("0", "1"):
            return True
    return "hidden" in attributes or _HIDDEN_PICTURE.search((attributes.get("style") or "")[:2000]) is not None


def _pairs(node: Node) -> list[tuple[str, str]]:
    return [(name, value or "") for name, value in node.attributes.items()]
