"""Any HTML goes in, allow-listed HTML comes out, through nh3; repairs only addresses, moves no element."""

from __future__ import annotations

import re
from collections.abc import Callable

from feedtool.html.policy import (
    ATTRIBUTES,
    CONTENT_DROPPED,
    FORCED,
    Policy,
    allowed_attributes,
    allowed_tags,
)
from feedtool.html.text import cut_between, legal_text
from feedtool.html.urls import (
    LINKS,
    WEB,
    is_descriptor,
    safe_url,
    srcset_candidates,
    strip_decorations,
    unwrap_proxy,
)

_LANGUAGE = re.compile(r"(?:language|lang)-[A-Za-z0-9_+#.\-]{1,40}")
_RELATIONS = frozenset(
    ["nofollow", "noopener", "noreferrer", "ugc", "sponsored", "license", "author", "tag", "bookmark", "external", "me"]
)
_PRE_NEWLINE = re.compile(r"(<pre(?: [^>]*)?>)\n")
_STRAY = re.compile(r"(?:(?<=[>\s])|^|//)\]\]>(?=\s*(?:<|$))")


def prepare(body: str) -> str:
    """Return the body fit for a parser: legal characters, LF, no `<?…?>`, no CDATA and no stray end of one."""
    body = legal_text(body).lstrip("\ufeff")
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    if "<?" in body:
        body = cut_between(body, "<?", "?>")
    if "]]>" in body:
        start = body.lstrip()
        if start.startswith("<![CDATA["):
            # A feed's own wrapping around a whole body.
            head, _, tail = start[9:].rpartition("]]>")
            body = head + tail
        body = _STRAY.sub("", cut_between(body, "<![CDATA[", "]]>"))
    return body


def sanitizer(policy: Policy) -> Callable[[str], str]:
    """Return the function that sanitizes under this policy; nothing may edit what it returns but itself."""
    import nh3

    attributes = allowed_attributes(policy)
    cleaner = nh3.Cleaner(
        tags=allowed_tags(policy),
        clean_content_tags=CONTENT_DROPPED,
        attributes=attributes,
        attribute_filter=_attribute_filter(policy),
        link_rel=None,
        set_tag_attribute_values=FORCED,
        url_schemes={"http", "https", "mailto", "tel"},
        url_relative="pass_through",
    )

    def sanitize(html: str) -> str:
        clean = cleaner.clean(html)
        if "&#" in html:
            # References can name what the raw text may not hold.
            clean = legal_text(clean)
            if "\r" in clean:
                clean = clean.replace("\r", "\n")
        if clean[:1] == "\ufeff":
            clean = clean.lstrip("\ufeff")
        if "<pre" in clean:
            # Parsers drop a line feed right after <pre>: one that was content has to be written twice.
            clean = _PRE_NEWLINE.sub("\\1\n\n", clean)
        return clean

    return sanitize


def _attribute_filter(policy: Policy) -> Callable[[str, str, str], str | None]:
    """Return nh3's filter; it must never raise: nh3 would swallow that, and drop the attribute unseen."""
    base, proxies, undress = policy.base_url, policy.proxies, policy.drop_trackers

    def picture(value: str) -> str | None:
        url = safe_url(value, base)
        if url is None or ("?" not in url and "/http" not in url and not proxies):
            return url
        inner = unwrap_proxy(url, proxies)
        return url if inner == url else safe_url(inner, base)

    def srcset(value: str) -> str | None:
        kept = []
        for url, descriptor in srcset_candidates(value):
            safe = picture(url) if is_descriptor(descriptor) else None
            if safe is not None:
                safe = safe.rstrip(",").replace(",", "%2C") if safe.startswith(",") else safe.rstrip(",")
                kept.append(f"{safe} {descriptor}" if descriptor else safe)
        return ", ".join(kept) or None

    def link(value: str) -> str | None:
        url = safe_url(value, base, schemes=LINKS)
        return strip_decorations(url) if url and undress and "?" in url else url

    others: dict[str, Callable[[str], str | None]] = {
        "srcset": srcset,
        "poster": picture,
        "cite": lambda value: safe_url(value, base),
        "class": _language,
        "rel": _relations,
    }

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return picture(value) if tag == "img" else safe_url(value, base)
        if name == "href":
            return link(value)
        if name in others:
            return others[name](value)
        if name not in ATTRIBUTES.get(tag, ()) and name not in ATTRIBUTES["*"]:
            return _harmless(value)
        return value

    return attribute


def _language(value: str) -> str | None:
    return " ".join(word for word in value.split() if _LANGUAGE.fullmatch(word)) or None


def _relations(value: str) -> str | None:
    return " ".join(sorted(_RELATIONS.intersection(value.lower().split()))) or None


def _harmless(value: str) -> str | None:
    """Return the value of an attribute a site allowed for itself, unless it is an address of the dangerous kind."""
    if ":" not in value and "&" not in value:
        return value
    return value if safe_url(value, "https://example.org/", schemes=(*WEB, *LINKS)) is not None else None
