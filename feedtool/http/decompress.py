"""Decompress response bodies in bounded steps, so that a small compressed body cannot fill the memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol

from feedtool.http.models import RefusalError

STEP = 1 << 18  # bytes of output per step: a decompression bomb exceeds the limit by no more than this
MAX_MEMBERS = 1000  # compressed members or frames in one body; empty ones take time but produce no bytes
LARGEST_WINDOW = 23  # bits: 8 MB, as RFC 9659 requires


class Unpacker(Protocol):
    """Decompress one body.

    Both methods raise RefusalError if the body is invalid; `finish` also raises it if the body is cut short.
    """

    def feed(self, data: bytes) -> Iterator[bytes]: ...
    def finish(self) -> None: ...


@cache
def accepted_codings() -> tuple[str, ...]:
    """Return the content codings that this installation can decompress, for Accept-Encoding."""
    more = (("br", "brotli"), ("zstd", "compression.zstd"), ("zstd", "backports.zstd"))
    return tuple(dict.fromkeys(["gzip", "deflate", *(name for name, module in more if _installed(module))]))


def unpacker(encoding: str) -> Unpacker:
    """Return a decompressor for a body with this Content-Encoding (RFC 9110 section 8.4).

    Raise RefusalError for an unknown coding and for more than one coding: 1.8 kB of gzip in gzip expand to 1 GB.
    """
    codings = [name for each in encoding.lower().split(",") if (name := each.strip()) not in ("", "identity")]
    if not codings:
        return _Plain()
    if len(codings) > 1:
        raise RefusalError(
            "encoding", f"the body is compressed {len(codings)} times; only one content coding is accepted"
        )
    name = codings[0].removeprefix("x-")
    if name not in accepted_codings():
        raise RefusalError("encoding", f"the body is compressed as {name[:40]!a}, which was not requested")
    engines: dict[str, Callable[[], Unpacker]] = {"gzip": _Gzip, "deflate": _Deflate, "br": _Brotli, "zstd": _Zstd}
    return engines[name]()


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        return


class _Gzip:
    """Decompress one or more concatenated gzip members (RFC 1952 section 2.2); ignore trailing bytes, as browsers do."""

    bits = 31

    def __init__(self) -> None:
        self._members = 0
        self._engine: Any = None
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        part = b""
        while (data or len(part) == STEP) and not self._ended:
            if self._engine is None or self._engine.eof:
                self._next_member(data)
                continue
            try:
                part = self._engine.decompress(data, STEP)
            except zlib.error:
                raise _broken() from None
            yield part
            data = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail

    def finish(self) -> None:
        if self._engine is not None and not self._engine.eof:
            raise _cut_short()

    def _next_member(self, data: bytes) -> None:
        if self._members and (self.bits != 31 or not data.startswith(b"\x1f")):
            self._ended = True
            return
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise _broken()
        self._engine = zlib.decompressobj(self._bits_for(data))

    def _bits_for(self, data: bytes) -> int:  # noqa: ARG002
        return self.bits


class _Deflate(_Gzip):
    """Decompress zlib data (RFC 1950), or raw deflate data (RFC 1951), which some servers send."""

    bits = 15

    def _bits_for(self, data: bytes) -> int:
        return 15 if data[0] & 15 == 8 else -15


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._error = brotli.error
        self._engine = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            # Brotli may return a little more than the limit, and may hold back output after it has consumed all input.
            while not self._engine.is_finished():
                part = self._engine.process(data, output_buffer_limit=STEP)
                if not part and self._engine.can_accept_more_data():
                    return
                yield part
                data = b""
        except self._error:
            raise _broken() from None

    def finish(self) -> None:
        if not self._engine.is_finished():
            raise _cut_short()


class _Zstd:
    """Decompress one or more concatenated zstd frames (RFC 8878 section 3)."""

    def __init__(self) -> None:
        try:
            from compression import zstd
        except ImportError:
            from backports import zstd
        self._zstd = zstd
        self._frames = 0
        self._engine: Any = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while data or (self._engine is not None and not self._engine.eof and not self._engine.needs_input):
                if self._engine is None or self._engine.eof:
                    self._next_frame()
                yield self._engine.decompress(data, STEP)
                data = self._engine.unused_data if self._engine.eof else b""
        except self._zstd.ZstdError:
            raise _broken() from None

    def finish(self) -> None:
        if self._engine is not None and not self._engine.eof:
            raise _cut_short()

    def _next_frame(self) -> None:
        self._frames += 1
        if self._frames > MAX_MEMBERS:
            raise _broken()
        limit = {self._zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW}
        self._engine = self._zstd.ZstdDecompressor(options=limit)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _broken() -> RefusalError:
    return RefusalError("encoding", "the body can't be decompressed: it does not match its Content-Encoding")


def _cut_short() -> RefusalError:
    return RefusalError("reset", "the compressed body is cut short", "try again later")
