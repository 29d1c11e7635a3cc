"""Fuzz one target after the other, guided by coverage (atheris), and report broken properties.

    python -m tests.fuzz                            every target for a minute
    python -m tests.fuzz html feed --seconds 300    these two for five minutes each
    python -m tests.fuzz all --seconds 10           all in one process, as a quick check
    python -m tests.fuzz --unguided                 without atheris, which has no wheels for some systems

Useful inputs are stored in `artifacts/fuzz/TARGET`, where the next run starts; an input that broke a property is
printed and stored in `artifacts/fuzz/broken`, and the exit code is 1. Store such a finding in a folder of cases of the
package, or in `tests/fuzz/findings/TARGET`, together with the fix.
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
INPUTS = ROOT / "artifacts" / "fuzz"
SLOW = 25
"""The seconds after which one input counts as a hang."""


def main(arguments: list[str] | None = None) -> int:
    """Fuzz the targets in the arguments; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", nargs="*", choices=[*TARGETS, "all", []], help="default: all of them")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unguided", action="store_true", help="mutate without coverage")
    parser.add_argument("--kept", type=Path, default=INPUTS, help="the folder of stored inputs")
    options = parser.parse_args(arguments)
    guided = not options.unguided and is_guided()
    if not guided:
        print("without atheris: inputs are mutated without coverage", flush=True)
    tried, broken = 0, 0
    for name in options.target or TARGETS:
        count, text = (
            run_guided(name, options.seconds, options.seed, options.kept)
            if guided
            else run_unguided(name, options.seconds, options.seed)
        )
        tried, broken = tried + count, broken + bool(text)
        print(
            f"{name}: {count:,} inputs{', a property is broken' if text else ''}; {_cpu():,.0f} s of CPU so far",
            flush=True,
        )
        if text:
            print(text, flush=True)
    print(f"{tried:,} inputs, {broken} targets with a broken property", flush=True)
    return 1 if broken else 0


def _cpu() -> float:
    import resource

    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whose))


def is_guided() -> bool:
    """Return True if atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def run_unguided(name: str, seconds: int, seed: int) -> tuple[int, str]:
    """Return the number of inputs tried, and the report of the input that broke the property."""
    count = 0
    try:
        for each in TARGETS if name == "all" else [name]:
            count += play(each, seed=seed, seconds=seconds / (len(TARGETS) if name == "all" else 1))
    except BrokenError as error:
        return count + error.tried, "".join(traceback.format_exception(error.__cause__)) + str(error)
    return count, ""


def run_guided(name: str, seconds: int, seed: int, inputs: Path) -> tuple[int, str]:
    """Return the number of inputs that the process of a target tried, and its report of the input that broke the property."""
    folder, broken = inputs / name, inputs / "broken"
    for each in (folder, broken):
        each.mkdir(parents=True, exist_ok=True)
    for data in corpus(name):
        (folder / hashlib.sha256(data).hexdigest()[:20]).write_bytes(data)
    words = inputs / f"{name}.dict"
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
