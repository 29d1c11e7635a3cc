"""Parse and check http and https addresses, normalize their hosts, and separate their credentials."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from feedtool.http.models import RefusalError

LONGEST = 8000
PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
# IDNA 2003 maps these characters to others and IDNA 2008 does not (https://www.unicode.org/reports/tr46/#Deviations):
# faß.de and fass.de belong to two people.
AMBIGUOUS = frozenset("ßẞς\u200c\u200d")
# Characters that a path or query keeps unescaped: those of RFC 3986 section 3.3, and others that browsers keep.
SAFE = "!$%&'()*+,-./:;=?@_~|[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A checked address. `authorization` is the header made from a name and password in the URL."""

    scheme: str
    host: str
    port: int
    path: str
    query: str
    authorization: str | None = None

    @property
    def authority(self) -> str:
        """The host as written in URLs, with brackets around an IPv6 address."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def origin(self) -> str:
        """The scheme, host and port; the port only if it is not the scheme's default."""
        return f"{self.scheme}://{self.authority}" + ("" if self.port == PORTS[self.scheme] else f":{self.port}")

    @property
    def url(self) -> str:
        """The whole address without name and password."""
        return self.origin + self.path + (f"?{self.query}" if self.query else "")

    @property
    def shown(self) -> str:
        """The address for messages: without name and password, and without the query, which may contain keys."""
        return self.origin + self.path + ("?…" if self.query else "")

    def may_receive_headers_of(self, before: Address) -> bool:
        """Return True if headers for `before` may be sent here: to the same origin, or to its https counterpart."""
        upgraded = (before.scheme, self.scheme) == ("http", "https") and (before.port, self.port) == (80, 443)
        return before.host == self.host and (before.origin == self.origin or upgraded)


def read_address(text: str) -> Address:
    """Return the parts of an absolute URL. Raise RefusalError if it is not a URL that may be fetched."""
    text = text.strip(" \t\r\n\f")
    if len(text) > LONGEST:
        raise RefusalError("other", f"the address is longer than {LONGEST} characters")
    if any(map(_is_forbidden, text)):
        raise RefusalError("other", "the address contains control characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise RefusalError("other", "this is not an address", "write it as https://example.org/feed.xml") from None
    if parts.scheme not in PORTS:
        raise RefusalError("other", f"{_scheme_name(parts.scheme)} can't be fetched", "use an http or https address")
    if "[" in parts.netloc and ":" not in (parts.hostname or ""):
        raise _no_host()  # IPvFuture of RFC 3986, which a resolver would take for a name
    if port == 0:
        raise RefusalError("other", "port 0 can't be used")
    return Address(
        scheme=parts.scheme,
        host=read_host(parts.hostname or ""),
        port=port or PORTS[parts.scheme],
        path=_quoted(parts.path) or "/",
        query=_quoted(parts.query),
        authorization=_authorization(parts.netloc),
    )


def follow(base: Address, location: str) -> Address:
    """Return the target of a redirect (RFC 9110 section 10.2.2), without any name and password in it."""
    if not location.strip():
        raise RefusalError("redirect", "it redirects without a target address")
    try:
        target = read_address(urljoin(base.url, location.strip(" \t")))
    except RefusalError as refusal:
        raise RefusalError("redirect", f"it redirects to an address that can't be fetched: {refusal.message}") from None
    except ValueError:
        raise RefusalError("redirect", "it redirects to an invalid address") from None
    return Address(scheme=target.scheme, host=target.host, port=target.port, path=target.path, query=target.query)


def read_host(text: str) -> str:
    """Return a host in normal form: lower case, ASCII, no trailing dot, IPv4 as four decimal numbers.

    Every spelling that some resolver takes for an IPv4 address (`0x7f.1`, `2130706433`, `017700000001`, full-width
    digits) becomes that address, following https://url.spec.whatwg.org/#host-parsing, so that it can be checked.
    """
    if not text or len(text) > 255 or "%" in text:
        raise _no_host()
    if ":" in text:
        try:
            return str(ipaddress.IPv6Address(text.strip("[]")))
        except ValueError:
            raise _no_host() from None
    if AMBIGUOUS.intersection(text):
        raise RefusalError("other", "the host name is ambiguous: two hosts match it", "write its ASCII form, xn--…")
    try:
        name = text.lower() if text.isascii() else text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise _no_host() from None
    name = name.removesuffix(".")
    last = name.rpartition(".")[2]
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        return _ipv4(name.split("."))
    if len(name) > 253 or not HOST.fullmatch(name) or any(len(label) > 63 for label in name.split(".")):
        raise _no_host()
    return name


def _ipv4(parts: list[str]) -> str:
    numbers = []
    for part in parts:
        base = 16 if part.startswith("0x") else 8 if part.startswith("0") and part != "0" else 10
        digits = part[2:] or "0" if base == 16 else part
        if len(digits) > 20 or not re.fullmatch(r"[0-9a-f]+", digits):
            raise _no_host()
        try:
            numbers.append(int(digits, base))
        except ValueError:
            raise _no_host() from None
    size = 256 ** (5 - len(numbers)) if len(numbers) <= 4 else 0
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= size:
        raise _no_host()
    value = numbers[-1] + sum(number * 256 ** (3 - place) for place, number in enumerate(numbers[:-1]))
    return str(ipaddress.IPv4Address(value))


def _no_host() -> RefusalError:
    return RefusalError("other", "the address has no valid host name", "use a name such as www.example.org")


def _scheme_name(scheme: str) -> str:
    return f"{scheme[:20]}: addresses" if scheme else "an address without http:// or https://"


def _quoted(text: str) -> str:
    # aiohttp turns header bytes that are not UTF-8 into lone surrogates: restore these bytes.
    return quote(text, safe=SAFE, errors="surrogateescape")


def _is_forbidden(letter: str) -> bool:
    """Return True if a character is not allowed anywhere in an address."""
    return letter < " " or letter == "\x7f" or "\ud800" <= letter < "\udc80" or "\udcff" < letter <= "\udfff"


def _authorization(netloc: str) -> str | None:
    """Return Basic credentials (RFC 7617) from the part before "@"."""
    user, at, _ = netloc.rpartition("@")
    if not at or not user.strip(":"):
        return None
    # Restore header bytes that are not UTF-8, as in a path.
    name, _, password = user.encode("utf-8", "surrogateescape").partition(b":")
    return "Basic " + base64.b64encode(unquote_to_bytes(name) + b":" + unquote_to_bytes(password)).decode("ascii")
