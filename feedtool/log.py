"""Log what a run does (`info`) and why (`debug`) with the standard `logging`, to the loggers `feedtool.<name>`.

Nothing here imports `logging`, which takes 5 ms: a program that wants to see messages has imported it already, and so has
`feedtool -v`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


_INFO, _DEBUG = 20, 10
"""The levels of `logging`."""


def info(name: str, message: str, *values: object) -> None:
    """Log what the run does; `values` are inserted into the message as by `logging`."""
    if (logger := _logger(name)) is not None:
        logger.info(message, *values)


def debug(name: str, message: str, *values: object) -> None:
    """Log why the run does something; `values` are inserted into the message as by `logging`."""
    if (logger := _logger(name)) is not None:
        logger.debug(message, *values)


def is_informing(name: str) -> bool:
    """Return True if somebody sees the messages of `info`, for messages that take time to collect."""
    return (logger := _logger(name)) is not None and logger.isEnabledFor(_INFO)


def is_debugging(name: str) -> bool:
    """Return True if somebody sees the messages of `debug`, for messages that take time to collect."""
    return (logger := _logger(name)) is not None and logger.isEnabledFor(_DEBUG)


def _logger(name: str) -> logging.Logger | None:
    module = sys.modules.get("logging")
    return module.getLogger(f"feedtool.{name}") if module is not None else None
