"""Sanitize HTML with nh3: keep allowed tags and attributes, and rewrite addresses. No element is moved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from feedtool.expressions import expression
from feedtool.html.names import name_set
from feedtool.html.policy import (
    ATTRIBUTES,
    CONTENT_DROPPED,
    FORCED,
    Policy,
    allowed_attributes,
    allowed_tags,
)
from feedtool.html.text import legal_text
from feedtool.html.urls import (
    LINKS,
    WEB,
    is_descriptor,
    safe_url,
    srcset_candidates,
    strip_decorations,
    unwrap_proxy,
)
from feedtool.interrupts import raised_count

if TYPE_CHECKING:
    import nh3

_EVERYWHERE = ATTRIBUTES["*"]
_LANGUAGE = expression(r"(?:language|lang)-[A-Za-z0-9_+#.\-]{1,40}")
_RELATIONS = name_set("nofollow noopener noreferrer ugc sponsored license author tag bookmark external me")
_PRE_NEWLINE = expression(r"(<pre(?: [^>]*)?>)\n")


def prepare(body: str) -> str:
    """Return the body with legal characters only, LF as line ends, and no byte order mark; nothing else is removed."""
    body = legal_text(body).lstrip("\ufeff")
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    return body


def prepare_html(body: str) -> str:
    """Return the HTML as `prepare` does, without a CDATA section around the whole body.

    Some feeds write the section twice. An HTML parser reads its beginning, together with the first tag, as a comment (HTML
    13.2.5.42). A CDATA section inside a body is left to the parser.
    """
    body = prepare(body)
    if has_wrapper(body):
        body = body.strip()[len(_CDATA) : -len(_CDATA_END)]
    return body


_CDATA, _CDATA_END = "<![CDATA[", "]]>"


def has_wrapper(body: str) -> bool:
    """Return True if a single CDATA section holds the whole body."""
    if _CDATA not in body[:100]:
        return False
    text = body.strip()
    return text.startswith(_CDATA) and text.find(_CDATA_END) == len(text) - len(_CDATA_END)


def sanitizer(policy: Policy) -> Callable[[str], str]:
    """Return the function that sanitizes HTML under this policy. Its output must not be edited without sanitizing again."""
    cleaner, addresses = _cleaner(policy)

    def sanitize(html: str) -> str:
        addresses.base = policy.base_url
        interrupts = raised_count()
        clean: str = cleaner.clean(html)
        if raised_count() != interrupts:
            # nh3 dropped the exception, and with it an attribute.
            raise KeyboardInterrupt
        if "&#" in html:
            # Character references can produce characters that the raw text must not contain.
            clean = legal_text(clean)
            if "\r" in clean:
                clean = clean.replace("\r", "\n")
        if "<pre" in clean:
            # Parsers drop a line feed right after <pre>, so one that is content must be written twice.
            clean = _PRE_NEWLINE.sub("\\1\n\n", clean)
        # A byte order mark at the beginning would be lost when the output is read again.
        return clean.strip(" \t\n\ufeff")

    return sanitize


_MANY_POLICIES = 32
_thread_local = threading.local()


def _cleaner(policy: Policy) -> tuple[nh3.Cleaner, _Addresses]:
    """Return this thread's cleaner for the policy. Policies that differ only in their base URL share one."""
    import nh3

    pool: dict[object, tuple[nh3.Cleaner, _Addresses]] = _thread_local.__dict__.setdefault("pool", {})
    key = (policy.tags, policy.attributes, policy.proxies, policy.drop_trackers)
    entry = pool.get(key)
    if entry is None:
        addresses = _Addresses(policy.proxies, policy.drop_trackers)
        cleaner = nh3.Cleaner(
            tags=allowed_tags(policy),
            clean_content_tags=CONTENT_DROPPED,
            attributes=allowed_attributes(policy),
            attribute_filter=addresses.attribute,
            link_rel=None,
            set_tag_attribute_values=FORCED,
            url_schemes=frozenset(LINKS),
            url_relative="pass_through",
        )
        if len(pool) >= _MANY_POLICIES:
            pool.clear()
        entry = pool[key] = (cleaner, addresses)
    return entry


class _Addresses:
    """The attribute filter for nh3. It must never raise: nh3 would hide the error and drop the attribute."""

    __slots__ = ("base", "filters", "proxies", "strip_links")

    def __init__(self, proxies: tuple[str, ...], strip_links: bool) -> None:
        self.base = ""
        self.proxies = proxies
        self.strip_links = strip_links
        self.filters: dict[str, Callable[[str], str | None]] = {
            "srcset": self.srcset,
            "poster": self.picture,
            "cite": lambda value: safe_url(value, self.base),
            "class": _language,
            "rel": _relations,
        }

    def attribute(self, tag: str, name: str, value: str) -> str | None:
        """Return the value to write for an attribute, or None to drop the attribute."""
        if name == "src":
            return self.picture(value) if tag == "img" else safe_url(value, self.base)
        if name == "href":
            return self.link(value)
        if name in self.filters:
            return self.filters[name](value)
        if name not in _EVERYWHERE and name not in ATTRIBUTES.get(tag, ()):
            return _harmless(value)
        return value

    def link(self, value: str) -> str | None:
        """Return the address of a link without parameters that tell where a visitor came from."""
        url = safe_url(value, self.base, schemes=LINKS)
        return strip_decorations(url) if url and self.strip_links and "?" in url else url

    def picture(self, value: str) -> str | None:
        """Return the address of a picture without proxies."""
        url = safe_url(value, self.base)
        if url is None or ("?" not in url and "/http" not in url and not self.proxies):
            return url
        inner = unwrap_proxy(url, self.proxies)
        return url if inner == url else safe_url(inner, self.base)

    def srcset(self, value: str) -> str | None:
        """Return the srcset with its valid candidates. A comma at the end of an address is dropped, as parsers do."""
        kept = []
        for url, descriptor in srcset_candidates(value):
            safe = self.picture(url) if is_descriptor(descriptor) else None
            if safe is not None and (safe := safe.rstrip(",")):
                kept.append(f"{safe} {descriptor}" if descriptor else safe)
        return ", ".join(kept) or None


def _language(value: str) -> str | None:
    return " ".join(word for word in value.split() if _LANGUAGE.fullmatch(word)) or None


def _relations(value: str) -> str | None:
    return " ".join(sorted(_RELATIONS.intersection(value.lower().split()))) or None


def _harmless(value: str) -> str | None:
    """Return the value of an attribute that the site's settings allow, or None if it is a dangerous address."""
    if ":" not in value and "&" not in value:
        return value
    return value if safe_url(value, "https://example.org/", schemes=(*WEB, *LINKS)) is not None else None
