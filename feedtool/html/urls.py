"""A URL as a stranger wrote it goes in, an absolute and harmless one comes out, or None; fetches nothing."""

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

# Possessive, so that no input makes it try twice: already absolute, ASCII and escaped as RFC 3986 asks.
_PLAIN = expression(
    r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,4})?"
    r"(?:[/?](?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]++|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]++|%[0-9A-Fa-f]{2})*)?"
)
# The same of a path from the root, which holds no empty segment and none of dots.
_ROOTED = expression(
    r"(?:/(?![/.])(?:[A-Za-z0-9\-._~:@!$&'()*+,=]++|%[0-9A-Fa-f]{2})*)+"
    r"(?:\?(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]++|%[0-9A-Fa-f]{2})+)?"
    r"(?:#(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]++|%[0-9A-Fa-f]{2})+)?"
)
_SCHEME = expression(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_UNSAFE = expression(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~:/?@!$&'()*+,;=%]")
_CONTROL = expression("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
_AUTHORITY = expression(r"(?:([^@]*)@)?(\[[0-9A-Fa-f:.]+\]|[^:\[\]@]+)(?::([0-9]*))?")
_USUAL_PORT = expression(r":(?:80|443)?$")
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
    """Return `url` absolute and percent-encoded, or None when it can't be or its scheme is not in `schemes`.

    Judged as browsers do: controls and surrounding space out, backslashes as slashes, and a scheme hidden in
    an entity counts. A relative URL needs an absolute `base`; `//host/path` is https without one. Never raises.
    """
    if _PLAIN.fullmatch(url) and len(url) <= MAX_URL:
        return url
    if url[:1] == "/" and len(url) < MAX_URL // 2 and (found := _quickly_resolved(url, base)):
        return found
    if len(url) > MAX_URL * 2:
        return None
    text = _CONTROL.sub("", url).strip()
    if not text or (("&" in text or "%" in text) and _hides_scheme(text)):
        return None
    try:
        return _normalised(text, base, schemes)
    except (ValueError, UnicodeError):
        return None


def _quickly_resolved(url: str, base: str) -> str | None:
    """Return what most relative addresses come to, `//host/path` and `/path`, or None where it takes a closer look."""
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
    """Return the host of an absolute URL in lower case, "" when there is none."""
    found = _HOST_OF.match(url)
    return found.group(1).lower() if found else ""


def is_tracker(url: str) -> bool:
    """Tell whether a picture at this address counts readers instead of showing something."""
    host = host_of(url)
    if not host:
        return False
    listed, prefixes = _tracking(host)
    if listed or _TRACKING_PATH.search(url):
        return True
    return bool(prefixes) and url.partition(host)[2].startswith(prefixes)


def is_placeholder(url: str) -> bool:
    """Tell whether a picture stands in for one that is missing or not loaded yet: `data:`, blank.gif, picsum.photos."""
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
    """Tell whether a picture at this address is drawn in place of an emoji or a smiley."""
    return any(path in url for path in EMOJI_PATHS)


def unwrap_proxy(url: str, proxies: tuple[str, ...] = ()) -> str:
    """Return the address behind picture proxies: `https://host/?https://real/x.png`, wsrv.nl, `proxies` prefixes."""
    for _ in range(5):
        inner = _behind(url, proxies)
        if inner is None or inner == url:
            break
        url = inner
    return url


def strip_decorations(url: str) -> str:
    """Return a link without query parameters that only say who sent the reader (utm_*, fbclid, spm)."""
    if not _DECORATED.search(url):
        return url
    head, mark, fragment = url.partition("#")
    path, _, query = head.partition("?")
    kept = [part for part in query.split("&") if not _decorates(part)]
    if len(kept) == query.count("&") + 1:
        return url
    return path + ("?" + "&".join(kept) if kept else "") + mark + fragment


def srcset_candidates(srcset: str) -> list[tuple[str, str]]:
    """Return (URL, descriptor) pairs of a srcset as the HTML standard parses it: commas may stand inside URLs."""
    found: list[tuple[str, str]] = []
    at = 0
    while len(found) < 64 and (match := _CANDIDATE.match(srcset, at)):
        url, at = match.group(1), match.end()
        descriptor = ""
        if url.endswith(","):
            url = url.rstrip(",")
        else:
            end = srcset.find(",", at)
            end = len(srcset) if end < 0 else end
            descriptor = srcset[at:end].strip()
            at = end + 1
        found.append((url, descriptor))
    return found


def is_descriptor(text: str) -> bool:
    """Tell whether this is one srcset descriptor (`2x`, `640w`) or none at all."""
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
    found = re.search(r"[?#]", text)
    return (text, "") if found is None else (text[: found.start()], text[found.start() :])


def _split_tail(rest: str) -> tuple[str, str]:
    """Part path from an already escaped query and fragment."""
    head, mark, fragment = rest.partition("#")
    path, question, query = head.partition("?")
    return path, question + _escaped(query) + mark + _escaped(fragment)


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), text)


def _authority(text: str) -> str | None:
    found = _AUTHORITY.fullmatch(text.strip())
    if found is None:
        return None
    user, host, port = found.groups()
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

        IPv6Address(host[1:-1])  # raises ValueError, as whoever reads the address later would
    prefix = f"{_escaped(user)}@" if user else ""
    return prefix + host.lower() + (f":{int(port)}" if port else "")


@lru_cache(maxsize=4096)
def _tracking(host: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether all pictures of a host are trackers, and the beginnings of paths of those that are."""
    prefixes = tuple(rule[len(host) :] for rule in sorted(TRACKER_HOSTS) if rule.startswith(host + "/"))
    return _in_domains(host, TRACKER_HOSTS), prefixes


def _in_domains(host: str, domains: frozenset[str]) -> bool:
    """Tell whether the host or a parent domain of it is listed."""
    for _ in range(16):
        if host in domains:
            return True
        host = host.partition(".")[2]
        if not host:
            return False
    return False


def _behind(url: str, proxies: tuple[str, ...]) -> str | None:
    for prefix in proxies:
        if prefix and url.startswith(prefix):
            return _inner(url[len(prefix) :])
    if "?" not in url and "/http" not in url:
        return None
    if found := _NESTED.fullmatch(url) or _CORS.fullmatch(url):
        return _inner(found.group(1))
    parameter = PROXY_PARAMETERS.get(host_of(url))
    if parameter is None:
        return None
    for part in url.partition("#")[0].partition("?")[2].split("&"):
        if part.startswith(parameter + "="):
            return _inner(part[len(parameter) + 1 :].removeprefix("ssl:"), bare=True)
    return None


@lru_cache(4096)
def link_key(url: str) -> str:
    """Return the form in which two links to one page are equal: no scheme, `www.`, fragment, trackers or last slash."""
    whole = safe_url(url) or ""
    if not whole:
        return ""
    head, _, fragment = strip_decorations(whole).partition("#")
    host, slash, path = head.partition("://")[2].partition("/")
    host = host.lower().rpartition("@")[2]
    host = _USUAL_PORT.sub("", host.removeprefix("www."))
    # `#!/page` and `#/page` are addresses of pages to the scripts that show them.
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
