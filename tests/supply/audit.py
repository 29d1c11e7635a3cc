"""Check the packages in the lock files for security advisories, and report packages that could not be checked.

    python -m tests.supply.audit

The exit code is 1 if there is an advisory, else 0: an unreachable service stops no work, but is not reported as
success. pip-audit itself reports success if it could check nothing at all.
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
    """Check every lock file; return the exit code."""
    worst = 0
    for lock in LOCKS:
        message, code = audit(lock)
        if code == 0 and "not asked" in message and os.environ.get("GITHUB_ACTIONS"):
            print(f"::warning::{message.splitlines()[0]}")
        print(f"{lock.name}: {message}", flush=True)
        worst = max(worst, code)
    return worst


def audit(lock: Path) -> tuple[str, int]:
    """Return the message about one lock file, and the exit code."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"not asked: no answer within {PATIENCE:.0f} s", 0
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return f"not asked: {(done.stderr.strip().splitlines() or ['pip-audit printed nothing'])[-1]}", 0
    return judged(report)


def judged(report: dict[str, Any]) -> tuple[str, int]:
    """Return the message for a report of pip-audit, and the exit code."""
    packages = report["dependencies"]
    checked = [package for package in packages if "vulns" in package]
    hit = [package for package in checked if package["vulns"]]
    lines = [
        f"{package['name']} {package['version']}: {advisory['id']}; fixed in {', '.join(advisory['fix_versions']) or 'none'}"
        for package in hit
        for advisory in package["vulns"]
    ]
    if lines:
        return "\n".join([f"{len(lines)} advisories", *lines]), 1
    if not checked:
        return f"not asked: none of the {len(packages)} packages could be checked", 0
    left = f"; {len(packages) - len(checked)} could not be checked" if len(checked) < len(packages) else ""
    return f"no advisory against {len(checked)} packages{left}", 0


if __name__ == "__main__":
    sys.exit(main())
