"""Send one request and follow its redirects, one step per redirect, so that other hosts can be served in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from feedtool.http import headers
from feedtool.http.decompress import accepted_codings, unpacker
from feedtool.http.guard import Guard
from feedtool.http.models import USER_AGENT, Failure, Kind, Limits, RefusalError, Request, Response
from feedtool.http.session import as_refusal
from feedtool.http.urls import PORTS, Address, follow, read_address

if TYPE_CHECKING:
    from feedtool.protocols import Clock

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.8, text/html;q=0.5, */*;q=0.3"
)
PERMANENT = (301, 308)
REDIRECTS = (301, 302, 303, 307, 308)
TRANSIENT = (500, 502, 503, 504)
DRAIN_BYTES = 16_384  # bytes of an unused body that are read to keep the connection open
DRAIN_TIMEOUT = 0.5  # seconds to wait for these bytes
HINTS = {
    401: "it requires a password: set an Authorization header for the source",
    403: "the server refuses the request; it may require a password or block bots",
    404: "check whether the feed has moved",
    429: "it was asked too often; the next fetch waits",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The environment of a visit: the client, its limits, a clock for durations, and the time of day if known."""

    session: aiohttp.ClientSession
    guard: Guard
    limits: Limits
    clock: Callable[[], float]
    now: Clock | None = None


