"""Log what a run does (`info`) and why (`debug`) with the standard `logging`, to the loggers `feedtool.<name>`.

Nothing here imports `logging`, which takes 5 ms: a program that wants to see messages has imported it already, and so has
`feedtool -v`.
"""

from __future__ import annotations

import sys


def info(name: str, message: str, *values: object) -> None:
    """Log what the run does; `values` are inserted into the message as by `logging`."""
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.getLogger(f"feedtool.{name}").info(message, *values)


def debug(name: str, message: str, *values: object) -> None:
    """Log why the run does something; `values` are inserted into the message as by `logging`."""
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.getLogger(f"feedtool.{name}").debug(message, *values)


def is_debugging(name: str) -> bool:
    """Return True if somebody sees the messages of `debug`, for messages that take time to collect."""
    logging = sys.modules.get("logging")
    return logging is not None and bool(logging.getLogger(f"feedtool.{name}").isEnabledFor(logging.DEBUG))
