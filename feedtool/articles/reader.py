"""A file's bytes and path in, an Article (or its head alone) and Problems out; no disk is touched."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from feedtool.articles.body import visible_body
from feedtool.articles.dialect import DRAFT, NOT_HIDDEN, PLAIN, SHOWN, Hidden, both_hidden
from feedtool.articles.encoding import SURE
from feedtool.articles.fences import Split
from feedtool.articles.fields import (
    AUTHORS,
    CATEGORIES,
    FALSE,
    ID,
    KNOWN,
    LANGUAGE,
    LINK,
    PUBLISHED,
    RIGHTS,
    SUMMARY,
    TAGS,
    TITLE,
    UPDATED,
    Fields,
    Note,
    plain_names,
    texts,
)
from feedtool.articles.frontmatter import Document, parse_document
from feedtool.articles.identity import derived_id, identity, stem_of
from feedtool.articles.keys import HIDING, more_hiding
from feedtool.articles.provenance import is_body_as_written
from feedtool.articles.rules import HEAD_SIZE, Head, Rules
from feedtool.articles.yaml import Value, load_fully, plain
from feedtool.articles.yaml_fast import normal
from feedtool.dates.parse import date_in_name, parse_date
from feedtool.models import Article, BodyKind, Enclosure, Problem

if TYPE_CHECKING:
    from feedtool.html.policy import Removal


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Shown:
    """How an article was read, for a person who asks: front matter form, which keys won, the encoding, and what of the body
    its site does not show."""

    form: str = ""
    encoding: str = ""
    used: dict[str, str] = field(default_factory=dict)
    recovered: bool = False
    hidden: tuple[Removal, ...] = ()


def read_head(path: str, data: bytes, whole: Callable[[], bytes], rules: Rules) -> Head:
    """Return an article's head from the first bytes of its file; `whole` is asked for all of them only when needed."""
    metadata = rules.dialect.is_metadata
    found = None if metadata else fenced(data)
    values = _quick_values(found[0]) if found is not None else None
    if found is not None and values is not None:
        plainest = _plain_head(path, values, rules)
        if plainest is not None:
            return plainest
        fields = _fields(path, values, found[0], rules)
        hidden = _hidden(path, fields, rules)
        published = fields.published()
        if published is not None and not fields.notes:
            return _head(path, fields, published, hidden, rules)
    if found is not None:
        # The fence is at hand: what is behind it can't change what is before it.
        data = data[: found[1]]
    document = parse_document(data if found is not None or len(data) < HEAD_SIZE else whole(), metadata=metadata)
    return _careful_head(path, document, rules)


def read_article(
    path: str, data: bytes, rules: Rules, *, shown: Shown | None = None
) -> tuple[Article | None, tuple[Problem, ...]]:
    """Return the article in a file's bytes, or None with the Problem that says why; never raises.

    `path` is relative to the articles folder. `shown` is filled with how it was read.
    """
    document = parse_document(data, every_key=shown is not None, metadata=rules.dialect.is_metadata)
    fields = _fields_of(path, document, rules)
    published = None if document.broken else _published(path, document, fields, rules)
    if published is None:
        _describe(shown, document, fields)
        return None, _problems(path, document, fields, rules)
    hidden = _hidden(path, fields, rules)
    article = _article(path, document, fields, published, rules, hidden, shown)
    _describe(shown, document, fields)
    return article, _problems(path, document, fields, rules)


_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*---[ \t]*\r?\n")
_AFTER = re.compile(rb"\n---[ \t]*(?:\r?\n|\Z)")


def fenced(data: bytes) -> tuple[str, int] | None:
    """Return front matter between two fences of `---` and where the second one ends; None where that is not at hand."""
    start = 4
    if not data.startswith(b"---\n"):
        opening = _OPENING.match(data)
        if opening is None:
            return None
        start = opening.end()
    # Most fences are three dashes and a line feed: to find that takes no pattern.
    end = data.find(b"\n---", start - 1)
    after = end + 5
    if end < 0 or data[end + 4 : after] != b"\n" or after == len(data):
        closing = _AFTER.search(data, start - 1)
        if closing is None or (closing.end() == len(data) == HEAD_SIZE and data[-1:] != b"\n"):
            return None
        end, after = closing.span()
    said = data[start : end + 1]
    try:
        matter = said.decode()
        if len(said) - SURE < len(matter) < len(said):
            # A few letters may be UTF-8 by chance: what is behind them tells.
            codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        return None
    return None if "\n..." in matter or matter.startswith("...") else (matter, after)


