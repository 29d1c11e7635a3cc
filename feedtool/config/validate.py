"""Validate and normalise single values of the settings, without access to files or the network.

Each function returns the normalised text or raises `InvalidValueError`, whose message completes "KEY …".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

URL_PATTERN = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#]+[^\s]*$"
SITE_URL_PATTERN = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+[^\s?#]*$"
SOURCE_PATTERN = r"^([Hh][Tt][Tt][Pp][Ss]?://[^\s/?#]+[^\s]*|(?![/\\])(?![A-Za-z][A-Za-z0-9+.-]*:).+)$"
HOST_PATTERN = r"^([^\s/:@?#\[\]]+|\[[0-9A-Fa-f:.]+\])$"
AUTHORITY_PATTERN = r"^([A-Za-z0-9._-]+@)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
LANGUAGE_PATTERN = r"^([A-Za-z]{2,8}|[XxIi])(-[A-Za-z0-9]{1,8})*$"
COLOUR_PATTERN = r"^#([0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$"
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
EMAIL_PATTERN = r"^[^\s@<>]+@[^\s@<>]+$"
NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9-]*$"
HEADER_PATTERN = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
SLUG_PATTERN = r'^(?![. ])[^/\\:*?"<>|\u0000-\u001f]*[^/\\:*?"<>|\u0000-\u001f. ]$'

# IDNA 2003 reads faß.de as fass.de, IDNA 2008 as a different host: programs could contact another host than people mean.
AMBIGUOUS = frozenset("ßẞς\u200c\u200d")
MAX_REGEX = 500
MAX_SLUG_BYTES = 80
# Each of these appears in a security advisory of the sanitizer's library, or can run or submit something by itself.
NEVER_TAGS = frozenset(
    {
        "annotation-xml",
        "applet",
        "base",
        "body",
        "button",
        "embed",
        "form",
        "frame",
        "frameset",
        "head",
        "html",
        "iframe",
        "input",
        "link",
        "math",
        "meta",
        "noembed",
        "noframes",
        "noscript",
        "object",
        "option",
        "plaintext",
        "script",
        "select",
        "style",
        "svg",
        "template",
        "textarea",
        "title",
        "xmp",
    }
)
NEVER_ATTRIBUTES = frozenset(
    {"action", "class", "formaction", "id", "ping", "srcdoc", "style", "target", "xlink:href", "xmlns"}
)
PERMALINK_NAMES = (
    "year", "month", "day", "hour", "minute", "second", "slug", "stem", "path", "category", "categories", "title",
)  # fmt: skip
FOLDER_NAMES = ("source", "category", "year", "month", "day")


class InvalidValueError(ValueError):
    """A value is invalid: `what` is the reason, `hint` says how to fix it, `path` is the invalid key inside the value."""

    def __init__(self, what: str, hint: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.path = path


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the most similar of the names, or "" if none is similar."""
    from difflib import get_close_matches  # imported here because only errors need it

    near = get_close_matches(name[:100].casefold(), list(names), n=1, cutoff=0.6)
    return near[0] if near else ""


