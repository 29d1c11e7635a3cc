"""Ingest one source for each fault and return the results as rows of `expected.tsv`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from feedtool.state import parse_state
from tests.hostile_world.network.faults import Fault
from tests.hostile_world.network.servers import World
from tests.support.server import Behaviour, Server
from tests.support.site import make_site

COLUMNS = ("name", "outcome", "new", "asked", "kept as", "pause", "words")
"""The columns of the table.

`asked`: requests that arrived. `kept as`: the failure in feedtool.state. `pause`: seconds until the next visit.
"""
_LINE = re.compile(r"(?:.*/)?feedtool\.toml:\d+: (?:error|warning): (.*?): (.*) \[FT\d+\]")


def path_of(name: str) -> str:
    """Return the path at which a fault is served."""
    return "/" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def routes_of(faults: Mapping[str, Fault]) -> dict[str, Behaviour]:
    """Return the routes of the server."""
    routes: dict[str, Behaviour] = {}
    for name, fault in faults.items():
        assert path_of(name) not in routes, name
        routes |= {path_of(name): fault.play, **dict(fault.more)}
    return routes


def settings_of(faults: Mapping[str, Fault], ingest: str) -> str:
    """Return settings with a source for each fault, each at its own host."""
    sources = (
        f"[[sources]]\nname = {json.dumps(name)}\nurl = {json.dumps(fault.url or f'http://h{at}.example{path_of(name)}')}\n"
        for at, (name, fault) in enumerate(faults.items())
    )
    return f"[ingest]\n{ingest}\n" + "".join(sources)


def played(running: World, folder: Path, faults: Mapping[str, Fault], ingest: str) -> dict[str, tuple[str, ...]]:
    """Ingest all faults in one run; return the row of each.

    The run must end by itself and print only its problems.
    """
    site = make_site(folder, {}, settings_of(faults, ingest))
    for server in (running.http, running.https):
        server.clear()
    done = running.run("ingest", "-C", str(site), "--json")
    assert done.returncode == 1, done.stderr
    hosts = {
        name: fault.url.split("/")[2] if fault.url else f"h{at}.example"
        for at, (name, fault) in enumerate(faults.items())
    }
    request_counts = _requests_by_host(running.http) + _requests_by_host(running.https)
    messages = _messages_by_source(done.stderr)
    state = parse_state((site / "feedtool.state").read_text("utf-8"))
    tallies = {one["source"]: one for one in json.loads(done.stdout)["sources"]}
    return {
        name: (
            name,
            tallies[name]["outcome"],
            str(tallies[name]["new"]),
            str(request_counts[hosts[name]]),
            *_remembered(state["source", name]),
            messages.get(name, ""),
        )
        for name in faults
    }


def _requests_by_host(server: Server) -> Counter[str]:
    return Counter(request.headers.get("host", "").partition(":")[0] for request in server.log)


def _messages_by_source(stderr: str) -> dict[str, str]:
    """Return the message of each source; another line, such as a warning of Python, fails the test."""
    messages: dict[str, str] = {}
    for line in stderr.splitlines():
        match = _LINE.fullmatch(line)
        assert match or line.startswith("`feedtool explain "), line
        if match:
            assert match[1] not in messages, line
            messages[match[1]] = match[2]
    return messages


def _remembered(facts: dict[str, Any]) -> tuple[str, str]:
    visited = facts["failed"] if "failed" in facts else facts["good"]
    pause = datetime.fromisoformat(facts["next"]) - datetime.fromisoformat(visited)
    return facts.get("failure", ""), str(round(pause.total_seconds()))
