"""One request in, one response or failure out, in steps: each redirect is a step, so that hosts can take turns."""

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
DRAINED = 16_384  # bytes of a body nobody wants that are read to keep the connection
DRAINING = 0.5  # seconds that these are waited for
HINTS = {
    401: "it wants a password: set an Authorization header for the source",
    403: "the server refuses; it may want a password or not like robots",
    404: "look whether the feed has moved",
    429: "it is asked too often; the next visit waits",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a visit needs from outside: the client, its limits, a clock for durations, and the time of day if known."""

    session: aiohttp.ClientSession
    guard: Guard
    limits: Limits
    clock: Callable[[], float]
    now: Clock | None = None


class Visit:
    """A request on its way. `address` is where its next step goes, `pause` how many seconds to wait before it."""

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
        self._sent = _own_headers(request, address)
        self._seen = {address.url}
        self._hops = 0
        self._own = request.home is None or _is_at_home(request.home, address)
        self._permanent = True
        self._retried = False
        self._spent = 0.0
        self._phase = "waiting for an answer"

    async def step(self, world: World, *, last: bool) -> Response | Failure | None:
        """Go one step; None when there is another one to go. `last`: no other request to this host is waiting.

        The deadline covers all steps, but not the time a visit waits for its turn.
        """
        started = world.clock()
        try:
            async with asyncio.timeout(world.limits.timeout - self._spent):
                self._stay_out(world.guard)
                answer = await self._exchange(world, last=last)
            self._spent += world.clock() - started
        except TimeoutError:
            self._spent += world.clock() - started
            message = f"nothing more came within {world.limits.timeout:g} s, while {self._phase}"
            return self._failed(RefusalError("timeout", message, "try later, or raise timeout in [ingest]"))
        except Exception as error:  # noqa: BLE001  whatever a server can make go wrong costs this visit alone
            self._spent += world.clock() - started
            return self._refused(as_refusal(error), world.limits)
        return self._timed(answer)

    def unasked(self, reason: str, *, kind: Kind = "timeout") -> Failure:
        """Return the outcome of a visit whose turn never comes."""
        return self._failed(RefusalError(kind, f"it was not asked: {reason}", "try again later"))

    def _refused(self, refusal: RefusalError, limits: Limits) -> Failure | None:
        if refusal.again and not self._retried and self._spent + limits.retry_pause < limits.timeout:
            self._retried = True
            self.pause = limits.retry_pause
            return None
        return self._failed(refusal)

    def _failed(self, refusal: RefusalError) -> Failure:
        if refusal.kind == "private" and (self._hops or not self._own):
            # To which address a name leads in here is nothing that a stranger may learn from a state that is published.
            what = f"{self.address.host} is not public, and nothing but a source of its own may lead there"
            refusal = RefusalError("private", what, "nothing was asked there; if you trust it, make it a source itself")
        if self._hops and refusal.kind != "redirect":
            refusal.message = f"it redirects to {self.address.shown}: {refusal.message}"
            refusal.unknown_host = ""
        return failure(self.request, self._first.shown, refusal, seconds=self._spent)

    def _timed(self, answer: Response | None) -> Response | None:
        return answer and replace(answer, seconds=self._spent)

    async def _exchange(self, world: World, *, last: bool) -> Response | None:
        self._phase = "waiting for an answer"
        self.pause = 0.0
        sent = CIMultiDict(self._fixed(world.limits))
        sent.update(self._sent, **({"Connection": "close"} if last else {}))
        async with world.session.get(_yarl(self.address), headers=sent, allow_redirects=False) as answer:
            self._phase = "reading the answer"
            field = _fields(answer)
            if answer.status in REDIRECTS:
                await _drain(answer)
                self._redirect(answer.status, field("Location") or "", world)
                return None
            if answer.status == 304 and not self._conditional():
                raise RefusalError("protocol", "it says «not modified» to who has no copy yet", status=304)
            if answer.status not in (200, 203, 304):
                await _drain(answer)
                raise _status_refusal(answer.status, field, world)
            body, wire = (b"", 0) if answer.status == 304 else await _body(answer, field, world.limits.max_bytes)
            return self._response(304 if answer.status == 304 else 200, body, wire, field, world)

    def _stay_out(self, guard: Guard) -> None:
        """Refuse a host that may be private where a stranger leads to it: who allowed it meant its own sources.

        Checked here and not where sockets are opened: one may be open already, for a source of that host.
        """
        if not self._own and guard.is_allowed(self.address.host):
            raise RefusalError("private", "")

    def _fixed(self, limits: Limits) -> dict[str, str]:
        return {
            "User-Agent": limits.user_agent or USER_AGENT,
            "Accept": ACCEPT,
            "Accept-Encoding": ", ".join(accepted_codings()),
        }

    def _conditional(self) -> bool:
        return "If-None-Match" in self._sent or "If-Modified-Since" in self._sent

    def _redirect(self, status: int, location: str, world: World) -> None:
        """Turn to where the answer points, taking along what may be known there."""
        target = follow(self.address, location)
        most = world.limits.max_redirects
        self._hops += 1
        if self._hops > most:
            raise RefusalError("redirect", f"it redirects more than {most} times", status=status)
        if target.url in self._seen:
            raise RefusalError(
                "redirect", "it redirects in a circle", "look at the address in a browser", status=status
            )
        secret = set(self._sent) - {"If-None-Match", "If-Modified-Since"}
        if secret and self.address.scheme == "https" and target.scheme == "http":
            message = f"it redirects from https to http ({target.shown}), where a password would be read by others"
            raise RefusalError("redirect", message, "take the headers and password off, or use the new address")
        if not target.keeps_secrets(self.address):
            self._sent = {name: value for name, value in self._sent.items() if name not in secret}
        self._permanent = self._permanent and status in PERMANENT
        self._own = self._own and (target.host == self.address.host or world.guard.is_allowed(self.address.host))
        self._seen.add(target.url)
        self.address = target

    def _response(self, status: int, body: bytes, wire: int, field: headers.Field, world: World) -> Response:
        return Response(
            key=self.request.key,
            url=self.address.url,
            status=status,
            body=body,
            content_type=headers.validator(field("Content-Type")) or "",
            etag=headers.validator(field("ETag")),
            last_modified=headers.validator(field("Last-Modified")),
            max_age=headers.max_age(field, world.now() if world.now else None),
            permanent_url=self.address.url if self._hops and self._permanent else None,
            wire_bytes=wire,
        )


def failure(request: Request, place: str, refusal: RefusalError, *, seconds: float = 0.0) -> Failure:
    """Return a refusal as the outcome of a request; `place` is its address, fit to be shown."""
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


def _own_headers(request: Request, address: Address) -> dict[str, str]:
    """Return the headers that only the request's own host may see: a person's, credentials and validators."""
    sent = dict(headers.checked_headers(request.headers))
    if address.authorization and "authorization" not in {name.lower() for name in sent}:
        sent["Authorization"] = address.authorization
    if etag := headers.validator(request.etag):
        sent["If-None-Match"] = etag
    if modified := headers.validator(request.last_modified):
        sent["If-Modified-Since"] = modified
    return sent


def _is_at_home(home: str, address: Address) -> bool:
    """Say whether an address is where a person's own is: the same host and port, those of http and https being one."""
    try:
        own = read_address(home)
    except RefusalError:
        return False
    usual = set(PORTS.values())
    return own.host == address.host and (own.port == address.port or {own.port, address.port} <= usual)


def _yarl(address: Address) -> URL:
    # Built from its parts: a text would be read a second time, by other rules than those of the check.
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
    """Read a small body that nobody wants, so that its connection serves the next request; close for a large one."""
    if answer.content_length is None or answer.content_length > DRAINED:
        answer.close()
        return
    try:
        async with asyncio.timeout(DRAINING):
            await answer.content.read()
    except (TimeoutError, OSError, RefusalError, aiohttp.ClientError):
        answer.close()  # what the status said stands, whatever becomes of the rest


def _status_refusal(status: int, field: headers.Field, world: World) -> RefusalError:
    if status == 410:
        return RefusalError(
            "gone", "the feed is gone for good (410)", "take it out, or set enabled = false", status=410
        )
    wait = headers.retry_after(field, world.now() if world.now else None) if status in (429, 503) else None
    message = f"the server answers {status}"
    if wait:
        message += f" and asks to be left alone for {wait} s"
    again = status in TRANSIENT and field("Retry-After") is None
    hint = HINTS.get(status, "try again later" if status >= 500 else "look at the address in a browser")
    return RefusalError("status", message, hint, status=status, retry_after=wait, again=again)


async def _body(answer: aiohttp.ClientResponse, field: headers.Field, most: int) -> tuple[bytes, int]:
    """Return the body, decompressed, and its size as it came; neither is ever above `most` by more than a step."""
    # aiohttp refuses lengths that contradict each other; this it would hand over undecoded.
    if (field("Transfer-Encoding") or "chunked").strip().lower() != "chunked":
        raise RefusalError("protocol", "the answer comes in a transfer coding that was not asked for")
    if (answer.content_length or 0) > most:
        raise _too_large(most)
    unpack = unpacker(field("Content-Encoding") or "")
    body, wire = bytearray(), 0
    async for chunk in answer.content.iter_any():
        wire += len(chunk)
        for part in unpack.feed(chunk):
            body += part
            if len(body) > most or wire > most:
                # The traceback that goes with the refusal holds this frame: it is not to hold the body, too.
                body = bytearray()
                raise _too_large(most)
    unpack.finish()
    return bytes(body), wire


def _too_large(most: int) -> RefusalError:
    # Made where it is raised: an exception that its own frame holds is a circle, and stays with all it holds for long.
    return RefusalError("too-large", f"the body is larger than {most:,} bytes", "raise max_bytes in [ingest]")
