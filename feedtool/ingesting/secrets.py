"""Texts that name environment variables as `${NAME}` in, what is sent out; and what comes back, with the names put in again.

Only a request ever holds the values: state, articles, messages and output hold the names.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, urlsplit

from feedtool.errors import FeedtoolError
from feedtool.http.models import RefusalError, Response
from feedtool.http.urls import SAFE, read_address

Secrets = Mapping[str, str]
"""Values by the names of their variables."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_OPENING = re.compile(r"\$\{([A-Za-z0-9_]*)")
_USER = re.compile(r"([A-Za-z]+://)([^/\\?#]*@)")
TELLING = 6
"""Characters that a value needs to be looked for in a feed: a shorter one would be found in words that are none of it."""


def secrets_in(text: str, environment: Mapping[str, str], *, where: str, remedy: str) -> Secrets:
    """Return the variables that a text names; raise FeedtoolError where one is not set."""
    found: dict[str, str] = {}
    for name in _VARIABLE.findall(text):
        value = environment.get(name)
        if not value:
            raise FeedtoolError(
                f"{where} needs the environment variable {name}, which is not set", hint=f"set {name}, or {remedy}"
            )
        found[name] = value
    return found


def of_address(url: str, environment: Mapping[str, str]) -> Secrets:
    """Return the variables that a source's address names; raise FeedtoolError where one is not set."""
    return secrets_in(url, environment, where="the address", remedy="write the address into feedtool.toml without it")


def filled(text: str, secrets: Secrets) -> str:
    """Return a header's value as it is sent."""
    return _VARIABLE.sub(lambda match: secrets.get(match[1], match[0]), text)


def filled_url(url: str, secrets: Secrets) -> str:
    """Return an address as it is asked: values are percent-encoded, so that none can make another address of it."""
    return filled(url, {name: quote(value, safe="") for name, value in secrets.items()})


def hidden(text: str, secrets: Secrets) -> str:
    """Return a text with the names where the values were, however they were encoded."""
    for written, name in _written(secrets):
        text = text.replace(written, f"${{{name}}}")
    return text


def without_secrets(answer: Response, url: str, secrets: Secrets) -> Response:
    """Return an answer with the names where the values were: in addresses, and in a body that repeats them.

    A permanent redirect to another host that was sent a value along is forgotten: it would be sent there each time.
    """
    body, permanent = answer.body, literal(answer.permanent_url or "")
    for written, name in _written({name: value for name, value in secrets.items() if len(value) >= TELLING}):
        body = body.replace(written.encode(), f"${{{name}}}".encode())
    moved = hidden(permanent, secrets)
    if moved != permanent and not is_same_place(url, moved):
        moved = ""
    return replace(answer, url=hidden(literal(answer.url), secrets), permanent_url=moved or None, body=body)


def literal(url: str, own: str = "") -> str:
    """Return an address that somebody else wrote so that it names no variable but those of the `own` one: what it names
    would be filled in and sent there."""
    named = set(_VARIABLE.findall(own))
    for name in named:
        # As links that were resolved have it.
        url = url.replace(f"$%7B{name}%7D", f"${{{name}}}")
    return _OPENING.sub(lambda match: match[0] if match[1] in named else f"%24{match[0][1:]}", url)


def is_same_place(url: str, other: str) -> bool:
    """Say whether what is secret at one address may be sent to another: of the same origin, or its https counterpart."""
    try:
        return read_address(other).keeps_secrets(read_address(url))
    except RefusalError:
        return False


def with_user(url: str, source: str) -> str:
    """Return an address with the name and password of the source's own."""
    user = _USER.match(source)
    return url.replace("://", f"://{user[2]}", 1) if user is not None and "@" not in urlsplit(url).netloc else url


def _written(secrets: Secrets) -> Iterator[tuple[str, str]]:
    """Yield each form in which a value may come back, the longest first, with its variable."""
    forms = {
        form: name
        for name, value in secrets.items()
        for form in (value, quote(value, safe=""), quote(value, safe=SAFE), html.escape(value))
    }
    yield from sorted(forms.items(), key=lambda one: (-len(one[0]), one[0]))
