"""Configure aiohttp as the HTTP client, with guarded connections and bounded responses.

The client has no cookies, uses no proxies from the environment, and neither follows redirects nor decompresses bodies.
`as_refusal` turns its exceptions into RefusalError.
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

KEEPALIVE = 1.0  # seconds that a connection stays open for the next request to its host
MAX_INTERIM = 20  # 1xx responses before the final one: some servers send a few, hostile ones never stop
FRAMING = 1 << 17  # bytes besides the body: status, headers, chunk sizes
_OVERSIZED = re.compile(r"more than \d+ bytes|too many (headers|trailers)", re.IGNORECASE)


def open_session(limits: Limits, guard: Guard) -> aiohttp.ClientSession:
    """Return a client that opens all connections through the guard."""
    return aiohttp.ClientSession(
        connector=GuardedConnector(limits, guard),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None, sock_read=None),
        auto_decompress=False,
        trust_env=False,
        middlewares=(_only_once,),
    )


def as_refusal(error: Exception) -> RefusalError:
    """Return the refusal, with a message for users, that corresponds to an exception of aiohttp."""
    if isinstance(error, RefusalError):
        return error
    if isinstance(error, aiohttp.ClientPayloadError):
        return RefusalError("reset", "the body was cut short", "try again later")
    if isinstance(error, aiohttp.ClientResponseError):
        if error.status == 400 and _OVERSIZED.search(error.message):
            return RefusalError("too-large", "the response headers are too large or too many")
        return RefusalError("protocol", "the response is not valid HTTP, or its length is wrong", "check the address")
    if isinstance(error, ssl.SSLError):
        return RefusalError("tls", "the encrypted connection broke", "try again later")
    if isinstance(error, aiohttp.ClientError | OSError):
        return RefusalError(
            "reset", "the connection was closed before a response arrived", "try again later", again=True
        )
    # Only the type's name: the text of an unexpected error may contain anything, even a password.
    return RefusalError("other", f"unexpected error ({type(error).__name__})", "report it")


class GuardedConnector(aiohttp.BaseConnector):
    """Open connections to addresses that the guard has checked, with one verifying TLS context for all hosts."""

    def __init__(self, limits: Limits, guard: Guard) -> None:
        super().__init__(limit=0, keepalive_timeout=KEEPALIVE)
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
            raise RefusalError(
                "tls", message, "its owner must renew it; feedtool always verifies certificates"
            ) from None
        except (ssl.SSLError, OSError) as error:
            opened.close()
            message = f"no encrypted connection to {host}: {_reason(error)}"
            raise RefusalError("tls", message, "check the address, or try again later") from None
        except BaseException:
            opened.close()
            raise
        return protocol

    def _tls(self) -> ssl.SSLContext:
        # Shared by all hosts: with one context per host, 200 small fetches take 10 s of CPU instead of 0.4.
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context


class BoundedProtocol(ResponseHandler):
    """aiohttp's parser with bounds: it stops at endless interim responses, endless framing and unrequested bytes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        super().__init__(loop)
        self._most = most + most // 2 + FRAMING
        self._received = 0
        self._interim = 0
        self._awaited = False

    def set_response_params(self, **options: Any) -> None:
        """Start a response and reset the counters."""
        self._received = self._interim = 0
        self._awaited = True
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        """Count the received bytes before they are parsed."""
        if data and not self._awaited and (self._payload is None or self._payload.is_eof()):
            # The connection would otherwise take these bytes for the response to the next request.
            self._should_close = True
            if self.transport is not None:
                self.transport.abort()
            return
        self._received += len(data)
        if self._received > self._most:
            self._give_up(RefusalError("too-large", "the server sent far more bytes than max_bytes allows"))
            return
        super().data_received(data)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Pass on a parsed head, unless there are too many interim responses."""
        self._interim += 100 <= data[0].code < 200
        if self._interim > MAX_INTERIM:
            self._give_up(RefusalError("protocol", "the server sends too many interim responses (1xx)"))
        elif data[0].code >= 200:
            self._awaited = False
            super().feed_data(data, size)

    def close(self) -> None:
        """Close at once: a TLS shutdown that the server never answers would take half a minute."""
        self.abort()

    def _give_up(self, refusal: RefusalError) -> None:
        if self._exception is None:
            self.set_exception(refusal)
            if self._payload is not None:
                self._payload.set_exception(refusal)
        if self.transport is not None:
            self.transport.abort()


async def _only_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a failed request: only `Visit` decides about retries."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise as_refusal(error) from None


def _reason(error: OSError) -> str:
    reason = getattr(error, "reason", None) or error.strerror or "closed during the handshake"
    return str(reason).replace("_", " ").lower()
