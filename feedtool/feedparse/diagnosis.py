"""Describe bytes that are not a feed in an error message that tells users what to do."""

from __future__ import annotations

import re

from feedtool.feedparse.models import NotAFeedError
from feedtool.html import legal_text, plain_text
from feedtool.html.names import name_set

_TITLE = re.compile(r"<title\b[^>]{0,500}>([^<]{0,2000})", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!doctype\s+html", re.IGNORECASE)
_PAGE_ROOTS = name_set("html head body div p h1 h2 center script style meta title form table br b font a span")
_CAPTCHA = (
    "captcha",
    "cf-challenge",
    "challenge-platform",
    "just a moment...",
    "attention required! | cloudflare",
    "ddos-guard",
    "are you a robot",
    "verify you are human",
    "访问验证",
    "安全验证",
    "人机验证",
)
_LOGIN = re.compile(r"<input\b[^>]{0,500}type\s*=\s*[\"']?password", re.IGNORECASE)
_HEAD = 65_536
_BINARY = (
    (b"\x1f\x8b", "a gzip file"),
    (b"PK\x03\x04", "a zip file"),
    (b"%PDF-", "a PDF file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"BZh", "a bzip2 file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
)


def not_a_feed(body: bytes, text: str, root: str = "") -> NotAFeedError:
    """Return an error that says what the body is instead of a feed, and how to fix it."""
    binary = next((name for start, name in _BINARY if body.startswith(start)), "")
    if binary:
        return NotAFeedError(f"it is {binary}, not a feed", hint="check the address")
    content = text.strip()
    if not content:
        return NotAFeedError("it is empty", hint="try again later, or check the address")
    head = content[:_HEAD]
    if root.lower().rpartition(":")[2] in _PAGE_ROOTS or _DOCTYPE.match(head):
        return _page(head)
    if root.lower() == "opml":
        return NotAFeedError("it is OPML, a list of feeds, not a feed", hint="`feedtool opml import` reads it")
    if head.startswith("<"):
        what = (
            f"it is XML, but not a feed: its first element is <{root[:60]}>" if root else "it is XML without an element"
        )
        return NotAFeedError(what, hint="check the address")
    beginning = " ".join(legal_text(head[:200]).split())[:80]
    return NotAFeedError(f'it is text, not a feed; it begins "{beginning}"', hint="check the address")


def _page(head: str) -> NotAFeedError:
    match = _TITLE.search(head)
    title = plain_text(re.sub(r"&#[0-9xXA-Fa-f]{8,};?", "", match.group(1)))[:120] if match else ""
    title_note = f' titled "{title}"' if title else " without a title"
    lowered = head.lower()
    if any(word in lowered for word in _CAPTCHA):
        hint = "the server only admits people; ask its owner for a feed that programs may read"
        return NotAFeedError(f"it is a captcha page{title_note}, not a feed", hint=hint)
    if _LOGIN.search(head):
        hint = "it may need a header such as Authorization or Cookie: set headers of the source"
        return NotAFeedError(f"it is a login page{title_note}, not a feed", hint=hint)
    return NotAFeedError(f"it is an HTML page{title_note}, not a feed", hint="`feedtool add` finds the feed of a page")