def _quick_values(matter: str) -> dict[str, Value] | None:
    """Return the values of plain YAML, by `normal` keys; None sends to the careful way."""
    values = plain(matter, KNOWN)
    if values is not None:
        return values
    try:
        loaded = load_fully(matter)
    except ValueError:
        return None
    names = {normal(key): value for key, value in loaded.values.items()}
    return None if loaded.notes or len(names) < len(loaded.values) else names


# Keys that say more of a head than most articles do.
_RARE = frozenset((*PUBLISHED, *UPDATED, *CATEGORIES, *TAGS, *AUTHORS, *LINK, *ID, "source", *HIDING)) - {
    "date",
    "categories",
    "tags",
    "author",
}


def _plain_head(path: str, values: dict[str, Value], rules: Rules) -> Head | None:
    """Return the head of an article that says no more than nearly all do: what `Fields` would make of it, some
    7 us sooner a head (a sixth). None for all others."""
    date = values.get("date", "")
    if not _RARE.isdisjoint(values) or type(date) is not str or rules.hierarchy or not rules.dialect.is_plain:
        return None
    if rules.dialect.utc_dates:
        return None
    published = parse_date(date, zone=rules.zone)
    categories, tags = plain_names(values.get("categories", "")), plain_names(values.get("tags", ()))
    author, title = values.get("author", ""), values.get("title", "")
    if published is None or categories is None or tags is None or type(author) is not str or type(title) is not str:
        return None
    if "<" in author:
        return None
    moment = int(published.timestamp())
    name = " ".join(author.split())
    return Head(
        path,
        derived_id(path, published, rules),
        moment,
        moment,
        categories,
        tags,
        (name,) if name else (),
        "",
        " ".join(title.split()),
        DRAFT if is_draft_path(path) else SHOWN,
        False,
        (),
    )


def _fields(path: str, values: dict[str, Value], matter: str, rules: Rules) -> Fields:
    """Return the typed fields of front matter, with what the dialect adds; `values` are by normal keys."""
    dialect = rules.dialect
    fields = Fields(dialect.completed(path, values), rules.zone, named=True)
    fields.example_date = dialect.example_date
    fields.utc_dates, fields.matter = dialect.utc_dates, matter
    return fields


def _fields_of(path: str, document: Document, rules: Rules) -> Fields:
    values: dict[str, Value] = {}
    for key, value in document.values.items():
        name = normal(key)
        values[name] = more_hiding(name, values[name], value) if name in values else value  # type: ignore[assignment]
    return _fields(path, values, document.text[document.split.start : document.split.end], rules)


def _hidden(path: str, fields: Fields, rules: Rules) -> Hidden:
    """Return whether an article is kept out of feeds: by itself, by its folders, or by lying in a folder of drafts."""
    own = NOT_HIDDEN
    # Most front matter has no key that hides anything.
    if rules.dialect is not PLAIN or not HIDING.isdisjoint(fields.values):
        own = both_hidden(rules.dialect.hidden(fields, path), rules.dialect.folder_values.hidden)
    if own.kind == SHOWN and is_draft_path(path):
        return Hidden(DRAFT, "it lies in a folder of drafts (`_drafts`)")
    return own


def _careful_head(path: str, document: Document, rules: Rules) -> Head:
    fields = _fields_of(path, document, rules)
    hidden = _hidden(path, fields, rules)
    published = None if document.broken else _published(path, document, fields, rules)
    head = _head(path, fields, published, hidden, rules) if published is not None else None
    problems = _problems(path, document, fields, rules)
    if hidden.kind != SHOWN:
        # What is kept back need not be in order; only that a protected text is left out has to be said.
        problems = tuple(
            one for one in problems if one.code == "FT024" or (document.broken and one.severity == "error")
        )
    if head is None:
        return Head(path, "", 0, 0, (), (), (), "", "", hidden.packed(), False, problems)
    return head._replace(problems=problems)