def url(text: str) -> str:
    """Return an absolute http(s) URL with scheme and host in lower case, the rest in ASCII (RFC 3986)."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise InvalidValueError("must be an http or https URL", "for example https://example.org/")
    if re.search(r'[\s<>"]', rest):
        raise InvalidValueError('must be a URL without spaces, quotes, "<" or ">"', "write a space as %20")
    end = re.search(r"[/?#\\]", rest)
    authority, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    user, at, hostport = authority.rpartition("@")
    bare, port = _host_and_port(hostport)
    return f"{scheme.lower()}://{_ascii(user)}{at}{host(bare)}{port}{_ascii(tail)}"


def site_url(text: str) -> str:
    """Return the address of a site, which ends in "/" and has no user, query or fragment."""
    address = url(text)
    if "?" in address or "#" in address:
        raise InvalidValueError('must not contain "?" or "#"', "give the address of the folder the site is served from")
    if "@" in address.split("/")[2]:
        raise InvalidValueError("must not contain a user name or password", "remove it: every feed would publish it")
    return address if address.endswith("/") else address + "/"


def source_url(text: str) -> str:
    """Return the http(s) URL of a feed, or the path of a file relative to the site folder.

    A `${NAME}` in a URL stands for an environment variable and is kept; it may not be part of the host.
    """
    if re.match(r"https?:", text, re.IGNORECASE):
        if "${" in re.split(r"[/?#\\]", text.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]:
            raise InvalidValueError(
                'must not contain "${" in its host', "use variables only in the password, the path or the query"
            )
        return url(header(text))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]", text):
        raise InvalidValueError(
            "must be an http or https URL or a relative path", "for example https://example.org/feed.xml"
        )
    return text


def host(text: str) -> str:
    """Return a host name in lower case, an internationalised one in its ASCII form (RFC 5890)."""
    if not re.match(HOST_PATTERN, text):
        raise InvalidValueError("must name a host", "for example www.example.org, without scheme, port or path")
    if AMBIGUOUS.intersection(text):
        raise InvalidValueError("must name a host unambiguously", "write its ASCII form, xn--…")
    try:
        return text.lower() if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError:
        raise InvalidValueError(
            "must name a host", "this one has no ASCII form, which DNS requires; correct it"
        ) from None


def host_of(address: str) -> str:
    """Return the host of a URL from `url`, or "" for no URL or an IPv6 address, which RFC 4151 does not allow."""
    authority = address.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return "" if authority.startswith("[") else authority.partition(":")[0]


def authority(text: str) -> str:
    """Return the naming authority of a tag: URI, a host or an e-mail address in lower case (RFC 4151 section 2.1)."""
    if not re.match(AUTHORITY_PATTERN, text):
        raise InvalidValueError(
            "must be a host name or an e-mail address", "write it as example.org, without scheme or path"
        )
    return text.lower()


def language(text: str) -> str:
    """Return a well-formed language tag (RFC 5646 section 2.1)."""
    if not re.match(LANGUAGE_PATTERN, text):
        tag = text.replace("_", "-")
        hint = f'write "{tag}"' if re.match(LANGUAGE_PATTERN, tag) else 'for example "zh-CN" or "en"'
        raise InvalidValueError("must be a language tag (BCP 47)", hint)
    return text


def zone(text: str) -> str:
    """Return the name of a time zone that exists on this machine."""
    if text == "UTC":
        return text
    from feedtool.dates.parse import load_zone  # imported here because most runs need only UTC

    try:
        load_zone(text)
    except ValueError as error:
        raise InvalidValueError("must be a time zone", str(error).partition("; ")[2]) from error
    return text


def regex(text: str) -> str:
    """Return a regular expression that Python can compile."""
    if len(text) > MAX_REGEX:
        raise InvalidValueError(f"must have at most {MAX_REGEX} characters", "shorten it")
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidValueError(
            f"must be a regular expression ({error})", r"write \ before a character that is meant literally"
        ) from None
    return text


def date(text: str) -> str:
    """Return a calendar date as YYYY-MM-DD."""
    from datetime import date as calendar

    try:
        if not re.match(DATE_PATTERN, text) or not calendar.fromisoformat(text):
            raise ValueError
    except ValueError:
        raise InvalidValueError("must be a date", "for example 2022-12-25") from None
    return text


def colour(text: str) -> str:
    """Return a colour in CSS's hexadecimal notation (CSS Color 4 section 5.2), in lower case."""
    if not re.match(COLOUR_PATTERN, text):
        raise InvalidValueError("must be a colour in hexadecimal", 'for example "#0a5" or "#00aa55"')
    return text.lower()


def email(text: str) -> str:
    """Return an e-mail address."""
    if not re.match(EMAIL_PATTERN, text):
        raise InvalidValueError("must be an e-mail address", "for example name@example.org")
    return text


