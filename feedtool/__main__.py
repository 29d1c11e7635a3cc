"""`python -m feedtool` and the `feedtool` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exits with 0 (good), 1 (finished with problems), 2 (could not start), 130 (interrupted).

    And with 70, where it crashed: 1 would tell a script that all was done that could be.
    """
    if sys.argv[1:] in (["--version"], ["-V"]):
        # The one question that scripts ask a thousand times needs no library.
        from feedtool import __version__

        sys.stdout.write(f"feedtool {__version__}\n")
        return
    from feedtool.cli import run

    try:
        code = run()
    except Exception:  # noqa: BLE001
        import traceback

        from feedtool.commands.console import crash

        crash(traceback.format_exc())
        code = 70
    sys.exit(code)


if __name__ == "__main__":
    main()
