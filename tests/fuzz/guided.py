"""One target, a folder of inputs and libFuzzer's options in; atheris runs it, led by the coverage of our own code.

    python -m tests.fuzz.guided TARGET FOLDER -max_total_time=60

A process of its own: coverage is woven into modules as they are imported, and the first broken law ends it.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Fuzz until the options say that it is enough; never returns."""
    import atheris

    with atheris.instrument_imports(include=["feedtool", "feedparser"], enable_loader_override=False):
        import feedparser  # noqa: F401

        from tests.fuzz.targets import law_of
    atheris.Setup([sys.argv[0], *sys.argv[2:]], law_of(sys.argv[1]))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
