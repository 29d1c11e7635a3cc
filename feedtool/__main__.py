"""Run feedtool as `python -m feedtool` or as the command `feedtool`."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn


def main() -> None:
    """Run the command line, and exit with one of these codes.

    0: good. 1: finished with problems. 2: could not start. 70: crashed, which is not 1 because a script would take that
    for a finished run. 130: stopped with Ctrl-C. 143: stopped by SIGTERM.
    """
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Scripts ask this often, and it needs no library.
        from feedtool import __version__

        sys.stdout.write(f"feedtool {__version__}\n")
        return
    from feedtool import filenames, interrupts

    if not filenames.uses_utf8():
        filenames.restart_with_utf8()
    filenames.make_streams_safe()
    interrupts.install()
    try:
        code = _code()
    except KeyboardInterrupt:
        # An interrupt before or after the command itself, which handles its own.
        sys.stderr.write("error: stopped\n")
        code = interrupts.exit_code()
    interrupts.finish()
    _end(code)


def _code() -> int:
    # Imported modules are never freed: collecting garbage among them 35 times took 8 ms of a build with nothing to do.
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
    """Exit without tearing down every module, which takes 13 ms; the system frees the memory anyway.

    If there are threads, child processes, a tracer or a profiler, Python exits in the normal way.
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
            pass  # Python reports the failed write and sets the exit code when it exits in the normal way
        else:
            os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
