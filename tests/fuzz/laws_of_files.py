"""Properties of files in the folder of a site: each function raises an error if its input breaks one.

They cover articles and their edits, settings, the state, dates and names. A hash of the bytes makes the choices (a
zone, the edited key), so that every input is a complete file as people have it, and gives the same result each time.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
import zlib
from datetime import UTC, datetime
from functools import cache
from tempfile import mkdtemp
from typing import Any

from feedtool.articles import HEAD_SIZE, Document, Rules, parse_document, read_article, read_head
from feedtool.articles.editor import edit_file
from feedtool.articles.encoding import decode
from feedtool.articles.yaml_fast import normal
from feedtool.checking.lint import check
from feedtool.config import Settings, parse_settings
from feedtool.dates.parse import date_in_name, iso, load_zone, parse_date, rfc822
from feedtool.errors import FeedtoolError, OutputError, SettingsError
from feedtool.ingesting import schedule
from feedtool.slugs import file_name, quote_path, slug, slugs
from feedtool.state import dump_state, parse_state

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
ZONES = ("UTC", "Asia/Shanghai", "America/St_Johns", "+14:00", "-12:00")
NAMES = ("a.md", "2022-07-25-a.md", "a.html", "新聞/2022/07/25/a.markdown", "_drafts/a.txt", "2022-07-25-20-11-a.md")
CHANGES: tuple[dict[str, Any], ...] = (
    {"date": "2022-07-25T20:11:30+08:00"},
    {"title": "a: b # c"},
    {"guid": "urn:uuid:0"},
    {"categories": ["a", "b: c"]},
    {"title": None},
    {"draft": True},
    {"thumbnail": "", "date": None},
    {"Title": "'\"\\", "last-modified": "x"},
)


def choice(data: bytes, among: tuple[Any, ...] | list[Any], salt: int = 0) -> Any:
    """Return one of several values, the same one for the same bytes."""
    return among[zlib.crc32(data, salt) % len(among)]


def worded(text: str) -> None:
    """Raise AssertionError if a message is empty."""
    assert text.strip()


def line_of_text(line: int | None, text: str) -> None:
    """Raise AssertionError if a text does not have this line."""
    assert line is None or 1 <= line <= len(re.findall(r"\r\n?|\n", text)) + 1, line


def article(data: bytes) -> None:
    """Check that any file is an article or is reported, and that its head, read from its first bytes, agrees with the whole."""
    rules = Rules(zone=load_zone(choice(data, ZONES)), hierarchy=bool(len(data) % 2))
    path = choice(data, NAMES, 1)
    whole, problems = read_article(path, data, rules)
    assert read_article(path, data, rules) == (whole, problems)
    for problem in problems:
        worded(problem.message)
        worded(problem.code)
        line_of_text(problem.line, parse_document(data).text)
    head = read_head(path, data[:HEAD_SIZE], lambda: data, rules)
    if whole is None:
        assert problems or head.hidden
        assert not head.id
        return
    assert whole.published.utcoffset() is not None
    assert whole.updated >= whole.published
    moments = (int(whole.published.timestamp()), int(whole.updated.timestamp()))
    assert (head.published, head.updated) == moments
    assert (head.hidden, head.id) == (whole.draft, whole.id)
    assert (head.categories, head.tags) == (whole.categories, whole.tags)


def edit(data: bytes) -> None:
    """Check that an edit sets its keys and keeps the body and all other keys, or is refused."""
    changes = choice(data, CHANGES)
    try:
        fresh = edit_file(data, changes)
    except FeedtoolError as refused:
        worded(refused.what)
        return
    before, after = parse_document(data, every_key=True), parse_document(fresh, every_key=True)
    assert fresh.endswith(_body_of(data, before)), fresh
    if before.broken or after.encoding != before.encoding:
        # The encoding is detected from the whole file: the caller of an edit compares the values before and after.
        return
    assert edit_file(fresh, changes) == fresh
    names = {normal(key) for key in changes}
    kept_values = {key: value for key, value in before.values.items() if normal(key) not in names}
    new_values = {key: value for key, value in after.values.items() if normal(key) not in names}
    if not before.recovered:
        assert new_values == kept_values
        assert not after.recovered


def _body_of(data: bytes, document: Document) -> bytes:
    """Return the bytes of the body without the byte order mark and blank lines that an edit may put front matter before."""
    codec = {"utf-16": "utf-16-be" if data.startswith(b"\xfe\xff") else "utf-16-le"}.get(document.encoding)
    codec = codec or {"utf-32": "utf-32-le"}.get(document.encoding, document.encoding)
    body = document.body.lstrip("\ufeff") if document.split.form == "none" else document.body
    if "\r" in decode(data).text and "\r" not in document.text:
        body = body.replace("\n", "\r")
    return body.encode(codec, "surrogatepass" if codec.startswith("utf") else "strict")


def fix(data: bytes) -> None:
    """Check that `check --fix` fixes a file without changing its meaning, and that a second fix changes nothing."""
    import os

    name = choice(data, ("a.md", "2022-07-25-a.html"), 2)
    settings = _site(choice(data, ZONES))
    file = os.path.join(settings.folder, "articles", name)
    with open(file, "wb") as stream:
        stream.write(data)
    try:
        rules = Rules(zone=load_zone(settings.site.timezone), authority="example.org")
        old, _ = read_article(name, data, rules)
        check(settings, mapper=map, fix=True)
        fixed = _bytes(file)
        new, _ = read_article(name, fixed, rules)
        assert (old is None) == (new is None)
        if old is None or new is None:
            assert fixed == data
            return
        assert (new.title, new.body, new.categories, new.tags) == (old.title, old.body, old.categories, old.tags)
        assert (int(new.published.timestamp()), new.id) == (int(old.published.timestamp()), old.id)
        again = check(settings, mapper=map, fix=True)
        assert not again.fixed
        assert _bytes(file) == fixed
    finally:
        os.unlink(file)


def _bytes(file: str) -> bytes:
    with open(file, "rb") as stream:
        return stream.read()


@cache
def _site(zone: str) -> Settings:
    """Return the settings of an empty site of this process."""
    import os
    from dataclasses import replace

    folder = mkdtemp(prefix="feedtool-fuzz-")
    os.mkdir(os.path.join(folder, "articles"))
    settings = parse_settings(f'[site]\ntitle = "T"\nurl = "https://example.org/"\ntimezone = "{zone}"\n')
    return replace(settings, folder=folder)


def dates(data: bytes) -> None:
    """Check that any text is rejected or is a moment with an offset and a plausible year that can be written and read back."""
    zone = load_zone(choice(data, ZONES))
    for text in data.decode("utf-8", "surrogateescape").split("\n"):
        date_in_name(text, zone=zone)
        for day_first in (False, True):
            moment = parse_date(text, zone=zone, day_first=day_first)
            if moment is None:
                continue
            assert moment.utcoffset() is not None
            assert 998 < moment.astimezone(UTC).year < 2201
            if moment.year not in (1000, 2199, 2200):
                for write in (iso, rfc822):
                    assert parse_date(write(moment), zone=zone) == moment.replace(microsecond=0), text


def settings_file(data: bytes) -> None:
    """Check that any text is valid settings, or that each error has a message and an existing line."""
    text = data.decode("utf-8", "replace")
    try:
        parse_settings(text)
    except SettingsError as refused:
        for problem in getattr(refused, "problems", (refused,)):
            worded(problem.what)
            line_of_text(problem.line, text)
        return
    tomllib.loads(text.removeprefix("\ufeff"))


def state_file(data: bytes) -> None:
    """Check that records of a state survive being written, and that a damaged record of a source causes no error."""
    try:
        state = parse_state(data.decode("utf-8", "replace"))
    except OutputError as error:
        if "newer feedtool" not in error.what:
            raise
        return
    text = dump_state(state)
    assert parse_state(text).keys() == state.keys()
    assert dump_state(parse_state(text)) == text
    for facts in state.values():
        health = schedule.health_of(facts, "https://example.org/")
        assert schedule.health_of(schedule.facts_of(health), "https://example.org/") == health
        json.dumps(schedule.facts_of(health))
        schedule.is_due(health, NOW)
        schedule.condition(health, NOW)
        schedule.counts_by_week(health, NOW)
        schedule.after_failure(health, "dns", "no such host", NOW)
        schedule.after_success(health, schedule.Visit(), NOW, new=1)


_ODD = frozenset('<>:"/\\|?*')
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³")}


def names(data: bytes) -> None:
    """Check that any names become distinct folder names that are safe and short on every system."""
    text_of_names = (
        data.decode("utf-8", "surrogatepass" if len(data) % 2 else "replace") if _decodes(data) else repr(data)
    )
    slugs_by_name = slugs(text_of_names.split("\n")[:40])
    distinct = {unicodedata.normalize("NFC", name) for name in slugs_by_name}
    assert len({unicodedata.normalize("NFKC", text).casefold() for text in slugs_by_name.values()}) == len(distinct)
    for name, text in slugs_by_name.items():
        _safe(text, 80)
        assert slug(slug(name)) == slug(name)
        _safe(file_name(name, suffix=".md", limit=120), 120)
        assert quote_path(text).isascii()


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _safe(name: str, limit: int) -> None:
    assert 0 < len(name.encode()) <= limit, name
    assert name[0] not in "-._ "
    assert name[-1] not in "-. "
    assert not _ODD.intersection(name), name
    assert not any(unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u202e\u200b\ufeff" for letter in name)
    assert name.split(".")[0].strip().lower() not in _DEVICES, name
    assert unicodedata.is_normalized("NFC", name)
