"""HTML goes in, and comes out with its pictures real and its leavings gone; sanitizes nothing and trusts nobody."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from feedtool.expressions import expression
from feedtool.html.lazy_images import WAKING, awake, load_lazy_images
from feedtool.html.names import name_set
from feedtool.html.policy import CONTENT_DROPPED, Policy, Removal
from feedtool.html.text import utf8_of
from feedtool.html.urls import host_of, is_emoji, is_placeholder, is_tracker, safe_url

if TYPE_CHECKING:
    from feedtool.html.tree import Node, Tree

_TAG = expression(rb"<[a-z][^<>]*+")
_NAME = expression(rb"<([a-z][a-z0-9-]*+)")
_REPLACED = name_set("noscript math iframe amp-img amp-anim plaintext xmp")
_SHOWN = name_set("img source video")
_UNSEEN = sorted(CONTENT_DROPPED - {"iframe", "math", "noscript"})
_MORE_THAN_PICTURES = frozenset([*_UNSEEN, "source", "video", "audio", "image", "figure"])
_NEEDLES = (b" hidden", b"katex-html", b"mathjax_preview", b'"gutter"')
_LAZY_NEEDLES = (b"lazy", b" _src=", b"file=", b" original=", b" src2=")
# Each begins with letters that are looked for ten times faster than a choice of them.
_LAZY_DATA = expression(rb"data-(?:[a-z]+-)?(?:src|original|actual|echo|url|croporisrc|hi-res)")
_PIXELS = tuple(expression(side + rb"\s*[=:]\s*[\"']?\s*[01](?:px)?[\s\"';/>]") for side in (b"width", b"height"))
_HIDING = expression(rb"display\s*:\s*none")
_HIDDEN_STYLE = expression(r"display\s*:\s*none", re.IGNORECASE)
_HIDDEN_PICTURE = expression(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:^|;)\s*(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|$)", re.I
)

# It begins with letters, which are looked for ten times faster than what may stand before them.
_STYLE = expression(
    r"<style(?:(?<=</p><style)|(?<=</p>\n<style))(?: type=\"text/css\")?>[^<]*+</style>(?=[ \t\n]*<(?:div|img|p)[ >])"
)
# A tag that has no end before the next sign of one: where it ends, and what is within it, takes a parser to tell.
_OPEN_TAG = expression(r"<[A-Za-z/][^<>]*+<")


class Need(IntEnum):
    """What a body needs before it is sanitized; WAKING is lazy pictures alone."""

    NOTHING = 0
    WAKING = 1
    REPAIR = 2


class BodyScan(NamedTuple):
    """A body as a quick look finds it, in lower case: its differing tags, and the names of all that a parser may find in it.

    Where quotes leave in doubt where a tag ends, `raw` is the whole body, and no `styles` are counted.
    """

    raw: bytes
    tags: frozenset[str]
    pictures: int
    styles: int


def scan_body(html: str) -> BodyScan:
    """Return what can be seen of a body without parsing it."""
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


def needed(look: BodyScan, policy: Policy) -> Need:
    """Tell whether `repair` may find anything to do; when in doubt, it may."""
    raw, tags = look.raw, look.tags
    if policy.remove or not tags.isdisjoint(_REPLACED):
        return Need.REPAIR
    for needle in _NEEDLES:
        if needle in raw:
            return Need.REPAIR
    if b"display" in raw and _HIDING.search(raw):
        return Need.REPAIR
    if tags.isdisjoint(_SHOWN):
        return Need.NOTHING
    if b"emoji" in raw or b"smiley" in raw:
        return Need.REPAIR
    for pixel in _PIXELS:
        if pixel.search(raw):
            return Need.REPAIR
    if any(needle in raw for needle in _LAZY_NEEDLES) or _LAZY_DATA.search(raw):
        return Need.REPAIR if not tags.isdisjoint(_MORE_THAN_PICTURES) else Need.WAKING
    return Need.NOTHING


def unstyled(html: str, look: BodyScan, policy: Policy) -> str | None:
    """Return a body without its style sheets and its lazy pictures woken, where that is all it needs of a repair and is plain
    to see; None where it is not.

    Behind a paragraph and before another element, a style sheet leaves nothing empty, which a repair would take out. Only
    where what becomes of the body is sure to survive a parser unchanged is it also what a repair makes of it: that reads it
    once more.
    """
    if not look.styles or "<!" in html or b"&#" in look.raw or _OPEN_TAG.search(html):
        return None
    need = needed(look._replace(tags=look.tags - {"style"}), policy)
    if need is not Need.WAKING:
        return None
    html, count = _STYLE.subn("", html)
    return awake(html, look.pictures) if count == look.styles else None


def repair(html: str, look: BodyScan, policy: Policy, warnings: list[str]) -> tuple[str, list[Removal]]:
    """Return the body repaired, and what that took out; selectors that can't be read are named in `warnings`.

    `look` is that of the body: what is surely not there is not looked for.
    """
    from feedtool.html.tree import Tree

    tree = Tree(html)
    tags = look.tags
    _remove_selected(tree, policy, warnings)
    if "amp-img" in tags or "amp-anim" in tags:
        for node in tree.find("amp-img, amp-anim"):
            tree.replace(node, tree.create("img", _pairs(node)))
    if "plaintext" in tags or "xmp" in tags:
        for node in tree.find("plaintext, xmp"):
            # Their text would be written unescaped, and read as markup again.
            tree.unwrap(node)
    load_lazy_images(tree)
    if "noscript" in tags:
        _unwrap_noscript(tree)
    _replace_math(tree, look)
    if "iframe" in tags:
        _replace_iframes(tree, policy)
    _remove_unseen(tree, look)
    if "figure" in tags:
        _flatten_code_tables(tree)
    for node in tree.find("img"):
        _choose_picture_source(tree, node, policy)
    tree.prune()
    return tree.html(), tree.removals


def text_of(node: Node) -> str:
    """Return the beginning of an element's text on one line, to know it by."""
    return " ".join(node.text(deep=True)[:400].split())[:120]