class Visit:
    """A request in progress. The next step goes to `address`, after `pause` seconds."""

    __slots__ = (
        "_first",
        "_hops",
        "_own",
        "_permanent",
        "_phase",
        "_retried",
        "_seen",
        "_sent",
        "_spent",
        "address",
        "pause",
        "request",
    )

    def __init__(self, request: Request, address: Address) -> None:
        self.request = request
        self.address = self._first = address
        self.pause = 0.0
        self._sent = _private_headers(request, address)
        self._seen = {address.url}
        self._hops = 0
        self._own = request.home is None or _is_same_site(request.home, address)
        self._permanent = True
        self._retried = False
        self._spent = 0.0
        self._phase = "waiting for a response"

    async def step(self, context: Context, *, last: bool) -> Response | Failure | None:
        """Make one step. Return the outcome, or None if another step must follow.

        `last` means that no other request to this host is waiting. The timeout covers all steps, but not the time
        that a visit waits in the queue.
        """
        started = context.clock()
        try:
            async with asyncio.timeout(context.limits.timeout - self._spent):
                self._refuse_private_host(context.guard)
                answer = await self._exchange(context, last=last)
            self._spent += context.clock() - started
        except TimeoutError:
            self._spent += context.clock() - started
            message = f"timed out after {context.limits.timeout:g} s while {self._phase}"
            return self._failed(RefusalError("timeout", message, "try again later, or raise timeout in [ingest]"))
        except Exception as error:  # noqa: BLE001  an error that a server causes must only fail this visit
            self._spent += context.clock() - started
            return self._refused(as_refusal(error), context.limits)
        return self._with_seconds(answer)

    def not_started(self, reason: str, *, kind: Kind = "timeout") -> Failure:
        """Return the outcome of a visit that is never started."""
        return self._failed(RefusalError(kind, f"not fetched: {reason}", "try again later"))

    def _refused(self, refusal: RefusalError, limits: Limits) -> Failure | None:
        if refusal.again and not self._retried and self._spent + limits.retry_pause < limits.timeout:
            self._retried = True
            self.pause = limits.retry_pause
            return None
        return self._failed(refusal)

    def _failed(self, refusal: RefusalError) -> Failure:
        if refusal.kind == "private" and (self._hops or not self._own):
            # The state may be published: it must not reveal the addresses of private hosts to strangers.
            what = f"{self.address.host} is not a public host; only a source of its own may use it"
            refusal = RefusalError("private", what, "no request was sent; if you trust the host, add it as a source")
        if self._hops and refusal.kind != "redirect":
            refusal.message = f"it redirects to {self.address.shown}: {refusal.message}"
            refusal.unknown_host = ""
        return failure(self.request, self._first.shown, refusal, seconds=self._spent)

    def _with_seconds(self, answer: Response | None) -> Response | None:
        return answer and replace(answer, seconds=self._spent)

    async def _exchange(self, context: Context, *, last: bool) -> Response | None:
        self._phase = "waiting for a response"
        self.pause = 0.0
        sent = CIMultiDict(self._default_headers(context.limits))
        sent.update(self._sent, **({"Connection": "close"} if last else {}))
        async with context.session.get(_yarl(self.address), headers=sent, allow_redirects=False) as answer:
            self._phase = "reading the response"
            field = _fields(answer)
            if answer.status in REDIRECTS:
                await _drain(answer)
                self._redirect(answer.status, field("Location") or "", context)
                return None
            if answer.status == 304 and not self._is_conditional():
                raise RefusalError(
                    "protocol", "the server answered 304 (not modified), but there is no earlier copy", status=304
                )
            if answer.status not in (200, 203, 304):
                await _drain(answer)
                raise _status_refusal(answer.status, field, context)
            body, wire = (b"", 0) if answer.status == 304 else await _body(answer, field, context.limits.max_bytes)
            return self._response(304 if answer.status == 304 else 200, body, wire, field, context)

    def _refuse_private_host(self, guard: Guard) -> None:
        """Raise RefusalError if a stranger's link or redirect leads to a host in `allow_private_hosts`.

        The setting only allows sources on that host. The check cannot be made when a socket is opened, because one may
        already be open for a source on that host.
        """
        if not self._own and guard.is_allowed(self.address.host):
            raise RefusalError("private", "")

    def _default_headers(self, limits: Limits) -> dict[str, str]:
        return {
            "User-Agent": limits.user_agent or USER_AGENT,
            "Accept": ACCEPT,
            "Accept-Encoding": ", ".join(accepted_codings()),
        }

    def _is_conditional(self) -> bool:
        return "If-None-Match" in self._sent or "If-Modified-Since" in self._sent

    def _redirect(self, status: int, location: str, context: Context) -> None:
        """Continue at the redirect's target, with only those headers that the target may receive."""
        target = follow(self.address, location)
        most = context.limits.max_redirects
        self._hops += 1
        if self._hops > most:
            raise RefusalError("redirect", f"it redirects more than {most} times", status=status)
        if target.url in self._seen:
            raise RefusalError("redirect", "it redirects in a circle", "open the address in a browser", status=status)
        secret = set(self._sent) - {"If-None-Match", "If-Modified-Since"}
        if secret and self.address.scheme == "https" and target.scheme == "http":
            message = f"it redirects from https to http ({target.shown}), where others could read a password"
            raise RefusalError("redirect", message, "remove the headers and the password, or use the new address")
        if not target.may_receive_headers_of(self.address):
            self._sent = {name: value for name, value in self._sent.items() if name not in secret}
        self._permanent = self._permanent and status in PERMANENT
        self._own = self._own and (target.host == self.address.host or context.guard.is_allowed(self.address.host))
        self._seen.add(target.url)
        self.address = target

    def _response(self, status: int, body: bytes, wire: int, field: headers.Field, context: Context) -> Response:
        return Response(
            key=self.request.key,
            url=self.address.url,
            status=status,
            body=body,
            content_type=headers.validator(field("Content-Type")) or "",
            etag=headers.validator(field("ETag")),
            last_modified=headers.validator(field("Last-Modified")),
            max_age=headers.max_age(field, context.now() if context.now else None),
            permanent_url=self.address.url if self._hops and self._permanent else None,
            wire_bytes=wire,
        )


