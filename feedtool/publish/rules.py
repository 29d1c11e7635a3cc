"""Settings in, the rules that the pure rooms go by out, with the marks that say when anything made by them is stale."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from feedtool import __version__, storage
from feedtool.articles import Rules
from feedtool.config import Settings
from feedtool.digests import blake2b
from feedtool.errors import SettingsError, remedy
from feedtool.publish.scan import is_racy

if TYPE_CHECKING:
    from feedtool.feeds.entries import EntryRules
    from feedtool.site import PageRules


def making_rules(settings: Settings, base_url: str) -> EntryRules:
    """Return how entries are made of articles."""
    from feedtool.feeds.entries import EntryRules
    from feedtool.html import Policy

    html = settings.html
    _check_selectors(settings)
    return EntryRules(
        policy=Policy(
            tags=html.tags,
            attributes=html.attributes,
            iframe_hosts=html.iframe_hosts,
            remove=html.remove,
            drop_trackers=html.drop_trackers,
            proxies=html.proxies,
        ),
        base_url=base_url,
        full=settings.feeds.content == "full",
        summary_length=settings.feeds.summary_length,
        permalink=settings.articles.permalink,
        pages=settings.pages.articles,
        distrust_thumbnails=html.distrust_thumbnails,
        prefix=os.path.normpath(settings.articles.path).replace(os.sep, "/") + "/",
    )


def _check_selectors(settings: Settings) -> None:
    if not settings.html.remove:
        return
    from feedtool.html.tree import Tree

    nothing = Tree("")
    for selector in settings.html.remove:
        try:
            nothing.find(selector)
        except ValueError:
            line = settings.origins.get("html.remove", "").rpartition(":")[2]
            raise SettingsError(
                f'[html] remove: "{selector[:80]}" is not a CSS selector',
                where=settings.file or "feedtool.toml",
                line=int(line) if line.isdigit() else None,
                hint='write it as ".ad" or "div > p.note"',
            ) from None


Code = tuple[bytes, str]
"""How the files of feedtool look, b"" where one changed just now; and a text that changes when they do."""


def versions(
    settings: Settings, rules: Rules, code: Code, templates: object, *, drafts: bool, future: bool
) -> tuple[str, bytes, bytes]:
    """Return the marks of a whole build, of heads and of entries: each changes with all that the thing depends on."""
    libraries = f"{__version__} {code[1]} {' '.join(_libraries())}"
    reading = f"{libraries} {rules!r}"
    making = f"{reading} {settings.feeds.formats}"
    whole = f"{libraries} {settings.digest()} {rules.dialect!r} {settings.output} {drafts} {future} {templates}"
    return _hex(whole), bytes.fromhex(_hex(reading)), bytes.fromhex(_hex(making))


def _hex(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def code_fingerprint(known: Code | None) -> Code:
    """Return what tells this feedtool from others; `known` is what was returned last time, and holds while its files look so.

    Contents, no dates: a fresh install of the same thing on a CI runner is the same thing. To read 200 files at every
    start would be 6 ms.
    """
    since = time.time_ns()
    files = sorted(_own_files(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    look = blake2b(repr(files).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    if known is not None and known[0] == look:
        return known
    contents = blake2b(digest_size=16)
    for path, *_ in files:
        contents.update(storage.read(path))
    racy = is_racy(max((file[3] for file in files), default=0), since)
    return b"" if racy else look, contents.hexdigest()


def _own_files(folder: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield path, size, mtime and ctime of all that output may depend on."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".py", ".css", ".toml", ".html")):
                yield (entry.path, *storage.signature_of(entry.stat()))
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _own_files(entry.path)


_LIBRARY = re.compile(r"(?i)(?:nh3|selectolax|pyromark|lxml|pyyaml|py_yaml12|jinja2|markupsafe)-[^/]*\.dist-info")


def _libraries() -> list[str]:
    spec = find_spec("nh3")
    if spec is None or not spec.origin:
        return []
    return sorted(
        name for name in os.listdir(os.path.dirname(os.path.dirname(spec.origin))) if _LIBRARY.fullmatch(name)
    )


def page_rules(settings: Settings, base_url: str, moved: Callable[[], tuple[tuple[str, str], ...]]) -> PageRules | None:
    """Return how pages are made, None where there are none: `moved` is not asked then. The site folder's `templates/` win
    over ours."""
    if not settings.pages.index and settings.pages.articles == "none":
        return None
    from feedtool.site import PageRules

    site = settings.site
    return PageRules(
        title=site.title,
        base_url=base_url,
        description=site.description,
        language=site.language,
        author=site.author.name if site.author is not None else "",
        rights=site.rights,
        icon=site.icon,
        theme=settings.pages.theme,
        formats=settings.feeds.formats,
        moved=moved(),
        index=settings.pages.index,
        overrides=overrides(settings.folder),
    )


def overrides(folder: str) -> tuple[tuple[str, str], ...]:
    """Return the site's own templates and style sheet by name."""
    place = os.path.join(folder, "templates")
    found = []
    try:
        for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
            # Editors keep links that lead nowhere beside what they edit: `.#index.html`.
            if name.endswith((".html", ".css")) and not name.startswith("."):
                text = storage.read(os.path.join(place, name)).decode("utf-8", "replace")
                found.append((name, text.replace("\r\n", "\n").replace("\r", "\n")))
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else place
        raise SettingsError(f"cannot be read: {error.strerror or error}", where=where, hint=remedy(error)) from None
    return tuple(found)
