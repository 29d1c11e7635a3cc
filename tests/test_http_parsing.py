"""Test that addresses, header fields and compressed bodies of any content are parsed or refused, without a network."""

from __future__ import annotations

import gzip
import ipaddress
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from feedtool.http import headers
from feedtool.http.addresses import why_not_public
from feedtool.http.decompress import STEP, unpacker
from feedtool.http.models import RefusalError
from feedtool.http.urls import follow, read_address, read_host

NOW = datetime(2026, 11, 23, 19, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=())) | st.text("0123456789abcdefx.:/[]%@?#\\ \ud800-", max_size=40)


def _deflate(data: bytes, bits: int) -> bytes:
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "X-GZIP": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": lambda data: _deflate(data, -15),
    "br": lambda data: bytes(brotli.compress(data, quality=1)),
    "zstd": lambda data: bytes(zstd.compress(data)),
    "identity": bytes,
    "": bytes,
}


def _unpacked(coding: str, data: bytes, size: int) -> bytes:
    unpack = unpacker(coding)
    parts = [part for start in range(0, len(data), size) for part in unpack.feed(data[start : start + size])]
    unpack.finish()
    assert all(len(part) <= max(2 * STEP, size) for part in parts)
    return b"".join(parts)


@pytest.mark.parametrize("coding", PACKERS)
@given(data=st.binary() | st.integers(0, 700_000).map(bytes), size=st.integers(1, 300))
def test_any_chunking_decompresses_completely(coding: str, data: bytes, size: int) -> None:
    packed = PACKERS[coding](data)
    assert _unpacked(coding, packed, max(size, len(packed) // 50)) == data


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_small_input_yields_little_output_per_step(coding: str) -> None:
    packed = PACKERS[coding](bytes(30_000_000))
    assert max(map(len, unpacker(coding).feed(packed))) <= 2 * STEP
    assert _unpacked(coding, packed, len(packed)) == bytes(30_000_000)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_concatenated_streams_are_one_body(coding: str) -> None:
    assert _unpacked(coding, PACKERS[coding](b"one") * 3, 7) == b"one" * 3


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@given(data=st.binary(min_size=1), cut=st.integers(1, 5))
def test_truncated_body_is_refused(coding: str, data: bytes, cut: int) -> None:
    with pytest.raises(RefusalError):
        _unpacked(coding, PACKERS[coding](data)[:-cut], 100)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@given(data=st.binary(min_size=1), at=st.integers(0, 200), noise=st.binary(max_size=30))
def test_corrupt_body_raises_only_refusals(coding: str, data: bytes, at: int, noise: bytes) -> None:
    packed = PACKERS[coding](data)
    with suppress(RefusalError):
        _unpacked(coding, packed[:at] + noise + packed[at + 3 :], 11)


@pytest.mark.parametrize("coding", ["gzip, gzip", "br,gzip", "compress", "gzip;q=1", "dcb", "\ud800", "gzip, , gzip"])
def test_unsupported_content_coding_is_refused(coding: str) -> None:
    with pytest.raises(RefusalError, match="compressed"):
        unpacker(coding)


def test_large_zstd_window_is_refused() -> None:
    wide = zstd.compress(b"x" * 100, options={zstd.CompressionParameter.window_log: 27})
    frame = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    packed = frame.compress(b"x" * 100) + frame.flush()
    assert wide
    with pytest.raises(RefusalError):
        _unpacked("zstd", packed, 10)


@given(st.integers(0, 2**32 - 1), st.sampled_from("dxo"), st.integers(1, 4), st.booleans())
def test_every_ipv4_spelling_gives_the_same_address(number: int, base: str, parts: int, dot: bool) -> None:
    spellings: dict[str, Callable[[int], str]] = {"d": str, "x": hex, "o": lambda value: f"0{value:o}"}
    spell = spellings[base]
    high = [number >> shift & 255 for shift in (24, 16, 8)[: parts - 1]]
    text = ".".join(spell(each) for each in [*high, number & (256 ** (5 - parts) - 1)]) + "." * dot
    assert read_host(text) == str(ipaddress.IPv4Address(number))


@given(st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address))
def test_embedded_private_ipv4_address_is_private(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    carriers = [0xFFFF << 32, 0x64FF9B << 96, 0x2002 << 112 | number << 80, 0x260647 << 104 | 0x5EFE << 32]
    for carrier in carriers:
        text = str(ipaddress.IPv6Address(carrier | (0 if carrier >> 112 == 0x2002 else number)))
        assert not why_not_public(str(inner)) or why_not_public(text), text


@pytest.mark.parametrize("public", ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are_public(public: str) -> None:
    assert why_not_public(public) == ""


@given(TEXT)
def test_any_text_gives_an_address_or_a_refusal(text: str) -> None:
    for read in (read_address, lambda each: read_address(f"http://{each}"), lambda each: follow(BASE, each)):
        try:
            address = read(text)
        except RefusalError:
            continue
        again = read_address(address.url)
        assert (again.url, again.host) == (address.url, address.host)
        assert address.url.isascii()
        assert address.url.isprintable()
        assert " " not in address.url


BASE = read_address("http://ann:pass@a.example:8080/b/c?d")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("HTTP://A.example:80", "http://a.example/"),
        ("https://a.example:443/x#part", "https://a.example/x"),
        ("http://a.example:443/", "http://a.example:443/"),
        ("http://bücher.example/ä?ö=ü", "http://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("http://a.example/%7Ea%2fb?x=a+b%20c", "http://a.example/%7Ea%2fb?x=a+b%20c"),
        ("http://ann:pass@a.example/", "http://a.example/"),
        ("http://[2606:4700::1111]:81/", "http://[2606:4700::1111]:81/"),
        (" http://a.example/feed \n", "http://a.example/feed"),
    ],
)
def test_address_is_normalised(address: str, url: str) -> None:
    assert read_address(address).url == url


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("e", "http://a.example:8080/b/e"),
        ("/e", "http://a.example:8080/e"),
        ("?e", "http://a.example:8080/b/c?e"),
        ("//b.example", "http://b.example/"),
        ("https://x:y@b.example/#f", "https://b.example/"),
        ("/a b\udce9", "http://a.example:8080/a%20b%E9"),
    ],
)
def test_redirect_resolves_without_credentials(location: str, url: str) -> None:
    target = follow(BASE, location)
    assert (target.url, target.authorization) == (url, None)


