"""Define how Hexo reads articles (https://hexo.io/docs/front-matter, hexo/lib/plugins/processor/post.ts)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from feedtool.articles.dialect import NOT_HIDDEN, WITHHELD, Dialect, Hidden, Sorted
from feedtool.articles.fields import PUBLISHED, TAGS, Fields
from feedtool.articles.hidden import hidden
from feedtool.dialects.config import Read, config_of, first_text, is_on, item, table, texts_of
from feedtool.dialects.globs import matches
from feedtool.expressions import expression
from feedtool.frozen import frozen

FILES = ("_config.yml", "_config.yaml", "_config.json")


# js-yaml (lib/type/timestamp.js) parses these as a Date, to which hexo-front-matter adds the machine's offset.
_YAML_OFFSET = expression(
    r"\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?)", re.ASCII
)


POSTS = (".md", ".markdown", ".html", ".htm")
"""Suffixes of files that Hexo's own renderers read; case matters."""


@frozen
class Hexo(Dialect):
    """Hexo's rules. `ignored` are globs of paths below its `source` folder; `below` is the articles folder in it.

    `encrypted` are the tags whose articles hexo-blog-encrypt protects. If posts have asset folders, `suffix` is the only
    suffix of a post, else "".
    """

    below: str = "_posts/"
    suffix: str = ""
    ignored: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()

    name: ClassVar[str] = "hexo"
    sorts: ClassVar[bool] = True
    example_date: ClassVar[str] = "2022-12-25 20:11:30"
    draft_keys: ClassVar[Mapping[str, str | bool]] = {"published": False}  # `draft: true` means nothing to Hexo
    new_suffix: ClassVar[str] = ".md"

    @property
    def is_plain(self) -> bool:
        """True if heads can be read without calling this dialect."""
        return not self.encrypted

    def sort(self, folder: str, names: Sequence[str], folders: list[str]) -> Sorted:
        """Exclude hidden and temporary names, as Hexo does (`isHiddenFile`), ignored paths, and assets."""
        path = self.below + folder
        kept = [
            name
            for name in names
            if name[0] not in "_."
            and name.endswith(POSTS)
            and (not self.suffix or name.endswith(self.suffix))
            and not self._is_ignored(path + name)
        ]
        # Enter folders of drafts: the articles in them are drafts.
        return Sorted(
            kept, [name for name in folders if name == "_drafts" or (name[0] != "_" and name != "node_modules")]
        )

    def _is_ignored(self, path: str) -> bool:
        return any(matches(path, glob) for glob in self.ignored)

    def hidden(self, fields: Fields, path: str) -> Hidden:
        """Return whether an article is kept out of feeds; hexo-blog-encrypt also protects by tags, unless `password` is empty."""
        result = hidden(fields)
        if result != NOT_HIDDEN or not self.encrypted or fields.values.get("password") == "":
            return result
        tag = next((name for name in fields.names(TAGS) if name in self.encrypted), "")
        return Hidden(WITHHELD, f'its tag "{tag}" is encrypted in _config.yml') if tag else result

    def date_text(self, moment: datetime, zone: tzinfo) -> str:
        """Return the only form that Hexo never shifts: hexo-front-matter adds the machine's offset to dates with an offset
        (https://github.com/hexojs/hexo-front-matter/issues/28)."""
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"

    def reads_date(self, text: str) -> bool:
        """Return True for ASCII text: JavaScript's Date reads nearly any such text that contains a date."""
        return text.isascii()

    def address_zone(self, fields: Fields, zone: tzinfo) -> tzinfo:
        """Return the site's zone, or UTC for a date with an offset that YAML parses, since Hexo shifts it."""
        key, value = fields.first(PUBLISHED) or ("", "")
        shifted = isinstance(value, str) and _YAML_OFFSET.fullmatch(value) is not None and fields.is_unquoted(key)
        return UTC if shifted else zone


RULES = Hexo


def load(read: Read, articles: str) -> Hexo:
    """Return the rules with the settings of `_config.yml`; `articles` is the path of the posts below Hexo's folder."""
    config = config_of(read, FILES)
    source = (first_text(config, "source_dir") or "source").strip("/")
    below = articles.removeprefix(f"{source}/").strip("/") if articles.startswith(f"{source}/") else "_posts"
    tags = item(table(config, "encrypt"), "tags")
    new = first_text(config, "new_post_name") or ":title.md"
    return Hexo(
        below=f"{below}/",
        suffix=f".{new.rpartition('.')[2]}" if is_on(item(config, "post_asset_folder")) and "." in new else "",
        ignored=tuple(
            glob
            for key in ("exclude", "skip_render", "ignore")
            for glob in texts_of(item(config, key))
            if glob[0] != "!"
        ),
        encrypted=tuple(
            name for one in (tags if isinstance(tags, list) else []) for name in texts_of(item(one, "name")) if name
        ),
    )
