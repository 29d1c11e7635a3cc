"""Make the rules of rendering from settings, and the fingerprints that tell when anything made by them is out of date."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from feedtool import registry, storage
from feedtool.articles import Rules
from feedtool.config import Settings
from feedtool.digests import blake2b
from feedtool.errors import SettingsError, remedy

if TYPE_CHECKING:
    from feedtool.feeds.entries import EntryRules
    from feedtool.registry import Format
    from feedtool.site import PageRules


def making_rules(settings: Settings, base_url: str) -> EntryRules:
    """Return the rules by which entries are made from articles; raise SettingsError for a selector that is not CSS."""
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


def versions(
    settings: Settings, rules: Rules, environment: str, templates: object, *, drafts: bool, future: bool
) -> tuple[str, bytes, bytes]:
    """Return the fingerprints of the whole build, of heads and of entries.

    Each changes with anything that its results depend on. `environment` is the text of an Environment.
    """
    reading_code = f"{environment} {_registered_fields()}"
    reading = f"{reading_code} {rules!r}"
    formats = f"{settings.feeds.formats} {_registered_formats(settings.feeds.formats)}"
    making = f"{reading} {formats}"
    whole = f"{reading_code} {formats} {settings.digest()} {rules.dialect!r} {settings.output} {drafts} {future} {templates}"
    return _hex(whole), bytes.fromhex(_hex(reading)), bytes.fromhex(_hex(making))


def _registered_fields() -> Sequence[object]:
    """Return the fields of front matter from outside feedtool."""
    # Only a program that has imported the table can have registered one; a build without changes does not import it.
    table = sys.modules.get("feedtool.articles.field_table")
    return table.registered_fields() if table is not None else []


def _registered_formats(names: tuple[str, ...]) -> list[tuple[object, ...]]:
    """Return what the bytes of formats from outside feedtool depend on, which no digest of its own code covers."""
    return [
        (one.name, one.file, one.media_type, one.title, dict(one.words), one.archive, one.version, *_code_of(one))
        for one in registry.registered_among(names)
    ]


def _code_of(form: Format) -> list[bytes]:
    """Return a digest of each module that defines a function of a format; none of a module without a file, as in a shell."""
    names = {form.entry.__module__, form.document.__module__}
    files = (getattr(sys.modules.get(name), "__file__", None) for name in sorted(names))
    return [blake2b(storage.read_or_none(file) or b"", digest_size=16).digest() for file in files if file]


def _hex(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def page_rules(settings: Settings, base_url: str, moved: Callable[[], tuple[tuple[str, str], ...]]) -> PageRules | None:
    """Return the rules by which pages are made, or None if the settings ask for no pages; `moved` is not called then.

    Templates in the site's `templates/` folder replace the built-in ones.
    """
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
    """Return the site's own templates and style sheets as pairs of name and text; raise SettingsError if one cannot be read."""
    templates_folder = os.path.join(folder, "templates")
    templates = []
    try:
        for name in sorted(os.listdir(templates_folder)) if os.path.isdir(templates_folder) else ():
            # Editors leave dangling links beside the file they edit, such as `.#index.html`.
            if name.endswith((".html", ".css")) and not name.startswith("."):
                text = storage.read(os.path.join(templates_folder, name)).decode("utf-8", "replace")
                templates.append((name, text.replace("\r\n", "\n").replace("\r", "\n")))
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else templates_folder
        raise SettingsError(f"cannot be read: {error.strerror or error}", where=where, hint=remedy(error)) from None
    return tuple(templates)
