"""Test that every module can be imported first, so that no order of imports hides a cycle."""

from __future__ import annotations

import subprocess
import sys

from tests.support.site import ROOT, environment

# Each module is imported by a fork that has imported other packages, but no other module of feedtool.
TRY_ALL = """
import os, sys
from tests.support.forked import import_libraries
import_libraries()
assert not any(name.startswith("feedtool") for name in sys.modules)
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            __import__(name)
        except ImportError as error:
            print(name, error, flush=True)
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_every_module_can_be_imported_first() -> None:
    paths = sorted(path.relative_to(ROOT) for path in (ROOT / "feedtool").rglob("*.py") if path.stem != "__main__")
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]
    done = subprocess.run(
        [sys.executable, "-c", TRY_ALL, *names],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=ROOT,
        check=False,
    )
    assert done.stdout + done.stderr == ""
    assert len(names) > 150
