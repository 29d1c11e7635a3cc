"""Create article files with a title, a date and an id; existing files are never overwritten."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from feedtool import storage
from feedtool.articles import front_matter, read_head
from feedtool.catalog.reading_rules import reading_rules
from feedtool.config import Settings
from feedtool.dates.parse import load_zone, parse_date
from feedtool.errors import OutputError, UsageError, remedy
from feedtool.protocols import Clock
from feedtool.slugs import collision_key, file_name

_FOLDER = 120
"""The longest name of a category's folder in UTF-8 bytes."""
_NAME = 180
"""The longest name of a file in UTF-8 bytes, which allows for a date and a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """A new article. `date` is as the user writes it, "" for now; an `author` of "" stands for that of the site."""

    title: str
    categories: Sequence[str] = ()
    author: str = ""
    date: str = ""
    draft: bool = False


def new_article(settings: Settings, article: NewArticle, *, clock: Clock) -> str:
    """Write a new article file in the folder of its first category and return its path.

    The file is named after the title. If any article has that name already, a number is added, because ids are derived
    from names. Raise UsageError for an empty title or an unreadable date, and OutputError if the file can't be written.
    """
    title = " ".join(article.title.split())
    if not title:
        raise UsageError("the title is empty", hint="give one, such as: feedtool new 'A title'")
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    now = clock()
    moment = _moment(settings, article.date, now)
    folder = file_name(article.categories[0], suffix="", limit=_FOLDER) if article.categories else ""
    rules = reading_rules(settings)
    name = file_name(rules.dialect.file_title(title, moment, rules.zone), limit=_NAME)
    place = os.path.join(root, _existing_name(root, folder)) if folder else root
    if os.path.realpath(place) != place:
        raise OutputError("leads through a link", where=place, hint="make it a folder of its own")
    try:
        storage.make_folders(place)
        return _write_first_free(place, name.removesuffix(".md"), settings, article, root, now)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise OutputError(what, where=place, hint=remedy(error)) from None


def _existing_name(root: str, folder: str) -> str:
    """Return the name of an existing folder that some file systems treat as the same name, else the name itself."""
    names = sorted(os.listdir(root)) if os.path.isdir(root) else []
    same = [
        name
        for name in names
        if collision_key(name) == collision_key(folder) and os.path.isdir(os.path.join(root, name))
    ]
    return folder if folder in same or not same else same[0]


def article_text(settings: Settings, article: NewArticle, stem: str, *, now: datetime) -> tuple[str, str]:
    """Return the front matter of a new article and its id; `stem` is the name of its file."""
    moment = _moment(settings, article.date, now)
    rules = reading_rules(settings)
    dialect = rules.dialect
    hidden: Mapping[str, bool | str] = dialect.draft_keys if article.draft else {}
    categories = tuple(dict.fromkeys(" ".join(name.split()) for name in article.categories if name.strip()))
    identity = _identity(settings, stem, article.title, moment, now)
    values: dict[str, str | bool | Sequence[str]] = {"title": " ".join(article.title.split())}
    values |= {"categories": categories} if categories else {}
    values |= {"author": article.author} if article.author else {}
    values |= {"date": dialect.date_text(moment, rules.zone), "guid": identity, **hidden}
    return front_matter(values, metadata=dialect.is_metadata), identity


def _moment(settings: Settings, date: str, now: datetime) -> datetime:
    zone = load_zone(settings.site.timezone)
    if not date:
        return now.astimezone(zone).replace(microsecond=0)
    moment = parse_date(date, zone=zone)
    if moment is None:
        raise UsageError(f'cannot read "{date}"', where="option date", hint="write it as 2022-12-25T20:11:30+08:00")
    return moment


def _identity(settings: Settings, stem: str, title: str, moment: datetime, now: datetime) -> str:
    """Return the id that the file would get if it had none, or a UUID if the site has no host.

    Without a host, an id made from the path would not be unique.
    """
    if not settings.site.authority:
        return uuid5(NAMESPACE_URL, f"{settings.folder}/{stem} {title} {now.isoformat()}").urn
    rules = reading_rules(settings)
    head = front_matter(
        {"date": rules.dialect.date_text(moment, rules.zone)}, metadata=rules.dialect.is_metadata
    ).encode()
    return read_head(f"{stem}.md", head, lambda: head, rules).id


def _write_first_free(place: str, stem: str, settings: Settings, article: NewArticle, root: str, now: datetime) -> str:
    taken = {
        collision_key(file[0].rpartition(".")[0])
        for folder in storage.walk_articles(root, problems=[], prefix="")
        for file in folder.files
    }
    number, name = 1, stem
    while True:
        path = os.path.join(place, f"{name}.md")
        if collision_key(name) not in taken:
            text, _ = article_text(settings, article, name, now=now)
            try:
                # If two runs write at once, one gets the next number.
                storage.create(path, f"{text}\n".encode("utf-8", "replace"))
                return path
            except FileExistsError:
                pass
        number += 1
        name = f"{stem}-{number}"
