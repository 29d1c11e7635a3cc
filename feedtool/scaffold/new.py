"""A title and what goes with it in, a new article file with an id out; no file is ever overwritten."""

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
"""UTF-8 bytes of a category's folder."""
_NAME = 180
"""UTF-8 bytes of a file's name, which leaves room for a date and a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """A new article. `date` is as a person writes it, "" for now; `author` "" for that of the site."""

    title: str
    categories: Sequence[str] = ()
    author: str = ""
    date: str = ""
    draft: bool = False


def new_article(settings: Settings, wanted: NewArticle, *, clock: Clock) -> str:
    """Write a new article file in the folder of its first category and return its path.

    Its name is its title's; where an article has that name already, anywhere, it gets a number: the ids that files
    without one get come from their names. Raises UsageError for a title or date that says nothing, OutputError where
    the file can't be written.
    """
    title = " ".join(wanted.title.split())
    if not title:
        raise UsageError("the title is empty", hint="give one, such as: feedtool new 'A title'")
    root = os.path.realpath(os.path.join(settings.folder, settings.articles.path))
    now = clock()
    moment = _moment(settings, wanted.date, now)
    folder = file_name(wanted.categories[0], suffix="", limit=_FOLDER) if wanted.categories else ""
    rules = reading_rules(settings)
    name = file_name(rules.dialect.file_title(title, moment, rules.zone), limit=_NAME)
    place = os.path.join(root, _spelled(root, folder)) if folder else root
    if os.path.realpath(place) != place:
        raise OutputError("leads through a link", where=place, hint="make it a folder of its own")
    try:
        storage.make_folders(place)
        return _write_first_free(place, name.removesuffix(".md"), settings, wanted, root, now)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise OutputError(what, where=place, hint=remedy(error)) from None


def _spelled(root: str, folder: str) -> str:
    """Return the name of the folder that is there already under an alike name, on some systems the same; else its own."""
    names = sorted(os.listdir(root)) if os.path.isdir(root) else []
    same = [
        name
        for name in names
        if collision_key(name) == collision_key(folder) and os.path.isdir(os.path.join(root, name))
    ]
    return folder if folder in same or not same else same[0]


def article_text(settings: Settings, wanted: NewArticle, stem: str, *, now: datetime) -> tuple[str, str]:
    """Return the front matter of a new article, and its id, for a file of that name."""
    moment = _moment(settings, wanted.date, now)
    rules = reading_rules(settings)
    dialect = rules.dialect
    hidden: Mapping[str, bool | str] = dialect.draft_keys if wanted.draft else {}
    categories = tuple(dict.fromkeys(" ".join(name.split()) for name in wanted.categories if name.strip()))
    identity = _identity(settings, stem, wanted.title, moment, now)
    values: dict[str, str | bool | Sequence[str]] = {"title": " ".join(wanted.title.split())}
    values |= {"categories": categories} if categories else {}
    values |= {"author": wanted.author} if wanted.author else {}
    values |= {"date": dialect.date_text(moment, rules.zone), "guid": identity, **hidden}
    return front_matter(values, metadata=dialect.is_metadata), identity


def _moment(settings: Settings, date: str, now: datetime) -> datetime:
    zone = load_zone(settings.site.timezone)
    if not date:
        return now.astimezone(zone).replace(microsecond=0)
    moment = parse_date(date, zone=zone)
    if moment is None:
        raise UsageError(f'cannot read "{date}"', where="--date", hint="write it such as 2022-12-25T20:11:30+08:00")
    return moment


def _identity(settings: Settings, stem: str, title: str, moment: datetime, now: datetime) -> str:
    """Return the id that the file would have without one. A site without a host has none to put there, and a made-up one
    would not be the only one of its kind: then it is a UUID."""
    if not settings.site.authority:
        return uuid5(NAMESPACE_URL, f"{settings.folder}/{stem} {title} {now.isoformat()}").urn
    rules = reading_rules(settings)
    head = front_matter(
        {"date": rules.dialect.date_text(moment, rules.zone)}, metadata=rules.dialect.is_metadata
    ).encode()
    return read_head(f"{stem}.md", head, lambda: head, rules).id


def _write_first_free(place: str, stem: str, settings: Settings, wanted: NewArticle, root: str, now: datetime) -> str:
    taken = {
        collision_key(file[0].rpartition(".")[0])
        for folder in storage.walk_articles(root, problems=[], prefix="")
        for file in folder.files
    }
    number, chosen = 1, stem
    while True:
        path = os.path.join(place, f"{chosen}.md")
        if collision_key(chosen) not in taken:
            text, _ = article_text(settings, wanted, chosen, now=now)
            try:
                # Of two that write at once, one gets the next number.
                storage.create(path, f"{text}\n".encode("utf-8", "replace"))
                return path
            except FileExistsError:
                pass
        number += 1
        chosen = f"{stem}-{number}"
