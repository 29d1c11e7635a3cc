"""`python -m feedtool` and the `feedtool` command."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn


def main() -> None:
    """Run the command line; exits with 0 (good), 1 (finished with problems), 2 (could not start), 130 (stopped with Ctrl-C),
    143 (stopped by SIGTERM).

    And with 70, where it crashed: 1 would tell a script that all was done that could be.
    """
    if sys.argv[1:] in (["--version"], ["-V"]):
        # The one question that scripts ask a thousand times needs no library.
        from feedtool import __version__

        sys.stdout.write(f"feedtool {__version__}\n")
        return
    from feedtool import interrupts

    interrupts.install()
    try:
        code = _code()
    except KeyboardInterrupt:
        # Before or after the command itself, which handles its own.
        sys.stderr.write("error: stopped\n")
        code = interrupts.exit_code()
    interrupts.finish()
    _end(code)


def _code() -> int:
    # What is imported stays: looking for garbage among it, 35 times over, was 8 ms of a build with nothing to do.
    gc.set_threshold(10_000)
    from feedtool.cli.main import run

    try:
        return run()
    except Exception:  # noqa: BLE001
        import traceback

        from feedtool.cli.console import crash

        crash(traceback.format_exc())
        return 70


def _end(code: int) -> NoReturn:
    """Exit without taking every module apart, which is 13 ms: the system takes it all back at once.

    Whoever started threads or processes, or has them watched by a profiler, is left to Python.
    """
    threading = sys.modules.get("threading")
    alone = "multiprocessing" not in sys.modules and (threading is None or threading.active_count() == 1)
    if alone and sys.gettrace() is None and sys.getprofile() is None:
        atexit._run_exitfuncs()
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except (OSError, ValueError):
            pass  # what can't be written is said, and told by the exit code, where Python ends by itself
        else:
            os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