def _head(path: str, fields: Fields, published: datetime, hidden: Hidden, rules: Rules) -> Head:
    updated = fields.updated()
    source = fields.source() if "source" in fields.values else None
    moment = int(published.timestamp())
    return Head(
        path,
        identity(path, fields.text(ID), published, rules),
        moment,
        max(moment, int(updated.timestamp())) if updated is not None else moment,
        _categories(fields, rules),
        fields.names(TAGS),
        fields.author_names(),
        (source.title or source.url or "") if source is not None else "",
        fields.text(TITLE),
        hidden.since(moment).packed(),
        _is_linked(fields),
        (),
    )


def _published(path: str, document: Document, fields: Fields, rules: Rules) -> datetime | None:
    moment = fields.published()
    if moment is not None:
        return moment
    moment = date_in_name(stem_of(path), zone=rules.zone)
    if moment is not None:
        fields.used["published"] = "the file's name"
        return moment
    severity = "error" if rules.undated == "error" else "warning"
    if fields.notes:
        key, code, message, hint, _ = fields.notes[-1]
        fields.notes[-1] = Note(key, code, f"{message}; the article is left out", hint, severity)
    else:
        bare = [note for note in document.notes if note[2].code == "FT004"]
        what = "no front matter and no date" if bare else "no date"
        document.notes[:] = [note for note in document.notes if note not in bare]
        hint = f"add `date: {fields.example_date}`, or begin the file's name with the date"
        line = next((document.line_of(key) for key in PUBLISHED if key in fields.values), document.split.line)
        document.notes.append((line, None, Note("", "FT010", f"{what}; the article is left out", hint, severity)))
    return None


def _article(
    path: str,
    document: Document,
    fields: Fields,
    published: datetime,
    rules: Rules,
    hidden: Hidden,
    shown: Shown | None,
) -> Article:
    kind = _kind(path, document)
    body, removals = visible_body(document, kind, rules.dialect.name)
    if shown is not None:
        shown.hidden = removals
    updated = fields.updated()
    hidden = hidden.since(int(published.timestamp()))
    return Article(
        path=path,
        id=identity(path, fields.text(ID), published, rules),
        title=fields.text(TITLE) or _heading(body, kind) or _name_as_title(path),
        published=published,
        updated=updated if updated is not None and updated > published else published,
        body=body,
        kind=kind,
        categories=_categories(fields, rules),
        tags=fields.names(TAGS),
        authors=fields.authors(),
        thumbnail=fields.thumbnail(),
        link=_link(fields),
        summary=fields.text(SUMMARY) or None,
        enclosures=_enclosures(fields),
        language=_language(fields),
        rights=fields.text(RIGHTS) or None,
        source=fields.source(),
        draft=hidden.kind == DRAFT,
        withheld=hidden.reason,
        shown_from=_utc(hidden.start),
        shown_until=_utc(hidden.end),
        address=rules.dialect.address(fields.values),
        address_zone=rules.dialect.address_zone(fields, rules.zone),
        line=document.text.count("\n", 0, document.split.body) + 1,
    )


