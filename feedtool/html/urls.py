"""Make untrusted URLs absolute and harmless, and recognize those of trackers, placeholders, emoji and proxies.

Nothing is fetched here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from feedtool.expressions import expression
from feedtool.html.hosts import (
    EMOJI_PATHS,
    LINK_DECORATIONS,
    PLACEHOLDER_HOSTS,
    PLACEHOLDER_NAMES,
    PLAIN_NAMES,
    PROXY_PARAMETERS,
    TRACKER_HOSTS,
    TRACKER_PATHS,
)

WEB = ("http", "https")
LINKS = ("http", "https", "mailto", "tel")
MAX_URL = 16_384

# A URL that is already absolute, ASCII and escaped as RFC 3986 requires. Possessive, so that no input causes backtracking.
_PLAIN = expression(
    r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,4})?"
    r"(?:[/?](?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]++|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]++|%[0-9A-Fa-f]{2})*)?"
)
# The same for a path from the root without empty segments and segments that begin with a dot.
_ROOTED = expression(
    r"(?:/(?![/.])(?:[A-Za-z0-9\-._~:@!$&'()*+,=]++|%[0-9A-Fa-f]{2})*)+"
    r"(?:\?(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]++|%[0-9A-Fa-f]{2})+)?"
    r"(?:#(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]++|%[0-9A-Fa-f]{2})+)?"
)
_SCHEME = expression(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_UNSAFE = expression(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~:/?@!$&'()*+,;=%]")
_CONTROL = expression("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
_AUTHORITY = expression(r"(?:([^@]*)@)?(\[[0-9A-Fa-f:.]+\]|[^:\[\]@]+)(?::([0-9]*))?")
_DEFAULT_PORT = expression(r":(?:80|443)?$")
_HOST = expression(r"[A-Za-z0-9_.\-]+|\[[0-9A-Fa-f:.]+\]")
_HOST_OF = expression(r"[A-Za-z]+://(?:[^/?#@]*@)?([^/?#:]*)")
_CANDIDATE = expression(r"[\s,]*([^\s,]\S*)")
_DESCRIPTOR = expression(r"[0-9]+[wh]|[0-9]+(?:\.[0-9]+)?x")
_NESTED = expression(r"https?://[^/?#]+/?\?(https?(?::|%3a)(?:/|%2f){2}.+)", re.IGNORECASE | re.DOTALL)
_CORS = expression(r"https?://cors[^/?#]*/(https?:/.+)", re.IGNORECASE | re.DOTALL)
_TRACKING_PATH = expression("/(?:" + "|".join(re.escape(path[1:]) for path in TRACKER_PATHS) + ")")
_DECORATED = expression(
    r"[?&](?:" + "|".join(sorted({name[:3] for name in LINK_DECORATIONS} | {"utm", "pk_", "mtm"})) + ")"
)


def safe_url(url: str, base: str = "", *, schemes: tuple[str, ...] = WEB) -> str | None:
    """Return `url` absolute and percent-encoded, or None if it is invalid or its scheme is not in `schemes`.

    The URL is read as browsers read it: without controls and surrounding whitespace, with backslashes as slashes, and with
    a scheme hidden in an entity decoded. A relative URL needs an absolute `base`; `//host/path` is https without one. Never
    raises.
    """
    if _PLAIN.fullmatch(url) and len(url) <= MAX_URL:
        return url
    if url[:1] == "/" and len(url) < MAX_URL // 2 and (resolved := _resolved_without_parsing(url, base)):
        return resolved
    if len(url) > MAX_URL * 2:
        return None
    text = _CONTROL.sub("", url).strip()
    if not text or (("&" in text or "%" in text) and _hides_scheme(text)):
        return None
    try:
        return _normalised(text, base, schemes)
    except (ValueError, UnicodeError):
        return None


def _resolved_without_parsing(url: str, base: str) -> str | None:
    """Return the absolute form of a simple `//host/path` or `/path`, or None if the URL needs full parsing."""
    if url[1:2] == "/":
        whole = f"{'http' if base[:5].lower() == 'http:' else 'https'}:{url}"
        return whole if _PLAIN.fullmatch(whole) else None
    if len(base) > MAX_URL // 2 or not _ROOTED.fullmatch(url):
        return None
    root = _root(base)
    return root + url[1:] if root else None


@lru_cache(maxsize=64)
def _root(base: str) -> str | None:
    return safe_url("/.", base)


def host_of(url: str) -> str:
    """Return the host of an absolute URL in lower case, or "" if there is none."""
    match = _HOST_OF.match(url)
    return match.group(1).lower() if match else ""


def is_tracker(url: str) -> bool:
    """Return True if a picture at this address counts visitors instead of showing something."""
    host = host_of(url)
    if not host:
        return False
    listed, prefixes = _tracking(host)
    if listed or _TRACKING_PATH.search(url):
        return True
    return bool(prefixes) and url.partition(host)[2].startswith(prefixes)


def is_placeholder(url: str) -> bool:
    """Return True if a picture stands for one that is missing or not yet loaded: `data:`, blank.gif, picsum.photos."""
    text = url.strip().lower()
    if not text or text.startswith(("data:", "about:", "javascript:", "#")):
        return True
    if _in_domains(host_of(text), PLACEHOLDER_HOSTS):
        return True
    name = text.partition("?")[0].partition("#")[0].rpartition("/")[2]
    stem, _, kind = name.rpartition(".")
    if stem in PLAIN_NAMES:
        return kind in ("gif", "svg")
    return kind in ("gif", "png", "svg", "jpg", "webp") and stem in PLACEHOLDER_NAMES


def is_emoji(url: str) -> bool:
    """Return True if a picture at this address represents an emoji or a smiley."""
    return any(path in url for path in EMOJI_PATHS)


def unwrap_proxy(url: str, proxies: tuple[str, ...] = ()) -> str:
    """Return the address behind picture proxies: `https://host/?https://real/x.png`, wsrv.nl, `proxies` prefixes."""
    for _ in range(5):
        inner = _address_behind_proxy(url, proxies)
        if inner is None or inner == url:
            break
        url = inner
    return url


def strip_decorations(url: str) -> str:
    """Return a link without query parameters that only tell where a visitor came from (utm_*, fbclid, spm)."""
    if not _DECORATED.search(url):
        return url
    head, hash_sign, fragment = url.partition("#")
    path, _, query = head.partition("?")
    kept = [part for part in query.split("&") if not _decorates(part)]
    if len(kept) == query.count("&") + 1:
        return url
    return path + ("?" + "&".join(kept) if kept else "") + hash_sign + fragment


def srcset_candidates(srcset: str) -> list[tuple[str, str]]:
    """Return the (URL, descriptor) pairs of a srcset, at most 64, parsed as in the HTML standard: URLs may contain commas."""
    candidates: list[tuple[str, str]] = []
    at = 0
    while len(candidates) < 64 and (match := _CANDIDATE.match(srcset, at)):
        url, at = match.group(1), match.end()
        descriptor = ""
        if url.endswith(","):
            url = url.rstrip(",")
        else:
            end = srcset.find(",", at)
            end = len(srcset) if end < 0 else end
            descriptor = srcset[at:end].strip()
            at = end + 1
        candidates.append((url, descriptor))
    return candidates


def is_descriptor(text: str) -> bool:
    """Return True if the text is one srcset descriptor (`2x`, `640w`) or empty."""
    return not text or _DESCRIPTOR.fullmatch(text) is not None


def _hides_scheme(text: str) -> bool:
    import html

    decoded = _CONTROL.sub("", html.unescape(text)).strip().lower()
    decoded = "".join(decoded[:64].split())
    return decoded.startswith(("javascript:", "vbscript:", "data:", "file:"))


def _normalised(text: str, base: str, schemes: tuple[str, ...]) -> str | None:
    scheme = _SCHEME.match(text)
    if scheme is None:
        text = _resolved(text, base)
        scheme = _SCHEME.match(text) if text else None
        if scheme is None:
            return None
    name, rest = scheme.group(1).lower(), text[scheme.end() :]
    if name not in schemes:
        return None
    if name not in WEB:
        return f"{name}:{_escaped(rest.strip())}" if rest.strip() else None
    rest, tail = _split_tail(rest)
    authority, slash, path = rest.replace("\\", "/").lstrip("/").partition("/")
    host = _authority(authority)
    if host is None:
        return None
    result = f"{name}://{host}{slash}{_escaped(path)}{tail}"
    return result if len(result) <= MAX_URL else None


def _resolved(text: str, base: str) -> str:
    head, tail = (text, "") if text[0] in "?#" else _cut(text)
    head = head.replace("\\", "/")
    if head.startswith("//"):
        scheme = "http" if base[:5].lower() == "http:" else "https"
        return f"{scheme}:{head}{tail}"
    if not base or base[:4].lower() != "http":
        return ""
    from urllib.parse import urljoin

    return urljoin(base, head + tail)


def _cut(text: str) -> tuple[str, str]:
    match = re.search(r"[?#]", text)
    return (text, "") if match is None else (text[: match.start()], text[match.start() :])


def _split_tail(rest: str) -> tuple[str, str]:
    """Return the path and the escaped query and fragment."""
    head, hash_sign, fragment = rest.partition("#")
    path, question, query = head.partition("?")
    return path, question + _escaped(query) + hash_sign + _escaped(fragment)


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), text)


def _authority(text: str) -> str | None:
    match = _AUTHORITY.fullmatch(text.strip())
    if match is None:
        return None
    user, host, port = match.groups()
    host = host.strip()
    if "%" in host:
        from urllib.parse import unquote

        host = unquote(host)
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if not _HOST.fullmatch(host) or not host.strip(".") or (port and int(port) > 65535):
        return None
    if host.startswith("["):
        from ipaddress import IPv6Address

        IPv6Address(host[1:-1])  # raises ValueError for an invalid address
    prefix = f"{_escaped(user)}@" if user else ""
    return prefix + host.lower() + (f":{int(port)}" if port else "")


@lru_cache(maxsize=4096)
def _tracking(host: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether all pictures of a host are trackers, and the path prefixes of those that are."""
    prefixes = tuple(rule[len(host) :] for rule in sorted(TRACKER_HOSTS) if rule.startswith(host + "/"))
    return _in_domains(host, TRACKER_HOSTS), prefixes


