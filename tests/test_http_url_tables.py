"""Test addresses of requests row by row: the request sent, the text in messages, credentials, refusals and reasons."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest

from feedtool.http.models import RefusalError
from feedtool.http.urls import follow, read_address, read_host

TABLE: list[dict[str, str]] = json.loads(
    (Path(__file__).parent / "data" / "tables" / "addresses.json").read_text("utf-8")
)


def refusal(read: object, *texts: object) -> RefusalError:
    with pytest.raises(RefusalError) as failure:
        read(*texts)  # type: ignore[operator]
    return failure.value


@pytest.mark.parametrize("row", TABLE, ids=lambda row: ascii(row["text"]))
def test_address_is_read_or_refused_with_a_reason(row: dict[str, str]) -> None:
    if "url" in row:
        address = read_address(row["text"])
        assert (address.url, address.shown) == (row["url"], row.get("shown", row["url"]))
        assert address.authorization == row.get("authorization")
        assert follow(read_address("http://b.example/"), row["text"]).authorization is None
    else:
        failure = refusal(read_address, row["text"])
        assert (failure.kind, failure.message, failure.hint) == ("other", row["refused"], row["hint"])


def test_address_has_at_most_8000_characters() -> None:
    base = "http://a.example/"
    assert len(read_address(base + "x" * (8000 - len(base))).url) == 8000
    assert (
        refusal(read_address, base + "x" * (8001 - len(base))).message == "the address is longer than 8000 characters"
    )
    assert read_address(" " * 9000 + base).url == base


@pytest.mark.parametrize(("labels", "last", "good"), [(62, 1, True), (62, 2, False), (63, 0, False)])
def test_host_has_at_most_253_characters(labels: int, last: int, good: bool) -> None:
    host = ".".join(["a" * labels] * 4) + ("." + "b" * last if last else "")
    assert len(host) in (253, 254, 255)
    if good:
        assert read_host(host) == read_host(f"{host}.") == host
    else:
        refusal(read_host, host)


def test_host_label_has_at_most_63_characters() -> None:
    assert read_host("a" * 63 + ".b") == "a" * 63 + ".b"
    for host in ("a" * 64 + ".b", "b." + "a" * 64, "a" * 256, "%61.b", ""):
        refusal(read_host, host)


@pytest.mark.parametrize("base", ["", "0x"])
def test_numeric_host_has_at_most_twenty_digits(base: str) -> None:
    assert read_host(base + "1".zfill(20)) == "0.0.0.1"
    refusal(read_host, base + "1".zfill(21))


SECRETS = {
    "http://a.example/": {"http://a.example/x?y", "https://a.example/"},
    "https://a.example/": {"https://a.example/"},
    "http://a.example:8080/": {"http://a.example:8080/"},
    "https://a.example:8080/": {"https://a.example:8080/"},
    "http://b.example/": {"http://b.example/", "https://b.example/"},
    "http://a.example:443/": {"http://a.example:443/"},
    "https://a.example:80/": {"https://a.example:80/"},
}


@pytest.mark.parametrize(("before", "after"), list(permutations(SECRETS, 2)))
def test_secrets_go_to_same_or_encrypted_origin(before: str, after: str) -> None:
    assert read_address(after).may_receive_headers_of(read_address(before)) == (after in SECRETS[before])


@pytest.mark.parametrize("before", SECRETS)
def test_secrets_stay_with_their_origin(before: str) -> None:
    for place in SECRETS[before]:
        assert read_address(place).may_receive_headers_of(read_address(before))


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("", "it redirects without a target address"),
        (" \t", "it redirects without a target address"),
        ("ftp://a.example/", "it redirects to an address that can't be fetched: ftp: addresses can't be fetched"),
        ("http://[::1", "it redirects to an invalid address"),
        ("//", "http://a.example/b/c"),
        ("#part", "http://a.example/b/c"),
        ("../x", "http://a.example/x"),
        (" /x\t", "http://a.example/x"),
        ("//u:p@b.example/x", "http://b.example/x"),
        ("https:x", "it redirects to an address that can't be fetched: the address has no valid host name"),
        ("https://b.example:8443/?q#f", "https://b.example:8443/?q"),
    ],
)
def test_redirect_target_is_read_or_refused(location: str, message: str) -> None:
    base = read_address("http://ann:pass@a.example/b/c")
    if message.startswith("http"):
        target = follow(base, location)
        assert (target.url, target.authorization) == (message, None)
    else:
        failure = refusal(follow, base, location)
        assert (failure.kind, failure.message) == ("redirect", message)
