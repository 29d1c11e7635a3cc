"""Test that names and passwords in source addresses appear in no output, state, article or annotation, under every fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from feedtool.cli.main import run as command
from feedtool.http import guard
from tests.hostile_world.network.bodies import feed
from tests.hostile_world.network.faults import PATIENT, Fault
from tests.hostile_world.network.play import path_of, routes_of
from tests.hostile_world.network.servers import world
from tests.support.behaviours import page, redirect
from tests.support.site import make_site, tree

SECRETS = ("s3cret", "czNjcmV0", "YW5uOn", "t0ken")
"""The password, its Basic encodings with the name, and the value of a header."""
ODD = [
    "http://ann:s3cret\\\\x@a.example/", "http://ann:s3cret/x@a.example/", "http://ann:s3cret#x@a.example/",
    "http://ann:s3cret?x@a.example/", "http://ann:s3cret x@a.example/", "ftp://ann:s3cret@a.example/",
    "http://ann:s3cret@a.example:99999/", "http:\\\\\\\\ann:s3cret@a.example/", "http:/ann:s3cret@a.example/",
    "http://ann:s3cret@[::1/", "http://ann:s3cret@", "http://ann:s3cret@faß.example/", " http://ann:s3cret@a..b/",
]  # fmt: skip
"""Invalid addresses as they are written in TOML, in which the end of the password is unclear."""


@pytest.mark.fault_class("network.secrets")
def test_server_faults_never_reveal_a_password(tmp_path: Path, tally: Callable[[int], None]) -> None:
    faults = {name: fault for name, fault in PATIENT.items() if "flood" not in name and "end" not in name}
    faults |= {
        "moves": Fault(redirect("/moved", 301), more=(("/moved", page(feed("moves"))),)),
        "moves to a password": Fault(redirect("http://ann:s3cret@far.example/moved", 301)),
        "moves away": Fault(redirect("http://far.example/moved", 301)),
    }
    urls = [
        (name, fault.url or f"http://h{at}.example{path_of(name)}") for at, (name, fault) in enumerate(faults.items())
    ]
    sources = "".join(
        f'[[sources]]\nname = "{at}"\nurl = "{url.replace("//", "//ann:s3cret@", 1)}"\nheaders = {{ X-Key = "t0ken" }}\n'
        for at, (_, url) in enumerate(urls)
    )
    with world(tmp_path, routes_of(faults), ("secure.example", "down.example")) as running_world:
        site = make_site(tmp_path / "site", {}, f"[ingest]\ntimeout = 60\nmax_bytes = 300000\n{sources}")
        summary = tmp_path / "summary.md"
        actions = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(site)}
        every = [
            running_world.run("ingest", "-v", "-C", str(site), env=actions),
            running_world.run("ingest", "--force", "--json", "-C", str(site)),
        ]
        every += [running_world.run(*words, "-C", str(site)) for words in (
            ["status", "-v"], ["status", "--json"], ["opml", "export"], ["doctor"], ["build", "--json"], ["check"]
        )]  # fmt: skip
        sent = [request.headers for request in running_world.http.log]
    assert sum(one.get("authorization") == "Basic YW5uOnMzY3JldA==" for one in sent) > 100
    assert not [one for one in sent if one.get("host") == "far.example" and {"authorization", "x-key"} & set(one)]
    texts = {f"{at} {stream}": getattr(one, stream) for at, one in enumerate(every) for stream in ("stdout", "stderr")}
    texts["summary"] = summary.read_text("utf-8")
    texts |= {path: data.decode("utf-8", "replace") for path, data in tree(site).items() if path != "feedtool.toml"}
    assert [(where, secret) for where, text in texts.items() for secret in SECRETS if secret in text] == []
    assert "Traceback" not in "".join(texts.values())
    tally(len(faults) * len(texts))


@pytest.mark.fault_class("network.secrets")
@pytest.mark.parametrize("url", ODD)
def test_address_errors_never_reveal_a_password(
    tmp_path: Path, url: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nowhere(host: str) -> tuple[str, ...]:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(guard, "look_up", nowhere)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    site = make_site(tmp_path, {}, f'[[sources]]\nname = "A"\nurl = "{url}"\n')
    assert command(["ingest", "-C", str(site)]) in (1, 2)
    make_site(tmp_path, {})
    assert command(["add", url.replace("\\\\", "\\"), "-C", str(site)]) in (1, 2)
    assert "s3cret" not in "".join(capfd.readouterr())


@pytest.mark.fault_class("network.secrets")
@pytest.mark.parametrize(
    "table", ['"Authorization: s3cret"', '["X: s3cret"]', '{ X-Key = "s3cret\\n" }', '{ X-Key = ["s3cret"] }']
)
def test_header_errors_never_reveal_values(tmp_path: Path, table: str, capfd: pytest.CaptureFixture[str]) -> None:
    site = make_site(tmp_path, {}, f'[[sources]]\nname = "A"\nurl = "http://a.example/"\nheaders = {table}\n')
    assert command(["ingest", "-C", str(site)]) == 2
    assert "s3cret" not in "".join(capfd.readouterr())
