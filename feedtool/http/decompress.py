"""Pieces of a compressed body in, pieces of the body out, none of them large however small the input was."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol

from feedtool.http.models import RefusalError

STEP = 1 << 18  # bytes that one step may bring out: what a bomb can cost beyond the cap
MOST_MEMBERS = 1000  # of a body made of many compressed pieces; empty ones cost time and no bytes
LARGEST_WINDOW = 23  # bits: 8 MB, as RFC 9659 asks


class Unpacker(Protocol):
    """Decompresses one body. Both raise RefusalError when it is broken; `finish`, when it is cut short."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...
    def finish(self) -> None: ...


@cache
def accepted_codings() -> tuple[str, ...]:
    """Return the content codings that can be read here, for Accept-Encoding."""
    more = (("br", "brotli"), ("zstd", "compression.zstd"), ("zstd", "backports.zstd"))
    return tuple(dict.fromkeys(["gzip", "deflate", *(name for name, module in more if _installed(module))]))


def unpacker(encoding: str) -> Unpacker:
    """Return what decompresses a body with this Content-Encoding (RFC 9110 section 8.4): one coding, or none.

    More than one are refused: 1.8 kB of gzip in gzip are 1 GB.
    """
    codings = [name for each in encoding.lower().split(",") if (name := each.strip()) not in ("", "identity")]
    if not codings:
        return _Plain()
    if len(codings) > 1:
        raise RefusalError("encoding", f"the body is compressed {len(codings)} times over, which only bombs are")
    name = codings[0].removeprefix("x-")
    if name not in accepted_codings():
        raise RefusalError("encoding", f"the body is compressed as {name[:40]!a}, which was not asked for")
    engines: dict[str, Callable[[], Unpacker]] = {"gzip": _Gzip, "deflate": _Deflate, "br": _Brotli, "zstd": _Zstd}
    return engines[name]()


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        return


class _Gzip:
    """One gzip member or several on end (RFC 1952 section 2.2); what follows them is ignored, as browsers do."""

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
        if self._members > MOST_MEMBERS:
            raise _broken()
        self._engine = zlib.decompressobj(self._bits_for(data))

    def _bits_for(self, data: bytes) -> int:  # noqa: ARG002
        return self.bits


class _Deflate(_Gzip):
    """RFC 1950, or RFC 1951 without its wrapper, as some servers send."""

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
            # It may bring out a little more than the limit, and keep output back after it has taken all input.
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
    """One zstd frame or several on end (RFC 8878 section 3)."""

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
        if self._frames > MOST_MEMBERS:
            raise _broken()
        limit = {self._zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW}
        self._engine = self._zstd.ZstdDecompressor(options=limit)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _broken() -> RefusalError:
    return RefusalError("encoding", "the body can't be decompressed: it is not what its Content-Encoding says")


def _cut_short() -> RefusalError:
    return RefusalError("reset", "the compressed body ends before its end", "try again later")
