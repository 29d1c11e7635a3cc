"""Tell whether a site was deployed before, from the settings and the state alone."""

from __future__ import annotations

import os

from feedtool import storage
from feedtool.config import Settings
from feedtool.state import FILE, records


def earlier_deployment(settings: Settings, host: str) -> str:
    """Return what shows that the site was published before, "" where nothing does.

    `feedtool.state` has tombstones only of entries that were published; and a site whose ids are of another host was at
    that host. Neither the index nor the manifest says anything: each build makes both. A state that cannot be read counts.
    """
    try:
        text = (storage.read_or_none(os.path.join(settings.folder, FILE)) or b"").decode("utf-8", "replace")
    except OSError as error:
        return f"{FILE}, which may know of an earlier deployment, cannot be read: {error.strerror or error}"
    if any(kind == "tombstone" for kind, _, _ in records(text)):
        return f"{FILE} knows of published entries that were deleted"
    authority = settings.authority.rpartition("@")[2]
    given = authority if settings.origins.get("site.authority", "default") != "default" else ""
    if given and not _are_related(given, host):
        return f"the ids of the articles are of {given}, where the site was published before"
    return ""


def _are_related(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
