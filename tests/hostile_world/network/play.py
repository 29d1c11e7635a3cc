"""Faults in, one ingest of a source for each, what became of each out: as the table `expected.tsv` has it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from feedtool.state import parse_state
from tests.hostile_world.network.doors import World
from tests.hostile_world.network.faults import Fault
from tests.support.server import Behaviour, Server
from tests.support.site import make_site

COLUMNS = ("name", "outcome", "new", "asked", "kept as", "pause", "words")
"""`asked`: requests that arrived. `kept as`: the failure that feedtool.state remembers; `pause`: seconds until the next visit."""
_LINE = re.compile(r"(?:.*/)?feedtool\.toml:\d+: (?:error|warning): (.*?): (.*) \[FT\d+\]")


def path_of(name: str) -> str:
    """Return the path at which a fault is played."""
    return "/" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def routes_of(faults: Mapping[str, Fault]) -> dict[str, Behaviour]:
    """Return what the server plays."""
    found: dict[str, Behaviour] = {}
    for name, fault in faults.items():
        assert path_of(name) not in found, name
        found |= {path_of(name): fault.play, **dict(fault.more)}
    return found


def settings_of(faults: Mapping[str, Fault], ingest: str) -> str:
    """Return settings with a source for each fault, each at a host of its own."""
    sources = (
        f"[[sources]]\nname = {json.dumps(name)}\nurl = {json.dumps(fault.url or f'http://h{at}.example{path_of(name)}')}\n"
        for at, (name, fault) in enumerate(faults.items())
    )
    return f"[ingest]\n{ingest}\n" + "".join(sources)


def played(there: World, folder: Path, faults: Mapping[str, Fault], ingest: str) -> dict[str, tuple[str, ...]]:
    """Ingest all faults in one run; return the row of each. The run ends by itself and says nothing but its problems."""
    site = make_site(folder, {}, settings_of(faults, ingest))
    for server in (there.http, there.https):
        server.clear()
    done = there.run("ingest", "-C", str(site), "--json")
    assert done.returncode == 1, done.stderr
    hosts = {
        name: fault.url.split("/")[2] if fault.url else f"h{at}.example"
        for at, (name, fault) in enumerate(faults.items())
    }
    asked = _asked(there.http) + _asked(there.https)
    said = _said(done.stderr)
    state = parse_state((site / "feedtool.state").read_text("utf-8"))
    tallies = {one["source"]: one for one in json.loads(done.stdout)["sources"]}
    return {
        name: (
            name,
            tallies[name]["outcome"],
            str(tallies[name]["new"]),
            str(asked[hosts[name]]),
            *_kept(state["source", name]),
            said.get(name, ""),
        )
        for name in faults
    }


def _asked(server: Server) -> Counter[str]:
    return Counter(seen.headers.get("host", "").partition(":")[0] for seen in server.log)


def _said(stderr: str) -> dict[str, str]:
    """Return the words of each source; a line that is no problem of one, such as a warning of Python, fails the test."""
    found: dict[str, str] = {}
    for line in stderr.splitlines():
        told = _LINE.fullmatch(line)
        assert told or line.startswith("`feedtool explain "), line
        if told:
            assert told[1] not in found, line
            found[told[1]] = told[2]
    return found


def _kept(facts: dict[str, Any]) -> tuple[str, str]:
    visited = facts["failed"] if "failed" in facts else facts["good"]
    pause = datetime.fromisoformat(facts["next"]) - datetime.fromisoformat(visited)
    return facts.get("failure", ""), str(round(pause.total_seconds()))