def tag(text: str) -> str:
    """Return the name of an HTML element that may be allowed, in lower case."""
    if not re.match(NAME_PATTERN, text):
        raise InvalidValueError("must be the name of an HTML element", 'for example "abbr", without < and >')
    if text.lower() in NEVER_TAGS:
        raise InvalidValueError(f"must not allow <{text.lower()}>", "remove it: it is never safe in a feed")
    return text.lower()


def attribute(text: str) -> str:
    """Return the name of an HTML attribute that may be allowed, in lower case."""
    name = text.lower()
    if not re.match(NAME_PATTERN, text):
        raise InvalidValueError("must be the name of an HTML attribute", 'for example "data-align"')
    if name in NEVER_ATTRIBUTES or name.startswith("on"):
        raise InvalidValueError(f'must not allow the attribute "{name}"', "remove it: it is never safe in a feed")
    return name


def element(text: str) -> str:
    """Return the element an attribute is allowed on: a name, or "*" for every element."""
    return text if text == "*" else tag(text)


def prefix(text: str) -> str:
    """Return the prefix that a proxy adds to image URLs."""
    if not re.match(r"(?:https?:)?//[^\s/]", text, re.IGNORECASE):
        raise InvalidValueError("must begin with http:// or https://", 'for example "https://cors.example.org/?"')
    return text


def slug(text: str) -> str:
    """Return the folder name of a category: one path component that is valid on every operating system."""
    if len(text.encode("utf-8", "replace")) > MAX_SLUG_BYTES or not re.match(SLUG_PATTERN, text):
        raise InvalidValueError(
            f"must be a single folder name of at most {MAX_SLUG_BYTES} bytes",
            'without / \\ : * ? " < > | and without a dot or space at either end',
        )
    return text


def permalink(text: str) -> str:
    """Return a template of article addresses, with the placeholders of `PERMALINK_NAMES`."""
    if "://" in text:
        url(re.sub(r"\{[a-z]*\}", "x", text))
    if re.search(r"\s", text):
        raise InvalidValueError("must not contain a space", "write it as %20")
    return _template(text, PERMALINK_NAMES)


def folder(text: str) -> str:
    """Return a template of a folder below the articles folder, with the placeholders of `FOLDER_NAMES`."""
    if text.startswith("/") or "\\" in text or ":" in text or ".." in text.split("/"):
        raise InvalidValueError(
            "must be a folder below the articles folder", 'for example "{category}/{source}", with / between the parts'
        )
    return _template(text.rstrip("/"), FOLDER_NAMES)


def header_name(text: str) -> str:
    """Return the name of an HTTP header (RFC 9110 section 5.6.2)."""
    if not re.match(HEADER_PATTERN, text):
        raise InvalidValueError("must be the name of an HTTP header", 'for example "Authorization"')
    return text


def header(text: str) -> str:
    """Return the value of an HTTP header; a `${NAME}` in it stands for an environment variable and is kept."""
    if re.search(r"\$\{(?![A-Za-z_][A-Za-z0-9_]*\})", text):
        raise InvalidValueError(
            'contains "${" without the name of an environment variable', "for example ${FEED_TOKEN}"
        )
    return text


def _host_and_port(text: str) -> tuple[str, str]:
    end = text.rfind("]") + 1
    name, colon, port = text[end:].partition(":")
    if colon and port and not (re.match(r"[0-9]{1,5}$", port) and int(port) < 65536):
        raise InvalidValueError("must be a URL with a port from 0 to 65535", "for example http://localhost:8000/")
    return text[:end] + name, f":{port}" if port else ""


def _ascii(text: str) -> str:
    """Percent-encode all characters that are not ASCII (RFC 3987 section 3.1)."""
    return "".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)


def _template(text: str, names: tuple[str, ...]) -> str:
    for name in re.findall(r"\{([^{}]*)\}", text):
        if name not in names:
            near = did_you_mean(name, names)
            listed = ", ".join(f"{{{each}}}" for each in names)
            raise InvalidValueError(
                f"has an unknown placeholder {{{name}}}",
                f"did you mean {{{near}}}?" if near else f"the placeholders are {listed}",
            )
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
        raise InvalidValueError('has an unmatched "{" or "}"')
    return text
