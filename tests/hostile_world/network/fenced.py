"""A `feedtool` process behind the fence: words and FENCE in, what the command does out, and never a packet beyond loopback.

FENCE is JSON: `names` (hosts and their addresses; those that end in ".example" are at a public one without it), `doors`
("address:port" and the port of loopback behind it), `log` (a file that is told what was resolved and connected to). The
fence takes the place of the last step of the guard alone. Below it stands a second one, that of the interpreter's own audit:
whoever gets past the first ends the process with 99.
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
"""A name whose server never answers."""
HOLE = 9
"""A port where nobody answers, and nobody refuses."""


def main() -> int:
    """Put up both fences and run the command line."""
    fence = json.loads(os.environ["FENCE"])
    sys.addaudithook(_stay_on_loopback)
    from feedtool.cli.main import run
    from feedtool.http import guard

    guard.look_up = lambda host: _resolve(fence, host)
    guard.open_socket = lambda address, port: _connect(fence, address, port)
    return run(sys.argv[1:])


def _stay_on_loopback(event: str, given: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto") and given[0].family != socket.AF_UNIX:
        here = given[1][0] in ("127.0.0.1", "::1")
    else:
        here = event not in ("socket.getaddrinfo", "socket.gethostbyname") or given[0] in ("127.0.0.1", "::1")
    if not here:
        os.write(2, f"escaped: {event} {given}\n".encode())
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
    behind = fence["doors"].get(f"{address}:{port}")
    if behind is None:
        raise ConnectionRefusedError(111, "Connection refused")
    opened = socket.socket()
    opened.setblocking(False)
    await asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", behind))
    return opened


def _note(fence: dict[str, Any], line: str) -> None:
    with open(fence["log"], "a", encoding="utf-8") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    sys.exit(main())
