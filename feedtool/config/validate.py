"""One text of the settings in, the same text normalised out, or `RefusedError`; reads no file and asks no network."""

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

# faß.de is fass.de to IDNA of 2003, and a host of its own to that of 2008: people mean one, programs ask the other.
AMBIGUOUS = frozenset("ßẞς\u200c\u200d")
LONGEST_REGEX = 500
LONGEST_SLUG = 80
# Each of these was the way into an advisory of the sanitizer's library, or runs or submits something by itself.
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


class RefusedError(ValueError):
    """A value can't be used: `what` says why, `hint` how to mend it, `path` which key inside the value is at fault."""

    def __init__(self, what: str, hint: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.path = path


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the nearest of the names, or "" when none is near."""
    from difflib import get_close_matches  # Imported here: only a mistake pays for it.

    near = get_close_matches(name[:100].casefold(), list(names), n=1, cutoff=0.6)
    return near[0] if near else ""


def url(text: str) -> str:
    """Return an absolute http(s) URL with scheme and host in lower case, the rest in ASCII (RFC 3986)."""
    scheme, mark, rest = text.partition("://")
    if not mark or scheme.lower() not in ("http", "https"):
        raise RefusedError("must be an http or https URL", "write it whole, such as https://example.org/")
    if re.search(r'[\s<>"]', rest):
        raise RefusedError('must be a URL without spaces, quotes, "<" or ">"', "write a space as %20")
    end = re.search(r"[/?#\\]", rest)
    authority, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    user, at, hostport = authority.rpartition("@")
    bare, port = _host_and_port(hostport)
    return f"{scheme.lower()}://{_ascii(user)}{at}{host(bare)}{port}{_ascii(tail)}"


def site_url(text: str) -> str:
    """Return the address of a site: ends in "/", holds no user, query or fragment."""
    whole = url(text)
    if "?" in whole or "#" in whole:
        raise RefusedError('must hold no "?" and no "#"', "give the address of the folder the site is served from")
    if "@" in whole.split("/")[2]:
        raise RefusedError("must hold no user name or password", "they would be published in every feed")
    return whole if whole.endswith("/") else whole + "/"


def source_url(text: str) -> str:
    """Return the http(s) URL of a feed, or the path of a file relative to the site folder.

    A `${NAME}` in a URL stands for an environment variable and stays as it is; the host has to be plain to see.
    """
    if re.match(r"https?:", text, re.IGNORECASE):
        if "${" in re.split(r"[/?#\\]", text.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]:
            raise RefusedError('must not hold "${" in its host', "secrets stand in the password, the path or the query")
        return url(header(text))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]", text):
        raise RefusedError(
            "must be an http or https URL or a relative file", "write it such as https://example.org/feed.xml"
        )
    return text


def host(text: str) -> str:
    """Return a host name in lower case, an international one in its ASCII form (RFC 5890)."""
    if not re.match(HOST_PATTERN, text):
        raise RefusedError("must name a host", "such as www.example.org, without scheme, port or path")
    if AMBIGUOUS.intersection(text):
        raise RefusedError("must name a host in a way that names no other", "write its ASCII form, xn--…")
    try:
        return text.lower() if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError:
        raise RefusedError("must name a host", "this one can't be written in the ASCII form that DNS needs") from None


def host_of(address: str) -> str:
    """Return the host of a URL that `url` made, "" for none and for an IPv6 address (RFC 4151 allows neither)."""
    authority = address.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return "" if authority.startswith("[") else authority.partition(":")[0]


def authority(text: str) -> str:
    """Return the naming authority of a tag: URI, a host or an e-mail address in lower case (RFC 4151 section 2.1)."""
    if not re.match(AUTHORITY_PATTERN, text):
        raise RefusedError("must be a host name or an e-mail address", "such as example.org, without scheme or path")
    return text.lower()


def language(text: str) -> str:
    """Return a well-formed language tag (RFC 5646 section 2.1)."""
    if not re.match(LANGUAGE_PATTERN, text):
        tag = text.replace("_", "-")
        hint = f'write "{tag}"' if re.match(LANGUAGE_PATTERN, tag) else 'write it such as "zh-CN" or "en"'
        raise RefusedError("must be a language tag (BCP 47)", hint)
    return text


def zone(text: str) -> str:
    """Return the name of a time zone that this machine knows."""
    if text == "UTC":
        return text
    from feedtool.dates.parse import load_zone  # Imported here: most runs need no zone but UTC.

    try:
        load_zone(text)
    except ValueError as error:
        raise RefusedError("must be a time zone", str(error).partition("; ")[2]) from error
    return text


def regex(text: str) -> str:
    """Return a regular expression that compiles."""
    if len(text) > LONGEST_REGEX:
        raise RefusedError(f"must have at most {LONGEST_REGEX} characters")
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise RefusedError(
            f"must be a regular expression ({error})", r"write \ before a sign that stands for itself"
        ) from None
    return text


def date(text: str) -> str:
    """Return a calendar date as YYYY-MM-DD."""
    from datetime import date as calendar

    try:
        if not re.match(DATE_PATTERN, text) or not calendar.fromisoformat(text):
            raise ValueError
    except ValueError:
        raise RefusedError("must be a date", "write it such as 2022-12-25") from None
    return text


def colour(text: str) -> str:
    """Return a colour in CSS's hexadecimal notation (CSS Color 4 section 5.2), in lower case."""
    if not re.match(COLOUR_PATTERN, text):
        raise RefusedError("must be a colour in hexadecimal", 'write it such as "#0a5" or "#00aa55"')
    return text.lower()


def email(text: str) -> str:
    """Return an e-mail address."""
    if not re.match(EMAIL_PATTERN, text):
        raise RefusedError("must be an e-mail address", "such as name@example.org")
    return text


def tag(text: str) -> str:
    """Return the name of an HTML element that may be allowed, in lower case."""
    if not re.match(NAME_PATTERN, text):
        raise RefusedError("must be the name of an HTML element", 'such as "abbr", without < and >')
    if text.lower() in NEVER_TAGS:
        raise RefusedError(f"must not allow <{text.lower()}>", "it is never safe in a feed")
    return text.lower()


def attribute(text: str) -> str:
    """Return the name of an HTML attribute that may be allowed, in lower case."""
    name = text.lower()
    if not re.match(NAME_PATTERN, text):
        raise RefusedError("must be the name of an HTML attribute", 'such as "data-align"')
    if name in NEVER_ATTRIBUTES or name.startswith("on"):
        raise RefusedError(f'must not allow the attribute "{name}"', "it is never safe in a feed")
    return name


def element(text: str) -> str:
    """Return the element an attribute is allowed on: a name, or "*" for every element."""
    return text if text == "*" else tag(text)


def prefix(text: str) -> str:
    """Return the beginning that a proxy puts before a picture's URL."""
    if not re.match(r"(?:https?:)?//[^\s/]", text, re.IGNORECASE):
        raise RefusedError("must begin with http:// or https://", 'such as "https://cors.example.org/?"')
    return text


def slug(text: str) -> str:
    """Return the name of a category's folder: one path part that every system can hold."""
    if len(text.encode("utf-8", "replace")) > LONGEST_SLUG or not re.match(SLUG_PATTERN, text):
        raise RefusedError(
            f"must be one folder name of at most {LONGEST_SLUG} bytes",
            'without / \\ : * ? " < > | and without a dot or space at either end',
        )
    return text


def permalink(text: str) -> str:
    """Return a template of article addresses; its names are those of `PERMALINK_NAMES`."""
    if "://" in text:
        url(re.sub(r"\{[a-z]*\}", "x", text))
    if re.search(r"\s", text):
        raise RefusedError("must hold no space", "write it as %20")
    return _template(text, PERMALINK_NAMES)


def folder(text: str) -> str:
    """Return a template of a folder below the articles folder; its names are those of `FOLDER_NAMES`."""
    if text.startswith("/") or "\\" in text or ":" in text or ".." in text.split("/"):
        raise RefusedError(
            "must be a folder below the articles folder", 'such as "{category}/{source}", with / between parts'
        )
    return _template(text.rstrip("/"), FOLDER_NAMES)


def header_name(text: str) -> str:
    """Return the name of an HTTP header (RFC 9110 section 5.6.2)."""
    if not re.match(HEADER_PATTERN, text):
        raise RefusedError("must be the name of a header", 'such as "Authorization"')
    return text


def header(text: str) -> str:
    """Return the value of an HTTP header; a `${NAME}` in it stands for an environment variable and stays as it is."""
    if re.search(r"\$\{(?![A-Za-z_][A-Za-z0-9_]*\})", text):
        raise RefusedError('holds a "${" that names no environment variable', "write it such as ${FEED_TOKEN}")
    return text


def _host_and_port(text: str) -> tuple[str, str]:
    end = text.rfind("]") + 1
    name, colon, port = text[end:].partition(":")
    if colon and port and not (re.match(r"[0-9]{1,5}$", port) and int(port) < 65536):
        raise RefusedError("must be a URL with a port from 0 to 65535", "such as http://localhost:8000/")
    return text[:end] + name, f":{port}" if port else ""


def _ascii(text: str) -> str:
    """Percent-encode what is not ASCII (RFC 3987 section 3.1)."""
    return "".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)


def _template(text: str, names: tuple[str, ...]) -> str:
    for name in re.findall(r"\{([^{}]*)\}", text):
        if name not in names:
            near = did_you_mean(name, names)
            listed = ", ".join(f"{{{known}}}" for known in names)
            raise RefusedError(
                f"knows no {{{name}}}", f"did you mean {{{near}}}?" if near else f"the names are {listed}"
            )
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
        raise RefusedError('has a "{" or "}" without its partner')
    return text
