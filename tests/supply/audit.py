"""The lock files in, advisories against what they name out; where no advisory could be had, that is said and not hidden.

    python -m tests.supply.audit

Exits with 1 where an advisory is known, with 0 otherwise: a service that can't be reached stops no work, but counts for
nothing either. pip-audit by itself calls it good when it could ask about nothing at all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / ".ci").glob("*.lock"))
PATIENCE = 240.0


def main() -> int:
    """Ask about every lock file; return the exit code."""
    worst = 0
    for lock in LOCKS:
        said, code = asked(lock)
        if code == 0 and "not asked" in said and os.environ.get("GITHUB_ACTIONS"):
            print(f"::warning::{said.splitlines()[0]}")
        print(f"{lock.name}: {said}", flush=True)
        worst = max(worst, code)
    return worst


def asked(lock: Path) -> tuple[str, int]:
    """Return what is to be said of one lock file, and the exit code."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"not asked: no answer within {PATIENCE:.0f} s", 0
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return f"not asked: {(done.stderr.strip().splitlines() or ['pip-audit said nothing'])[-1]}", 0
    return judged(report)


def judged(report: dict[str, Any]) -> tuple[str, int]:
    """Return what pip-audit's report comes to, and the exit code."""
    packages = report["dependencies"]
    known = [package for package in packages if "vulns" in package]
    hit = [package for package in known if package["vulns"]]
    lines = [
        f"{package['name']} {package['version']}: {advisory['id']}; mended in {', '.join(advisory['fix_versions']) or 'none'}"
        for package in hit
        for advisory in package["vulns"]
    ]
    if lines:
        return "\n".join([f"{len(lines)} advisories", *lines]), 1
    if not known:
        return f"not asked: advisories of none of the {len(packages)} packages could be had", 0
    left = f"; {len(packages) - len(known)} could not be asked about" if len(known) < len(packages) else ""
    return f"no advisory against {len(known)} packages{left}", 0


if __name__ == "__main__":
    sys.exit(main())
