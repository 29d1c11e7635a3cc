"""Names of targets in, broken laws out: fuzzing led by coverage (atheris), a target after the other.

    python -m tests.fuzz                            every target for a minute
    python -m tests.fuzz html feed --seconds 300    these two for five minutes each
    python -m tests.fuzz all --seconds 10           all in one process, for a look
    python -m tests.fuzz --unguided                 without atheris, which has no wheels for some systems

Inputs that were worth keeping stay in `artifacts/fuzz/TARGET` and are where the next run begins; what broke a law is
told, and stays in `artifacts/fuzz/broken`. Exits with 1 when any did. A finding goes into a case folder of its room, or to
`tests/fuzz/findings/TARGET`, with what mends it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import re
import subprocess
import sys
import traceback
from pathlib import Path

from tests.fuzz.targets import LONGEST, TARGETS, corpus
from tests.fuzz.unguided import BrokenError, play

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "artifacts" / "fuzz"
SLOW = 25
"""Seconds after which one input counts as a hang."""


def main(arguments: list[str] | None = None) -> int:
    """Fuzz what is named; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", nargs="*", choices=[*TARGETS, "all", []], help="none: each of them")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unguided", action="store_true", help="mutate without looking at coverage")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where inputs are kept")
    given = parser.parse_args(arguments)
    guided = not given.unguided and is_guided()
    if not guided:
        print("without atheris: inputs are mutated without looking at coverage", flush=True)
    tried, broken = 0, 0
    for name in given.target or TARGETS:
        count, text = (
            run_guided(name, given.seconds, given.seed, given.kept)
            if guided
            else run_unguided(name, given.seconds, given.seed)
        )
        tried, broken = tried + count, broken + bool(text)
        print(
            f"{name}: {count:,} inputs{', a law is broken' if text else ''}; {_cpu():,.0f} s of CPU so far", flush=True
        )
        if text:
            print(text, flush=True)
    print(f"{tried:,} inputs, {broken} targets with a broken law", flush=True)
    return 1 if broken else 0


def _cpu() -> float:
    import resource

    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whose))


def is_guided() -> bool:
    """Say whether atheris is there."""
    return importlib.util.find_spec("atheris") is not None


def run_unguided(name: str, seconds: int, seed: int) -> tuple[int, str]:
    """Return how many inputs of a target were tried, and what is to be said of the one that broke its law."""
    count = 0
    try:
        for each in TARGETS if name == "all" else [name]:
            count += play(each, seed=seed, seconds=seconds / (len(TARGETS) if name == "all" else 1))
    except BrokenError as error:
        return count + error.tried, "".join(traceback.format_exception(error.__cause__)) + str(error)
    return count, ""


def run_guided(name: str, seconds: int, seed: int, kept: Path) -> tuple[int, str]:
    """Return how many inputs a target's process tried, and its words on the one that broke its law."""
    folder, broken = kept / name, kept / "broken"
    for each in (folder, broken):
        each.mkdir(parents=True, exist_ok=True)
    for data in corpus(name):
        (folder / hashlib.sha256(data).hexdigest()[:20]).write_bytes(data)
    words = kept / f"{name}.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in _words(name)), "ascii")
    options = {
        "max_total_time": seconds,
        "seed": seed,
        "dict": words,
        "timeout": SLOW,
        "rss_limit_mb": 2048,
        "max_len": LONGEST,
        "artifact_prefix": f"{broken}/{name}-",
        "print_final_stats": 1,
        "verbosity": 1,
    }
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(folder)]
    command += [f"-{key}={value}" for key, value in options.items()]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=seconds + 600, check=False
    )
    counted = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr) or re.search(
        r"Done (\d+) runs", done.stderr
    )
    count = int(counted[1]) if counted else 0
    return count, "" if done.returncode == 0 else _tail(done.stdout + done.stderr)


def _tail(text: str) -> str:
    lines = [line for line in text.splitlines() if not re.match(r"#\d+\s|INFO:|\s*(?:DE:|NEW|REDUCE)|stat::", line)]
    return "\n".join(line[:600] for line in lines[-45:])


def _words(name: str) -> list[bytes]:
    every = TARGETS.values() if name == "all" else [TARGETS[name]]
    return sorted({word for target in every for word in target.dictionary()})


def _escaped(word: bytes) -> str:
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02X}" for b in word)


if __name__ == "__main__":
    sys.exit(main())
