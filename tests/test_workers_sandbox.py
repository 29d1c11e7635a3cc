"""Test that a job that hangs, crashes, raises or uses too much memory fails alone and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from feedtool.workers.sandbox import JobFailure, Limits, Sandbox

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

LIMITS = Limits(cpu=1, wall=60.0, memory=150_000_000, result=1_000_000)
LEAKED: list[bytearray] = []


def behave(job: str) -> object:
    """Do what the job says."""
    name, _, value = job.partition(" ")
    if name == "spin":
        while True:
            pass
    if name == "sleep":
        time.sleep(float(value))
    if name == "raise":
        raise ValueError(value)
    if name == "panic":
        raise BaseException(value)
    if name == "exit":
        os._exit(int(value))
    if name == "kill":
        os.kill(os.getpid(), int(value))
    if name == "eat":
        return len(bytearray(int(value)))
    if name == "shout":
        return "x" * int(value)
    if name == "leave":
        LEAKED.append(bytearray(b"x") * int(value))
    if name in ("size", "leave"):
        # Pages of libraries are excluded, because the system maps and reclaims them at any time.
        with open("/proc/self/statm") as file:
            _, resident, shared, *_ = map(int, file.read().split())
        return os.getpid(), (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    if name == "orphan":
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(1)
    if name == "held":
        return [
            os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if int(number) > 2
        ]
    if name == "lambda":
        return lambda: None
    return job


def _run(jobs: list[str], workers: int = 2, limits: Limits = LIMITS) -> dict[str, object]:
    return dict(Sandbox(workers, limits=limits)(behave, iter(jobs)))


def _children() -> set[str]:
    with open(f"/proc/{os.getpid()}/task/{os.getpid()}/children") as file:
        return set(file.read().split())


@pytest.mark.parametrize(
    ("job", "kind"),
    [
        ("spin", "cpu"),
        ("raise no", "error"),
        ("panic no", "error"),
        ("exit 0", "crash"),
        ("exit 3", "crash"),
        (f"kill {int(signal.SIGUSR1)}", "crash"),
        (f"kill {int(signal.SIGKILL)}", "memory"),
        ("eat 900000000", "memory"),
        ("shout 2000000", "result"),
        ("lambda", "error"),
    ],
)
def test_bad_job_is_lost_alone(job: str, kind: str) -> None:
    good = [f"good {number}" for number in range(9)]
    done = _run([*good[:4], job, *good[4:]])
    failure = done.pop(job)
    assert isinstance(failure, JobFailure)
    assert failure.kind == kind
    assert done == {name: name for name in good}


def test_waiting_job_is_ended_by_wall_clock() -> None:
    done = _run(["sleep 60", "good"], workers=1, limits=Limits(wall=0.3))
    assert isinstance(done["sleep 60"], JobFailure)
    assert done["sleep 60"].kind == "wall"
    assert done["good"] == "good"


def test_results_come_in_completion_order() -> None:
    order = [job for job, _ in Sandbox(2, limits=LIMITS)(behave, ["sleep 0.5", "a", "b"])]
    assert order.index("a") < order.index("sleep 0.5")


def test_large_jobs_and_results_are_complete() -> None:
    jobs = ["x" * 3_000_000 + str(number) for number in range(4)]
    limits = Limits(memory=500_000_000)
    assert _run(jobs, limits=limits) == {job: job for job in jobs}


def test_jobs_are_read_only_when_workers_are_free() -> None:
    requested: list[int] = []

    def jobs() -> Iterator[str]:
        for number in range(100):
            requested.append(number)
            yield str(number)

    running = Sandbox(2, limits=LIMITS)(behave, jobs())
    next(running)
    assert len(requested) <= 6
    running.close()  # type: ignore[attr-defined]


def test_preparation_runs_once_and_only_for_jobs() -> None:
    prepared: list[str] = []
    for jobs, times in (([], 0), (["a", "exit 1", "b", "c"], 1)):
        run = Sandbox(2, limits=LIMITS, prepare=lambda: prepared.append(""))
        assert len(list(run(behave, jobs))) == len(jobs)
        assert len(prepared) == times


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs /proc")
def test_child_inherits_no_file_or_connection(tmp_path) -> None:
    with (tmp_path / "secret").open("w") as file, socket.create_server(("127.0.0.1", 0)):
        assert not os.path.isdir(file.name)
        for paths in _run(["held", "held "], workers=2).values():
            assert isinstance(paths, list)
            assert file.name not in paths
            assert sum("socket:" in place for place in paths) == 1


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs /proc")
def test_sandbox_leaves_no_children_or_sockets() -> None:
    before, open_before = _children(), len(os.listdir("/proc/self/fd"))
    _run(["a", "exit 1", "raise x", "b", "exit 2", "spin"])
    abandoned = Sandbox(3, limits=LIMITS)(behave, ["sleep 30", "c"])
    next(abandoned)
    abandoned.close()  # type: ignore[attr-defined]
    assert _children() == before
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_job_iterator_exceptions_reach_the_caller() -> None:
    def jobs() -> Iterator[str]:
        yield "a"
        raise KeyError("made badly")

    with pytest.raises(KeyError):
        list(Sandbox(1, limits=LIMITS)(behave, jobs()))


def test_jobs_run_in_process_without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    engine = Sandbox(2)
    done = dict(engine(behave, ["a", "raise x"]))
    assert engine.note
    assert done["a"] == "a"
    assert isinstance(done["raise x"], JobFailure)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_leaking_child_is_replaced_by_a_small_one() -> None:
    # This runs in its own process, because other tests may leave free memory that a child returns when it starts to
    # work.
    code = "from tests.test_workers_sandbox import check_leaking_child; check_leaking_child()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def check_leaking_child() -> None:
    sizes: dict[str, tuple[int, int]] = {}
    grown = []
    for job, result in Sandbox(1, limits=Limits(left=20_000_000))(
        behave, ["size", "leave 80000000", "size 2", "size 3"]
    ):
        assert isinstance(result, tuple)
        sizes[job] = result
        grown.append(bytearray(b"x") * 50_000_000)
    pids = {job: pid for job, (pid, _) in sizes.items()}
    assert pids["size"] == pids["leave 80000000"] != pids["size 2"] == pids["size 3"], sizes
    assert sizes["leave 80000000"][1] > sizes["size"][1] + 20_000_000, sizes
    assert sizes["size 2"][1] < sizes["size"][1] + 10_000_000, sizes


def test_killed_fork_server_is_replaced() -> None:
    jobs = ["a", "orphan", "b", "c", "exit 1", "d"]
    done = _run(jobs, workers=1)
    assert {job for job, result in done.items() if isinstance(result, JobFailure)} == {"orphan", "exit 1"}
    assert set(done) == set(jobs)
