"""Decide by its front matter whether an article is kept out of all feeds: drafts, protected and unlisted texts, embargoes."""

from __future__ import annotations

from feedtool.article.dialect import DRAFT, NOT_HIDDEN, WITHHELD, Hidden
from feedtool.article.fields import FALSE, TRUE, Fields, Note, texts
from feedtool.article.keys import ENCRYPTED, ENDS, HIDING, LISTED, PASSWORDS, STARTS, UNLISTED
from feedtool.article.plainlines import normal
from feedtool.dates import parse_date

STATUSES = frozenset(("draft", "pending", "private", "hidden", "unlisted", "skip", "trash"))
VISIBILITIES = frozenset(("private", "hidden", "unlisted", "members", "paid", "password", "protected", "draft"))


def hidden(fields: Fields, *, window: bool, status: bool, lists: bool = False) -> Hidden:
    """Return why an article is in no feed, by the keys that mean the same everywhere.

    `window` says whether dates of publication and expiry count, `status` whether `status: draft` and its like do,
    `lists` whether Hugo's `build: {list: never}` does. A protected text is noted as a Problem besides: its author may not know
    that feeds have no passwords.
    """
    values = fields.values
    if HIDING.isdisjoint(values):
        return NOT_HIDDEN
    if fields.draft():
        key = "draft" if _text(fields, "draft") in TRUE else "published"
        return Hidden(DRAFT, f"it is a draft (`{key}: {_text(fields, key)}`)")
    key = protecting_key(fields)
    if key:
        fields.notes.append(protected_note(key))
        return Hidden(WITHHELD, f"it is protected (`{key}`), and a feed cannot ask for a password")
    for key in UNLISTED:
        if key in values and _text(fields, key) in TRUE:
            return Hidden(WITHHELD, f"`{key}: {_text(fields, key)}` keeps it out of lists")
    for key in LISTED:
        if key in values and _text(fields, key) in FALSE:
            return Hidden(WITHHELD, f"`{key}: {_text(fields, key)}` keeps it out of lists")
    for key, words in (("status", STATUSES if status else frozenset()), ("visibility", VISIBILITIES)):
        if key in values and _text(fields, key) in words:
            return Hidden(DRAFT if _text(fields, key) == "draft" else WITHHELD, f"`{key}: {_text(fields, key)}`")
    if lists and (reason := unlisting(fields)):
        return Hidden(WITHHELD, reason)
    return window_of(fields) if window else NOT_HIDDEN


def unlisting(fields: Fields) -> str:
    """Return the words of Hugo's build options that keep a page out of lists, "" where none do
    (https://gohugo.io/content-management/build-options/)."""
    for key in ("build", "_build"):
        build = fields.values.get(key)
        options = {normal(name): value for name, value in build.items()} if isinstance(build, dict) else {}
        listed = next(texts(options.get("list", "")), "").strip().lower()
        if listed in ("never", "false", "local"):
            return f"`{key}: list: {listed}` keeps it out of lists"
    return ""


def protected_note(key: str) -> Note:
    """Return the note on a text that its site gives out against a password only; the password is not in it."""
    message = f"{key}: the article is protected, and a feed cannot ask for a password; it is left out"
    return Note(key, "FT024", message, "take the key out to publish the article, or move it out of the articles")


def protecting_key(fields: Fields) -> str:
    """Return the key that protects an article's text, "" where none does."""
    for key in PASSWORDS:
        value = fields.values.get(key)
        if value and (not isinstance(value, str) or value.strip().lower() not in FALSE | {"null", "~"}):
            return key
    return next((key for key in ENCRYPTED if key in fields.values and _text(fields, key) in TRUE), "")


def window_of(fields: Fields) -> Hidden:
    """Return from when until when an article is published.

    A `publishDate` or `expiryDate` that can't be read hides it: the text may be under embargo.
    """
    start, end = _moment(fields, STARTS), _moment(fields, ENDS)
    for key, moment in (start, end):
        if key and moment is None:
            message = f"{key}: this date can't be read; the article is left out until it can"
            fields.notes.append(Note(key, "FT011", message, f"write it as {fields.example_date}"))
            return Hidden(WITHHELD, f"`{key}` holds a date that can't be read")
    return Hidden(start=start[1], end=end[1], reason="")


def _moment(fields: Fields, keys: tuple[str, ...]) -> tuple[str, int | None]:
    for key in keys:
        text = _raw(fields, key)
        if not text or (key == "published" and text.lower() in TRUE | FALSE):
            continue
        moment = parse_date(text, zone=fields.zone_of(key, text))
        if moment is not None:
            return key, int(moment.timestamp())
        if key not in ("pubdate", "published"):  # these two may name something else: a publisher, say
            return key, None
    return "", None


def _raw(fields: Fields, key: str) -> str:
    value = fields.values.get(key)
    return (value if isinstance(value, str) else next(texts(value), "")).strip() if value else ""


def _text(fields: Fields, key: str) -> str:
    return _raw(fields, key).lower()[:40]
