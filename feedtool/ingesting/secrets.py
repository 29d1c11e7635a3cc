"""Replace `${NAME}` by environment variables in headers and addresses, and values by names in answers.

Only requests contain the values. State, articles, messages and output contain the names.
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
"""The values of variables by their names."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_OPENING = re.compile(r"\$\{([A-Za-z0-9_]*)")
_CREDENTIALS = re.compile(r"([A-Za-z]+://)([^/\\?#]*@)")
MIN_LENGTH = 6
"""Characters that a value must have to be replaced in a feed. A shorter one would also occur in ordinary words."""


def secrets_in(text: str, environment: Mapping[str, str], *, where: str, alternative: str) -> Secrets:
    """Return the variables that a text names. Raise FeedtoolError if one of them is not set."""
    secrets: dict[str, str] = {}
    for name in _VARIABLE.findall(text):
        value = environment.get(name)
        if not value:
            raise FeedtoolError(
                f"{where} needs the environment variable {name}, which is not set", hint=f"set {name}, or {alternative}"
            )
        secrets[name] = value
    return secrets


def address_secrets(url: str, environment: Mapping[str, str]) -> Secrets:
    """Return the variables that a source's address names. Raise FeedtoolError if one of them is not set."""
    return secrets_in(
        url, environment, where="the address", alternative="write the address into feedtool.toml without it"
    )


def fill_in(text: str, secrets: Secrets) -> str:
    """Return a header's value as it is sent."""
    return _VARIABLE.sub(lambda match: secrets.get(match[1], match[0]), text)


def fill_in_url(url: str, secrets: Secrets) -> str:
    """Return an address as it is requested. Values are percent-encoded, so that none can change the address's structure."""
    return fill_in(url, {name: quote(value, safe="") for name, value in secrets.items()})


def hide_secrets(text: str, secrets: Secrets) -> str:
    """Return a text with the names in place of the values, in whatever encoding they occur."""
    for written, name in _encoded_forms(secrets):
        text = text.replace(written, f"${{{name}}}")
    return text


def without_secrets(answer: Response, url: str, secrets: Secrets) -> Response:
    """Return a response with the names in place of the values: in its addresses, and in a body that repeats them.

    A permanent redirect that would send a value to another host is dropped, because the value would be sent there each time.
    """
    body, permanent = answer.body, escape_variables(answer.permanent_url or "")
    for written, name in _encoded_forms({name: value for name, value in secrets.items() if len(value) >= MIN_LENGTH}):
        body = body.replace(written.encode(), f"${{{name}}}".encode())
    moved = hide_secrets(permanent, secrets)
    if moved != permanent and not may_share_secrets(url, moved):
        moved = ""
    return replace(
        answer, url=hide_secrets(escape_variables(answer.url), secrets), permanent_url=moved or None, body=body
    )


def escape_variables(url: str, own: str = "") -> str:
    """Return somebody else's address with its `${NAME}` escaped, except for names that the `own` address contains.

    Unescaped, the values of these variables would be filled in and sent there.
    """
    named = set(_VARIABLE.findall(own))
    for name in named:
        # Resolved links contain it in this encoding.
        url = url.replace(f"$%7B{name}%7D", f"${{{name}}}")
    return _OPENING.sub(lambda match: match[0] if match[1] in named else f"%24{match[0][1:]}", url)


def may_share_secrets(url: str, other: str) -> bool:
    """Return True if the secrets of one address may be sent to another.

    Both must have the same origin, or the other must be the https counterpart.
    """
    try:
        return read_address(other).may_receive_headers_of(read_address(url))
    except RefusalError:
        return False


def with_credentials(url: str, source: str) -> str:
    """Return an address with the name and password of the source's own one, unless it has its own."""
    user = _CREDENTIALS.match(source)
    return url.replace("://", f"://{user[2]}", 1) if user is not None and "@" not in urlsplit(url).netloc else url


def _encoded_forms(secrets: Secrets) -> Iterator[tuple[str, str]]:
    """Yield each form in which a value may occur in an answer, with its variable, the longest first."""
    forms = {
        form: name
        for name, value in secrets.items()
        for form in (value, quote(value, safe=""), quote(value, safe=SAFE), html.escape(value))
    }
    yield from sorted(forms.items(), key=lambda one: (-len(one[0]), one[0]))
