"""Decide by its front matter whether an article is kept out of all feeds: drafts, protected and unlisted texts, embargoes."""

from __future__ import annotations

from feedtool.articles.dialect import DRAFT, NOT_HIDDEN, WITHHELD, Hidden
from feedtool.articles.fields import FALSE, TRUE, Fields, Note, texts
from feedtool.articles.keys import ENCRYPTED, ENDS, HIDING, LISTED, PASSWORDS, UNLISTED
from feedtool.articles.yaml_fast import normal
from feedtool.dates.parse import parse_date

STATUSES = frozenset(("pending", "private", "hidden", "unlisted", "skip", "trash"))
VISIBILITIES = frozenset(("private", "hidden", "unlisted", "members", "paid", "password", "protected", "draft"))


NO_PASSWORD = frozenset(("", "false", "null", "~"))


def hidden(fields: Fields, *, starts: tuple[str, ...] = (), status: bool = False, lists: bool = False) -> Hidden:
    """Return why an article is in no feed, by the keys that mean the same everywhere.

    `starts` are the keys of dates before which it is not published; where there are some, dates of expiry count, too.
    `status` says whether `status: draft` and its like hide it, `lists` whether Hugo's `build: {list: never}` does. A
    protected text is noted as a Problem besides: its author may not know that feeds have no passwords.
    """
    if HIDING.isdisjoint(fields.values):
        return NOT_HIDDEN
    # What is never published comes before drafts, which a preview shows.
    key = protecting_key(fields)
    if key:
        if not fields.draft():
            fields.notes.append(protected_note(key))
        return Hidden(WITHHELD, f"it is protected (`{key}`), and a feed cannot ask for a password")
    reason = _unlisted(fields, status=status) or (unlisting(fields) if lists else "")
    if reason:
        return Hidden(WITHHELD, reason)
    if fields.draft():
        key = "draft" if _text(fields, "draft") in TRUE else "published"
        return Hidden(DRAFT, f"it is a draft (`{key}: {_text(fields, key)}`)")
    if status and _text(fields, "status") == "draft":
        return Hidden(DRAFT, "it is a draft (`status: draft`)")
    return window_of(fields, starts) if starts else NOT_HIDDEN


def _unlisted(fields: Fields, *, status: bool) -> str:
    """Return the words by which an author keeps an article out of lists, "" where there are none."""
    hiding = [(key, TRUE) for key in UNLISTED] + [(key, FALSE) for key in LISTED] + [("visibility", VISIBILITIES)]
    if status:
        hiding.append(("status", STATUSES))
    for key, words in hiding:
        if key in fields.values and (text := _text(fields, key)) in words:
            return f"`{key}: {text}` keeps it out of lists"
    return ""


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
    """Return the key that protects an article's text, "" where none does.

    Only a value that YAML takes for none or for false is no password: `0` and `no` are ones to hexo-blog-encrypt.
    """
    for key in (*PASSWORDS, *ENCRYPTED):
        value = fields.values.get(key)
        nothing = NO_PASSWORD if key in PASSWORDS else NO_PASSWORD | FALSE
        if value and (not isinstance(value, str) or value.strip().lower() not in nothing):
            return key
    return ""


def window_of(fields: Fields, starts: tuple[str, ...]) -> Hidden:
    """Return from when until when an article is published.

    A `publishDate` or `expiryDate` that can't be read hides it: the text may be under embargo.
    """
    start, end = _moment(fields, starts), _moment(fields, ENDS)
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
