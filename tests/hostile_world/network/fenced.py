"""Run `feedtool` behind a fence that lets no packet leave loopback.

FENCE is JSON: `names` (hosts and their addresses; names that end in ".example" have a public one by default), `ports`
("address:port" and the port of loopback behind it), `log` (a file that records resolved and connected addresses). The
fence replaces only the last step of the guard. A second fence below it uses the audit hooks of the interpreter: a
connection that gets past the first fence ends the process with 99.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PUBLIC = "93.184.215.14"
ESCAPED = 99
DEAF = "deaf.test"
"""A name whose resolver never answers."""
HOLE = 9
"""A port that neither answers nor refuses."""


def main() -> int:
    """Install both fences and run the command line."""
    fence = json.loads(os.environ["FENCE"])
    sys.addaudithook(_stay_on_loopback)
    from feedtool.cli.main import run
    from feedtool.http import guard

    guard.look_up = lambda host: _resolve(fence, host)
    guard.open_socket = lambda address, port: _connect(fence, address, port)
    return run(sys.argv[1:])


def _stay_on_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto") and arguments[0].family != socket.AF_UNIX:
        is_local = arguments[1][0] in ("127.0.0.1", "::1")
    else:
        is_local = event not in ("socket.getaddrinfo", "socket.gethostbyname") or arguments[0] in ("127.0.0.1", "::1")
    if not is_local:
        os.write(2, f"escaped: {event} {arguments}\n".encode())
        os._exit(ESCAPED)


async def _resolve(fence: dict[str, Any], host: str) -> tuple[str, ...]:
    _note(fence, f"resolve {host}")
    if host == DEAF:
        await asyncio.sleep(600)
    if host in fence["names"]:
        return tuple(fence["names"][host])
    if host.endswith(".example"):
        return (PUBLIC,)
    raise OSError(-2, "Name or service not known")


async def _connect(fence: dict[str, Any], address: str, port: int) -> socket.socket:
    _note(fence, f"connect {address} {port}")
    if port == HOLE:
        await asyncio.sleep(600)
    port_behind = fence["ports"].get(f"{address}:{port}")
    if port_behind is None:
        raise ConnectionRefusedError(111, "Connection refused")
    opened = socket.socket()
    opened.setblocking(False)
    await asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", port_behind))
    return opened


def _note(fence: dict[str, Any], line: str) -> None:
    with open(fence["log"], "a", encoding="utf-8") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    sys.exit(main())
