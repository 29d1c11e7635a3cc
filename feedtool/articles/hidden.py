"""Decide from the front matter whether an article is kept out of feeds: draft, protected, unlisted, under embargo or expired."""

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
    """Return whether and why an article is in no feed, by the keys that have the same meaning for all generators.

    `starts` are the keys of dates before which it is not published; if there are any, expiry dates count too. With `status`,
    `status: draft` and the like hide it; with `lists`, Hugo's `build: {list: never}` does. A protected text also adds a note:
    its author may not know that feeds have no passwords.
    """
    if HIDING.isdisjoint(fields.values):
        return NOT_HIDDEN
    # Check for protected and unlisted texts before drafts: a preview shows drafts only.
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
    """Return the reason if a key keeps the article out of lists, else ""."""
    hiding = [(key, TRUE) for key in UNLISTED] + [(key, FALSE) for key in LISTED] + [("visibility", VISIBILITIES)]
    if status:
        hiding.append(("status", STATUSES))
    for key, values in hiding:
        if key in fields.values and (text := _text(fields, key)) in values:
            return f"`{key}: {text}` keeps it out of lists"
    return ""


def unlisting(fields: Fields) -> str:
    """Return the reason if Hugo's build options keep a page out of lists, else ""
    (https://gohugo.io/content-management/build-options/)."""
    for key in ("build", "_build"):
        build = fields.values.get(key)
        options = {normal(name): value for name, value in build.items()} if isinstance(build, dict) else {}
        listed = next(texts(options.get("list", "")), "").strip().lower()
        if listed in ("never", "false", "local"):
            return f"`{key}: list: {listed}` keeps it out of lists"
    return ""


def protected_note(key: str) -> Note:
    """Return the note for a password-protected article; it does not contain the password."""
    message = f"{key}: the article is protected, and a feed cannot ask for a password; it is left out"
    return Note(key, "FT024", message, "remove the key to publish the article, or move it out of the articles folder")


def protecting_key(fields: Fields) -> str:
    """Return the key that protects an article's text, "" if there is none.

    Only null and false are no passwords: hexo-blog-encrypt accepts even `0` and `no` as passwords.
    """
    for key in (*PASSWORDS, *ENCRYPTED):
        value = fields.values.get(key)
        no_password = NO_PASSWORD if key in PASSWORDS else NO_PASSWORD | FALSE
        if value and (not isinstance(value, str) or value.strip().lower() not in no_password):
            return key
    return ""


def window_of(fields: Fields, starts: tuple[str, ...]) -> Hidden:
    """Return the window in which an article is published.

    An unreadable `publishDate` or `expiryDate` hides it: the text may be under embargo.
    """
    start, end = _moment(fields, starts), _moment(fields, ENDS)
    for key, moment in (start, end):
        if key and moment is None:
            message = f"{key}: cannot read this date; the article is left out until it is fixed"
            fields.notes.append(Note(key, "FT011", message, f"write it as {fields.example_date}"))
            return Hidden(WITHHELD, f"`{key}` has an unreadable date")
    return Hidden(start=start[1], end=end[1], reason="")


def _moment(fields: Fields, keys: tuple[str, ...]) -> tuple[str, int | None]:
    for key in keys:
        text = _raw(fields, key)
        if not text or (key == "published" and text.lower() in TRUE | FALSE):
            continue
        moment = parse_date(text, zone=fields.zone_of(key, text))
        if moment is not None:
            return key, int(moment.timestamp())
        if key not in ("pubdate", "published"):  # these two may have another meaning, such as the publisher
            return key, None
    return "", None


def _raw(fields: Fields, key: str) -> str:
    value = fields.values.get(key)
    return (value if isinstance(value, str) else next(texts(value), "")).strip() if value else ""


def _text(fields: Fields, key: str) -> str:
    return _raw(fields, key).lower()[:40]