def _in_domains(host: str, domains: frozenset[str]) -> bool:
    """Return True if the host or one of its parent domains is listed."""
    for _ in range(16):
        if host in domains:
            return True
        host = host.partition(".")[2]
        if not host:
            return False
    return False


def _address_behind_proxy(url: str, proxies: tuple[str, ...]) -> str | None:
    for prefix in proxies:
        if prefix and url.startswith(prefix):
            return _inner(url[len(prefix) :])
    if "?" not in url and "/http" not in url:
        return None
    if match := _NESTED.fullmatch(url) or _CORS.fullmatch(url):
        return _inner(match.group(1))
    parameter = PROXY_PARAMETERS.get(host_of(url))
    if parameter is None:
        return None
    for part in url.partition("#")[0].partition("?")[2].split("&"):
        if part.startswith(parameter + "="):
            return _inner(part[len(parameter) + 1 :].removeprefix("ssl:"), bare=True)
    return None


@lru_cache(4096)
def link_key(url: str) -> str:
    """Return a key that is equal for links to the same page: no scheme, `www.`, fragment, trackers or final slash."""
    whole = safe_url(url) or ""
    if not whole:
        return ""
    head, _, fragment = strip_decorations(whole).partition("#")
    host, slash, path = head.partition("://")[2].partition("/")
    host = host.lower().rpartition("@")[2]
    host = _DEFAULT_PORT.sub("", host.removeprefix("www."))
    # Scripts treat `#!/page` and `#/page` as addresses of pages.
    kept = "/#" + fragment if fragment.startswith(("!", "/")) else ""
    return f"{host}{slash}{path}".rstrip("/") + kept


def _inner(text: str, *, bare: bool = False) -> str | None:
    if "%3a" in text[:12].lower() or "%2f" in text[:300].lower():
        from urllib.parse import unquote

        text = unquote(text)
    if re.match(r"https?:/", text, re.IGNORECASE):
        return text
    if text.startswith("//"):
        return "https:" + text
    return f"https://{text}" if bare and "." in text.partition("/")[0] else None


def _decorates(part: str) -> bool:
    name = part.partition("=")[0].lower()
    return name in LINK_DECORATIONS or name.startswith(("utm_", "pk_", "mtm_"))