def _remove_selected(tree: Tree, policy: Policy, warnings: list[str]) -> None:
    for selector in policy.remove:
        try:
            found = tree.find(selector)
        except ValueError:
            warnings.append(f"selector {selector!r} can't be read; write it as CSS, such as .share or div[data-ad]")
            continue
        for node in found:
            tree.discard(node, f"selector {selector}", text_of(node))


def _unwrap_noscript(tree: Tree) -> None:
    """Unwrap pictures for readers without scripts, in place of the placeholder beside them."""
    for node in tree.find("noscript"):
        inner = [image for image in node.css("img") if not _is_pixel(image.attributes)]
        if not inner:
            tree.discard(node, "noscript", text_of(node))
            continue
        twin = _twin(node, inner[0])
        if twin is not None:
            tree.discard(twin, "placeholder", twin.attributes.get("src") or "")
        for image in node.css("script, style, iframe"):
            tree.discard(image, image.tag or "")
        tree.unwrap(node)


def _twin(noscript: Node, image: Node) -> Node | None:
    """Return the picture next to a <noscript> that shows the same as the one inside, or nothing at all."""
    address = image.attributes.get("src") or ""
    for neighbour in (_beside(noscript, forward=False), _beside(noscript, forward=True)):
        if neighbour is None:
            continue
        candidates = [neighbour] if neighbour.tag == "img" else neighbour.css("img")[:4]
        if neighbour.tag == "noscript":
            continue
        for candidate in candidates:
            held = candidate.attributes
            lazy = not WAKING.isdisjoint(held) or "lazy" in (held.get("class") or "")
            src = held.get("src") or ""
            if src == address or is_placeholder(src) or lazy or _is_preview(held):
                return candidate
    return None


def _is_preview(held: dict[str, str | None]) -> bool:
    """Tell Medium's blurred previews: 20 to 60 pixels wide, by the address."""
    found = re.search(r"/max/(\d{1,3})/|[?&]q=20$", held.get("src") or "")
    return found is not None and (found.group(1) is None or int(found.group(1)) <= 60)


def _beside(node: Node, *, forward: bool) -> Node | None:
    other = node.next if forward else node.prev
    for _ in range(3):
        if other is None or other.is_element_node:
            return other
        if other.is_text_node and (other.text_content or "").strip():
            return None
        other = other.next if forward else other.prev
    return None


def _replace_math(tree: Tree, look: BodyScan) -> None:
    if b"katex" in look.raw or b"mathjax" in look.raw:
        for node in tree.find(".katex-html, .MathJax_Preview"):
            tree.discard(node, "drawn formula", text_of(node))
    for node in tree.find("math") if "math" in look.tags else ():
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


def _remove_unseen(tree: Tree, look: BodyScan) -> None:
    for tag in _UNSEEN:
        if tag not in look.tags:
            continue
        for node in tree.parser.tags(tag):
            tree.discard(node, tag, text_of(node))
    if not any(needle in look.raw for needle in (b"hidden", b"display", b"&#")):
        return
    hidden = [node for node in tree.find("[style], [hidden]") if _is_hidden(node) and node.tag != "img"]
    if hidden:
        body = tree.parser.body
        whole = len(body.text(deep=True) if body is not None else "")
        for node in hidden:
            # Some sites hide the article itself until a script shows it.
            if 2 * len(node.text(deep=True)) <= whole:
                tree.discard(node, "hidden element", text_of(node))


def _is_hidden(node: Node) -> bool:
    held = node.attributes
    return "hidden" in held or _HIDDEN_STYLE.search((held.get("style") or "")[:2000]) is not None


def _flatten_code_tables(tree: Tree) -> None:
    """Turn Hexo's code tables, a column of line numbers beside the code, into the code."""
    for node in tree.find("figure.highlight > table"):
        code = node.css_first("td.code pre")
        if code is not None and node.parent is not None:
            tree.replace(node, code)


def _choose_picture_source(tree: Tree, node: Node, policy: Policy) -> None:
    held = node.attributes
    src = held.get("src") or ""
    alt = (held.get("alt") or "").strip()
    kind = (held.get("class") or "").lower()
    if alt and len(alt) <= 40 and ("emoji" in kind or "smiley" in kind or is_emoji(src)):
        tree.replace(node, alt)
    elif policy.drop_trackers and (_is_pixel(held) or is_tracker(src)):
        tree.discard(node, "tracker", src)


def _is_pixel(held: dict[str, str | None]) -> bool:
    for name in ("width", "height"):
        if (held.get(name) or "").strip().lower().removesuffix("px") in ("0", "1"):
            return True
    return "hidden" in held or _HIDDEN_PICTURE.search((held.get("style") or "")[:2000]) is not None


def _pairs(node: Node) -> list[tuple[str, str]]:
    return [(name, value or "") for name, value in node.attributes.items()]
