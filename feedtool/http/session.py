"""The HTTP client: aiohttp, but for where it connects to (`guard`) and how much it may be sent. Errors as refusals.

No cookies, no proxies from the environment, no redirects and no decompression of its own.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from feedtool.http.guard import Guard
from feedtool.http.models import Limits, RefusalError

IDLE = 1.0  # seconds a connection is kept for the next request to its host, which begins at once where there is one
MOST_INTERIM = 20  # 1xx responses before the real one; some servers send a few, hostile ones never stop
FRAMING = 1 << 17  # bytes beside the body: status, headers, chunk sizes
_OVERSIZED = re.compile(r"more than \d+ bytes|too many (headers|trailers)", re.IGNORECASE)


def open_session(limits: Limits, guard: Guard) -> aiohttp.ClientSession:
    """Return a client whose every connection goes through the guard."""
    return aiohttp.ClientSession(
        connector=GuardedConnector(limits, guard),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None, sock_read=None),
        auto_decompress=False,
        trust_env=False,
        middlewares=(_only_once,),
    )


def as_refusal(error: Exception) -> RefusalError:
    """Return what an exception of aiohttp means to a person."""
    if isinstance(error, RefusalError):
        return error
    if isinstance(error, aiohttp.ClientPayloadError):
        return RefusalError("reset", "the body was cut short", "try again later")
    if isinstance(error, aiohttp.ClientResponseError):
        if error.status == 400 and _OVERSIZED.search(error.message):
            return RefusalError("too-large", "the headers of the answer are too large or too many")
        return RefusalError(
            "protocol", "what came is not HTTP, or not as long as it says", "look whether the address is right"
        )
    if isinstance(error, ssl.SSLError):
        return RefusalError("tls", "the encrypted connection broke", "try again later")
    if isinstance(error, aiohttp.ClientError | OSError):
        return RefusalError("reset", "the connection was closed before an answer came", "try again later", again=True)
    # Only the name: the text of an unforeseen error may hold anything, a password included.
    return RefusalError("other", f"it failed in a way that was not foreseen ({type(error).__name__})", "report it")


class GuardedConnector(aiohttp.BaseConnector):
    """Opens connections to addresses that the guard has checked; one TLS context, verifying, for all hosts."""

    def __init__(self, limits: Limits, guard: Guard) -> None:
        super().__init__(limit=0, keepalive_timeout=IDLE)
        self._limits = limits
        self._guard = guard
        self._context: ssl.SSLContext | None = None

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: Sequence[Any],  # noqa: ARG002  the signature is aiohttp's
        timeout: Any,  # noqa: ARG002
    ) -> ResponseHandler:
        host, port = req.url.raw_host, req.url.port
        assert host is not None
        assert port is not None
        try:
            async with asyncio.timeout(self._limits.connect):
                return await self._open(host, port, encrypted=req.url.scheme == "https")
        except TimeoutError:
            message = f"no connection to {host} within {self._limits.connect:g} s"
            raise RefusalError("timeout", message, "try again later") from None

    async def _open(self, host: str, port: int, *, encrypted: bool) -> ResponseHandler:
        loop = asyncio.get_running_loop()
        opened = await self._guard.open(host, port)
        try:
            _, protocol = await loop.create_connection(
                lambda: BoundedProtocol(loop, self._limits.max_bytes),
                sock=opened,
                ssl=self._tls() if encrypted else None,
                server_hostname=host if encrypted else None,
            )
        except ssl.SSLCertVerificationError as error:
            opened.close()
            message = f"the certificate of {host} can't be trusted: {error.verify_message}"
            raise RefusalError("tls", message, "its owner must renew it; feedtool never looks away") from None
        except (ssl.SSLError, OSError) as error:
            opened.close()
            message = f"no encrypted connection to {host}: {_reason(error)}"
            raise RefusalError("tls", message, "look whether the address is right, or try again later") from None
        except BaseException:
            opened.close()
            raise
        return protocol

    def _tls(self) -> ssl.SSLContext:
        # One for all: with a context for each host 200 small fetches take 10 s of CPU instead of 0.4.
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context


class BoundedProtocol(ResponseHandler):
    """aiohttp's parser, that gives up on a server that sends interim responses or framing without end, or unasked."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        super().__init__(loop)
        self._most = most + most // 2 + FRAMING
        self._received = 0
        self._interim = 0
        self._awaited = False

    def set_response_params(self, **options: Any) -> None:
        """Begin a response: the counts start anew."""
        self._received = self._interim = 0
        self._awaited = True
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        """Count what comes before it is parsed."""
        if data and not self._awaited and (self._payload is None or self._payload.is_eof()):
            # Kept, it would be the answer to the next request on this connection, whatever that asks for.
            self._should_close = True
            if self.transport is not None:
                self.transport.abort()
            return
        self._received += len(data)
        if self._received > self._most:
            self._give_up(RefusalError("too-large", "far more came than the body's size"))
            return
        super().data_received(data)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Pass a parsed head on, unless it is one interim response too many."""
        self._interim += 100 <= data[0].code < 200
        if self._interim > MOST_INTERIM:
            self._give_up(RefusalError("protocol", "interim responses (1xx) come without end"))
        elif data[0].code >= 200:
            self._awaited = False
            super().feed_data(data, size)

    def close(self) -> None:
        """Close at once: a server that never answers TLS's goodbye would be waited for half a minute."""
        self.abort()

    def _give_up(self, refusal: RefusalError) -> None:
        if self._exception is None:
            self.set_exception(refusal)
            if self._payload is not None:
                self._payload.set_exception(refusal)
        if self.transport is not None:
            self.transport.abort()


async def _only_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a request that broke: how often one is sent is decided in one place, `visit`."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise as_refusal(error) from None


def _reason(error: OSError) -> str:
    told = getattr(error, "reason", None) or error.strerror or "it was closed before it began"
    return str(told).replace("_", " ").lower()
