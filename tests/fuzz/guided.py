"""Run one target with atheris and the options of libFuzzer, guided by the coverage of our own code.

    python -m tests.fuzz.guided TARGET FOLDER -max_total_time=60

It is a separate process, because coverage instruments modules at import, and the first broken property ends it.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Fuzz until the options end the run; never return."""
    import atheris

    with atheris.instrument_imports(include=["feedtool", "feedparser"], enable_loader_override=False):
        import feedparser  # noqa: F401

        from tests.fuzz.targets import law_of
    atheris.Setup([sys.argv[0], *sys.argv[2:]], law_of(sys.argv[1]))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