# Header fields -------------------------------------------------------------------------------------------------------


def _field(**fields: str) -> headers.Field:
    return lambda name: fields.get(name.replace("-", "_"))


def _http(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, None),
        ({"Cache_Control": "max-age=600"}, 600),
        ({"Cache_Control": 'Public, MAX-AGE="600" , s-maxage=5'}, 600),
        ({"Cache_Control": "s-maxage=600"}, None),
        ({"Cache_Control": "max-age=600, no-cache"}, 0),
        ({"Cache_Control": "no-store"}, 0),
        ({"Cache_Control": "max-age=600", "Age": "100"}, 500),
        ({"Cache_Control": "max-age=60", "Age": "100"}, 0),
        ({"Cache_Control": "max-age=-5"}, None),
        ({"Cache_Control": "max-age=" + "9" * 99}, 365 * 86400),
        ({"Cache_Control": "max-age=5, max-age=9"}, 5),
        ({"Cache_Control": "max-age=5", "Expires": _http(99)}, 5),
        ({"Expires": _http(600), "Date": _http(-60)}, 660),
        ({"Expires": _http(600)}, 600),
        ({"Expires": _http(-600)}, 0),
        ({"Expires": "0"}, 0),
        ({"Expires": "-1", "Date": _http(0)}, 0),
    ],
)
def test_max_age_is_read_from_headers(fields: dict[str, str], seconds: int | None) -> None:
    assert headers.max_age(_field(**fields), NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(
            ("120", 120),
            ("+5", 5),
            ("-5", None),
            ("-0", None),
            ("9" * 60, 7 * 86400),
            ("9" * 5000, 7 * 86400),
            ("0" * 5000 + "60", 60),
            ("1e3", None),
            ("", None),
            ("soon", None),
        ),
        *(
            (_http(90), 90),
            (_http(-90), 0),
            (_http(9e6), 7 * 86400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 7 * 86400),
            ("Fri, 31 Dec 9999 23:59:59 -2359", 7 * 86400),
            ("Friday, 31-Dec-99 23:59:59 GMT", 0),
            ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
            ("Fri, 31 Dec 99999 23:59:59 GMT", None),
            ("Mon, 99 Nov 2026 99:00:00 GMT", None),
            ("१२", None),
        ),
    ],
)
def test_retry_after_is_read_from_headers(value: str, seconds: int | None) -> None:
    assert headers.retry_after(_field(Retry_After=value), NOW) == seconds


@given(
    st.dictionaries(st.sampled_from(["Cache_Control", "Expires", "Date", "Age", "Retry_After"]), TEXT),
    st.none() | st.just(NOW),
)
def test_any_header_value_is_handled(fields: dict[str, str], now: datetime | None) -> None:
    assert headers.max_age(_field(**fields), now) in (None, *range(1000)) or fields
    wait = headers.retry_after(_field(**fields), now)
    assert wait is None or 0 <= wait <= 7 * 86400


@given(TEXT)
def test_validator_is_kept_unchanged_or_dropped(text: str) -> None:
    result = headers.validator(text)
    assert result in (None, text)
    assert result is None or not {"\r", "\n", "\0"} & set(result)