def failure(request: Request, place: str, refusal: RefusalError, *, seconds: float = 0.0) -> Failure:
    """Return a refusal as the outcome of a request; `place` is its address in a form without secrets."""
    return Failure(
        key=request.key,
        url=place,
        kind=refusal.kind,
        message=refusal.message,
        hint=refusal.hint,
        status=refusal.status,
        retry_after=refusal.retry_after,
        seconds=seconds,
        unknown_host=refusal.unknown_host,
    )


def _private_headers(request: Request, address: Address) -> dict[str, str]:
    """Return the headers for the request's own host only: the configured ones, credentials and validators."""
    sent = dict(headers.checked_headers(request.headers))
    if address.authorization and "authorization" not in {name.lower() for name in sent}:
        sent["Authorization"] = address.authorization
    if etag := headers.validator(request.etag):
        sent["If-None-Match"] = etag
    if modified := headers.validator(request.last_modified):
        sent["If-Modified-Since"] = modified
    return sent


def _is_same_site(home: str, address: Address) -> bool:
    """Return True if an address has the host and port of `home`; the default ports of http and https count as equal."""
    try:
        own = read_address(home)
    except RefusalError:
        return False
    usual = set(PORTS.values())
    return own.host == address.host and (own.port == address.port or {own.port, address.port} <= usual)


def _yarl(address: Address) -> URL:
    # Built from its parts: yarl would parse a string again, by other rules than those that were checked.
    return URL.build(
        scheme=address.scheme,
        host=address.authority,
        port=address.port,
        path=address.path,
        query_string=address.query,
        encoded=True,
    )


def _fields(answer: aiohttp.ClientResponse) -> headers.Field:
    def field(name: str) -> str | None:
        values = answer.headers.getall(name, [])
        return ", ".join(values) if values else None

    return field


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Read a small unused body, so that the connection can be reused; close the connection of a large one."""
    if answer.content_length is None or answer.content_length > DRAIN_BYTES:
        answer.close()
        return
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT):
            await answer.content.read()
    except (TimeoutError, OSError, RefusalError, aiohttp.ClientError):
        answer.close()  # the status is known; the body does not matter


def _status_refusal(status: int, field: headers.Field, context: Context) -> RefusalError:
    if status == 410:
        return RefusalError(
            "gone", "the feed is gone permanently (410)", "remove the source, or set enabled = false", status=410
        )
    wait = headers.retry_after(field, context.now() if context.now else None) if status in (429, 503) else None
    message = f"the server answers {status}"
    if wait:
        message += f" and asks to wait {wait} s"
    again = status in TRANSIENT and field("Retry-After") is None
    hint = HINTS.get(status, "try again later" if status >= 500 else "open the address in a browser")
    return RefusalError("status", message, hint, status=status, retry_after=wait, again=again)


async def _body(answer: aiohttp.ClientResponse, field: headers.Field, most: int) -> tuple[bytes, int]:
    """Return the decompressed body and its size on the wire; neither ever exceeds `most` by more than one step.

    Raise RefusalError if either is too large.
    """
    # aiohttp rejects contradictory lengths, but would return a body in another transfer coding undecoded.
    if (field("Transfer-Encoding") or "chunked").strip().lower() != "chunked":
        raise RefusalError("protocol", "the response uses a transfer coding that was not requested")
    if (answer.content_length or 0) > most:
        raise _too_large(most)
    unpack = unpacker(field("Content-Encoding") or "")
    body, wire = bytearray(), 0
    async for chunk in answer.content.iter_any():
        wire += len(chunk)
        for part in unpack.feed(chunk):
            body += part
            if len(body) > most or wire > most:
                # The traceback of the refusal keeps this frame alive: release the body.
                body = bytearray()
                raise _too_large(most)
    unpack.finish()
    return bytes(body), wire


def _too_large(most: int) -> RefusalError:
    # Created by a call in the `raise` statement: an exception in a local variable would form a reference cycle with its
    # own frame, and would stay in memory with everything it refers to.
    return RefusalError("too-large", f"the body is larger than {most:,} bytes", "raise max_bytes in [ingest]")
