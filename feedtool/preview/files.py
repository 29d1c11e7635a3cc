"""Map the path of a request to a file of the preview, with its media type and validators; never to one outside its folder."""

from __future__ import annotations

import os
from email.utils import formatdate, parsedate_to_datetime
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import quote, unquote

from feedtool import registry, storage

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    # Browsers offer to download application/atom+xml, the registered type of feeds.
    ".xml": "application/xml; charset=utf-8",
    ".opml": "application/xml; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


class File(NamedTuple):
    """A file of the preview. `modified` is an HTTP date."""

    data: bytes
    type: str
    modified: str


class Moved(NamedTuple):
    """The address to redirect a request to."""

    location: str


def answer_to(path: str, root: str, prefix: str) -> File | Moved | None:
    """Return the file at a request's path (RFC 3986, without its query), a redirect, or None if there is nothing.

    `prefix` is the path at which the site begins, such as "/" or "/repo/". Hidden files are not served.
    """
    decoded = unquote(path, errors="surrogateescape")
    if decoded in ("/", prefix.rstrip("/")) and decoded != prefix:
        return Moved(prefix)
    if not decoded.startswith(prefix):
        return None
    parts = decoded[len(prefix) :].split("/")
    is_folder = parts[-1] == ""
    parts = parts[:-1] if is_folder else parts
    if any(_is_unfit(part) for part in parts):
        return None
    full = os.path.join(root, *parts)
    if os.path.isdir(full):
        if not is_folder:
            return Moved(quote(decoded.encode("utf-8", "surrogateescape")) + "/")
        full = os.path.join(full, "index.html")
    elif is_folder:
        return None
    real_root, real = os.path.realpath(root), os.path.realpath(full)
    return _file(real) if real.startswith(real_root + os.sep) else None


def _is_unfit(part: str) -> bool:
    """Return True if a part of a path is hidden or may lead elsewhere; no file of the preview has such a name."""
    return part[:1] in ("", ".") or any(sign in part for sign in ("/", "\\", "\0", ":"))


def _file(path: str) -> File | None:
    try:
        data = storage.read(path)
        modified = os.stat(path).st_mtime
    except (OSError, ValueError):
        return None
    kind = TYPES.get(os.path.splitext(path)[1].lower()) or _feed_type(path)
    return File(data, kind, formatdate(modified, usegmt=True))


def _feed_type(path: str) -> str:
    """Return the media type of a feed whose format a program has registered, else that of unknown bytes."""
    form = registry.format_of_file(os.path.basename(path)) or registry.format_of_archive(path.replace(os.sep, "/"))
    return form.media_type if form is not None else "application/octet-stream"


def etag(data: bytes) -> str:
    """Return the strong validator of a body (RFC 9110 section 8.8.3)."""
    return f'"{blake2b(data, digest_size=12).hexdigest()}"'


def is_unchanged(etags: str | None, since: str | None, *, tag: str, modified: str) -> bool:
    """Return True if a client has the current file: by If-None-Match, else by If-Modified-Since (RFC 9110 section 13.2.2)."""
    if etags is not None:
        tags = [one.strip().removeprefix("W/") for one in etags.split(",")]
        return "*" in tags or tag in tags
    if since is None or not modified:
        return False
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(since)
    except (ValueError, TypeError, OverflowError):
        return False


def is_own_host(host: str | None, named: str) -> bool:
    """Return True if a Host header names this machine: an IP address, `localhost`, or the name that the server is bound to.

    Another name that leads here may be DNS rebinding, by which a foreign page could read this site.
    """
    if host is None:
        return False
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    name = (name or port).strip("[]").lower()
    if name in ("localhost", named.lower()):
        return True
    from ipaddress import ip_address

    try:
        ip_address(name)
    except ValueError:
        return False
    return True
