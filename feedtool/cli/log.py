"""Print the messages of `feedtool.log` on stderr, for `-v` and `-vv`."""

from __future__ import annotations

import logging

from feedtool.cli import console


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        console.echo(f"{record.levelname.lower()}: {console.plain(record.getMessage())}", err=True)


def start_log(*, debug: bool) -> None:
    """Print feedtool's messages from now on: what it does, and with `debug` also why."""
    logger = logging.getLogger("feedtool")
    logger.handlers[:] = [_Handler()]
    logger.propagate = False
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