def _utc(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def _categories(fields: Fields, rules: Rules) -> tuple[str, ...]:
    if not rules.hierarchy:
        value = fields.values.get("categories")
        if rules.dialect.splits_categories and isinstance(value, str):
            fields.values["categories"] = list(value.split())
        return fields.names(CATEGORIES)
    names: dict[str, None] = {}
    for path in fields.paths():
        for depth in range(1, len(path) + 1):
            names["/".join(path[:depth])] = None
    return tuple(names)


def _is_linked(fields: Fields) -> bool:
    if not fields.values.keys().isdisjoint(LINK):
        noted = len(fields.notes)
        link = _link(fields)
        del fields.notes[noted:]
        return link is not None
    return False


def _link(fields: Fields) -> str | None:
    from feedtool.html import safe_url

    for key in LINK:
        value = fields.values.get(key)
        text = next(texts(value), "").strip() if value else ""
        address = safe_url(text) if re.match(r"(?i)https?://\S", text) else None
        if address is not None:
            fields.used["link"] = key
            return address
        if text and not (key == "permalink" and re.match(r"[/\w.:-]", text) and "javascript" not in text.lower()):
            message = f"{key}: not an absolute http or https address"
            fields.notes.append(Note(key, "FT017", message, "write it as https://example.org/page"))
    return None


def _enclosures(fields: Fields) -> tuple[Enclosure, ...]:
    from feedtool.html import safe_url

    kept = []
    for enclosure in fields.enclosures():
        # A relative address is judged against some site: which one, making the entry tells.
        if safe_url(enclosure.url, "https://localhost/") is None:
            key = fields.used["enclosures"]
            message = f"{key}: not an http or https address; it is left out"
            fields.notes.append(Note(key, "FT020", message, "give it as {url, type, length}"))
        else:
            kept.append(enclosure)
    return tuple(kept)


def _language(fields: Fields) -> str | None:
    text = fields.text(LANGUAGE).replace("_", "-")
    if not text:
        return None
    if re.fullmatch(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,6}", text):
        return text
    key = fields.used.get("lang", "lang")
    fields.notes.append(Note(key, "FT019", f"{key}: not a language tag", "write it as zh-CN or en (BCP 47)"))
    return None


_HEADING = re.compile(r"<(h[1-6])(?: [^<>]*)?>(.+?)</\1>", re.DOTALL)
_SEARCHED = 20_000
_LONGEST_TITLE = 300


def _heading(body: str, kind: BodyKind) -> str:
    """Return the first heading of a body as it is published: in code, comments and scripts there is none."""
    from feedtool.html import Policy, clean_html, plain_text

    made = clean_html(body[:_SEARCHED], kind="markdown" if kind == "text" else kind, policy=Policy()).html
    headings = (plain_text(found[2]) for found in _HEADING.finditer(made))
    return next((text[:_LONGEST_TITLE] for text in headings if text), "")


def _name_as_title(path: str) -> str:
    stem = stem_of(path)
    bare = re.sub(r"^\d{4}-?\d\d-?\d\d[-_ ]+", "", stem) or stem
    return bare.replace("-", " ").replace("_", " ").strip() if bare.isascii() else bare


def _kind(path: str, document: Document) -> BodyKind:
    suffix = path.rpartition(".")[2].lower()
    if suffix in ("html", "htm"):
        return "html"
    if suffix == "txt":
        return "text"
    found = document.split
    matter = document.text[found.start : found.end]
    # What ingest wrote is HTML for as long as nobody edits it, whatever it begins with.
    return "html" if "feedtool:" in matter and is_body_as_written(matter, document.body) else "markdown"


def is_draft_path(path: str) -> bool:
    """Say whether a file or a folder (ending in "/") lies in a folder of drafts."""
    return path.startswith("_drafts/") or "/_drafts/" in path


def _describe(shown: Shown | None, document: Document, fields: Fields) -> None:
    if shown is not None:
        shown.form = _form(document.split)
        shown.encoding = document.encoding
        shown.used = dict(fields.used)
        shown.recovered = document.recovered


def _form(found: Split) -> str:
    return found.form if found.fenced else f"{found.form} without an opening fence"


def _problems(path: str, document: Document, fields: Fields, rules: Rules) -> tuple[Problem, ...]:
    file = rules.prefix + path
    notes = [*document.notes, *((document.line_of(note.key), None, note) for note in fields.notes)]
    return tuple(
        Problem(
            file=file,
            code=note.code,
            message=note.message,
            hint=note.hint,
            severity="error" if note.severity == "error" else "warning",
            line=line,
            column=column,
        )
        for line, column, note in sorted(notes, key=lambda item: (item[0], item[2].code))
    )


__all__ = ["FALSE", "HEAD_SIZE", "Head", "Rules", "Shown", "read_article", "read_head"]
