"""Any HTML goes in, allow-listed HTML comes out, through nh3; repairs only addresses, moves no element."""

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

if TYPE_CHECKING:
    import nh3

_EVERYWHERE = ATTRIBUTES["*"]
_LANGUAGE = expression(r"(?:language|lang)-[A-Za-z0-9_+#.\-]{1,40}")
_RELATIONS = name_set("nofollow noopener noreferrer ugc sponsored license author tag bookmark external me")
_PRE_NEWLINE = expression(r"(<pre(?: [^>]*)?>)\n")


def prepare(body: str) -> str:
    """Return the body fit for a parser: legal characters, LF, no byte order mark before it; nothing else is cut."""
    body = legal_text(body).lstrip("\ufeff")
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    return body


def prepare_html(body: str) -> str:
    """Return HTML as `prepare` does, without a CDATA section around the whole of it.

    Some feeds write the section twice. A parser of HTML would take its beginning for a comment (HTML 13.2.5.42), and the
    first tag with it; inside a body that is what happens to one.
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
    """Return the function that sanitizes under this policy; nothing may edit what it returns but itself."""
    cleaner, addresses = _cleaner(policy)

    def sanitize(html: str) -> str:
        addresses.base = policy.base_url
        clean: str = cleaner.clean(html)
        if "&#" in html:
            # References can name what the raw text may not hold.
            clean = legal_text(clean)
            if "\r" in clean:
                clean = clean.replace("\r", "\n")
        if "<pre" in clean:
            # Parsers drop a line feed right after <pre>: one that was content has to be written twice.
            clean = _PRE_NEWLINE.sub("\\1\n\n", clean)
        # A byte order mark at the beginning would not survive being read again.
        return clean.strip(" \t\n\ufeff")

    return sanitize


_MANY_POLICIES = 32
_made = threading.local()


def _cleaner(policy: Policy) -> tuple[nh3.Cleaner, _Addresses]:
    """Return this thread's cleaner for the policy: policies that differ only in their base share one."""
    import nh3

    pool: dict[object, tuple[nh3.Cleaner, _Addresses]] = _made.__dict__.setdefault("pool", {})
    key = (policy.tags, policy.attributes, policy.proxies, policy.drop_trackers)
    found = pool.get(key)
    if found is None:
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
        found = pool[key] = (cleaner, addresses)
    return found


class _Addresses:
    """nh3's attribute filter; it must never raise: nh3 would swallow that, and drop the attribute unseen."""

    __slots__ = ("base", "others", "proxies", "undress")

    def __init__(self, proxies: tuple[str, ...], undress: bool) -> None:
        self.base = ""
        self.proxies = proxies
        self.undress = undress
        self.others: dict[str, Callable[[str], str | None]] = {
            "srcset": self.srcset,
            "poster": self.picture,
            "cite": lambda value: safe_url(value, self.base),
            "class": _language,
            "rel": _relations,
        }

    def attribute(self, tag: str, name: str, value: str) -> str | None:
        """Return the value an attribute leaves with, or None when it may not leave."""
        if name == "src":
            return self.picture(value) if tag == "img" else safe_url(value, self.base)
        if name == "href":
            return self.link(value)
        if name in self.others:
            return self.others[name](value)
        if name not in _EVERYWHERE and name not in ATTRIBUTES.get(tag, ()):
            return _harmless(value)
        return value

    def link(self, value: str) -> str | None:
        """Return where a link leads, without what says who sent the reader."""
        url = safe_url(value, self.base, schemes=LINKS)
        return strip_decorations(url) if url and self.undress and "?" in url else url

    def picture(self, value: str) -> str | None:
        """Return where a picture is, proxies taken off."""
        url = safe_url(value, self.base)
        if url is None or ("?" not in url and "/http" not in url and not self.proxies):
            return url
        inner = unwrap_proxy(url, self.proxies)
        return url if inner == url else safe_url(inner, self.base)

    def srcset(self, value: str) -> str | None:
        """Return the candidates that are pictures; a comma at the end of an address would not survive."""
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
    """Return the value of an attribute a site allowed for itself, unless it is an address of the dangerous kind."""
    if ":" not in value and "&" not in value:
        return value
    return value if safe_url(value, "https://example.org/", schemes=(*WEB, *LINKS)) is not None else None
