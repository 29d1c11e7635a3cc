"""Settings in, the rules that the pure rooms go by out, with the marks that say when anything made by them is stale."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from feedtool import __version__, store
from feedtool.article import Rules
from feedtool.article.dialect import PLAIN, Dialect
from feedtool.dates import load_zone
from feedtool.dialects import Remembered, load, settings_files
from feedtool.dialects.config import LARGEST, UnreadableError
from feedtool.digests import blake2b
from feedtool.errors import SettingsError, remedy
from feedtool.model import Problem
from feedtool.settings import Settings
from feedtool.walks.build.listing import is_racy

if TYPE_CHECKING:
    from feedtool.entries import EntryRules
    from feedtool.pages import PageRules


def reading_rules(settings: Settings, remembered: Remembered | None = None) -> Rules:
    """Return how article files are read; `remembered` spares reading the settings files of the site's generator."""
    return loaded_rules(settings, remembered)[0]


def loaded_rules(settings: Settings, remembered: Remembered | None = None) -> tuple[Rules, Remembered]:
    """Return how article files are read, and what to remember for the next time."""
    dialect, remembered = dialect_of(settings, remembered)
    rules = Rules(
        dialect=dialect,
        zone=load_zone(settings.site.timezone),
        authority=settings.authority,
        hierarchy=settings.feeds.categories == "hierarchy",
        undated="error" if settings.feeds.undated == "error" else "skip",
        prefix=os.path.normpath(settings.articles.path).replace(os.sep, "/") + "/",
    )
    return rules, remembered


def dialect_of(settings: Settings, remembered: Remembered | None = None) -> tuple[Dialect, Remembered]:
    """Return the rules of the generator that also reads the articles, as its own settings files have them."""
    name = generator_of(settings)
    if name == "plain":
        return PLAIN, (name, "", (), {})
    folder, articles = generator_folder(settings)
    try:
        return load(name, articles, partial(generator_file, folder), remembered)
    except UnreadableError as error:
        # What these settings hide would be published.
        where = os.path.join(folder, *error.file.split("/"))
        hint = f'mend it as {name.capitalize()} needs it, or set [articles] flavour = "plain"'
        raise SettingsError(str(error), where=where, hint=hint) from None


def doubts(rules: Rules) -> list[Problem]:
    """Return a Problem for each of the generator's settings that could not be followed."""
    names = settings_files(rules.dialect.name)
    return [
        Problem(
            file=names[0],
            code="FT103",
            message=what,
            hint="write it as a plain value, or look at what is published with `feedtool explain FILE`",
            severity="warning",
        )
        for what in rules.dialect.unsure
    ]


def generator_of(settings: Settings) -> str:
    """Return the name of the generator that also reads the articles.

    Settings that `init` wrote before feedtool knew Pelican name none: there its settings file tells.
    """
    name = settings.articles.flavour
    if name == "plain" and settings.origins.get("articles.flavour", "default") == "default":
        return "pelican" if os.path.isfile(os.path.join(settings.folder, "pelicanconf.py")) else name
    return name


def generator_folder(settings: Settings) -> tuple[str, str]:
    """Return the folder that holds the settings of the site's generator, and the path of the articles below it.

    It is the site's folder, or one that the articles lie in. Where there are no such settings, it is guessed from the
    articles: `source/_posts` lies in Hexo's folder.
    """
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    candidates = [os.path.realpath(settings.folder)]
    above = os.path.dirname(root)
    while len(candidates) < 6 and above != os.path.dirname(above):
        candidates.append(above)
        above = os.path.dirname(above)
    files = settings_files(generator_of(settings))
    for folder in candidates:
        if root.startswith(folder.rstrip(os.sep) + os.sep) and any(
            os.path.isfile(os.path.join(folder, *name.split("/"))) for name in files
        ):
            return folder, os.path.relpath(root, folder).replace(os.sep, "/")
    parts = os.path.normpath(settings.articles.path).replace(os.sep, "/")
    return settings.folder, "" if parts == "." else parts


def generator_file(folder: str, name: str) -> bytes | None:
    """Return the first bytes of a file below a generator's folder, None where there is none; raises OSError."""
    path = os.path.join(folder, *name.split("/"))
    # In a pull request a link would bring what lies elsewhere on the machine into the feeds.
    root = os.path.realpath(folder)
    if os.path.lexists(path) and not os.path.realpath(path).startswith(root.rstrip(os.sep) + os.sep):
        raise OSError(errno.ELOOP, "leads out of the site's folder", path)
    return store.read_start(path, LARGEST + 1)


def making_rules(settings: Settings, base_url: str) -> EntryRules:
    """Return how entries are made of articles."""
    from feedtool.entries import EntryRules
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


def code_mark(known: Code | None) -> Code:
    """Return what tells this feedtool from others; `known` is what was returned last time, and holds while its files look so.

    Contents, no dates: a fresh install of the same thing on a CI runner is the same thing. To read 200 files at every
    start would be 6 ms.
    """
    since = time.time_ns()
    files = sorted(_own_files(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))))
    look = blake2b(repr(files).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    if known is not None and known[0] == look:
        return known
    contents = blake2b(digest_size=16)
    for path, *_ in files:
        contents.update(store.read(path))
    racy = is_racy(max((file[3] for file in files), default=0), since)
    return b"" if racy else look, contents.hexdigest()


def _own_files(folder: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield path, size, mtime and ctime of all that output may depend on."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".py", ".css", ".toml", ".html")):
                yield (entry.path, *store.looks_of(entry.stat()))
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
    from feedtool.pages import PageRules

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
                text = store.read(os.path.join(place, name)).decode("utf-8", "replace")
                found.append((name, text.replace("\r\n", "\n").replace("\r", "\n")))
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else place
        raise SettingsError(f"cannot be read: {error.strerror or error}", where=where, hint=remedy(error)) from None
    return tuple(found)
