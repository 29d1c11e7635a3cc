"""Test a map over forked children: results in order as from one process, and failures of children or the parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.support.site import environment

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")

BEGINNING = """
import os, sys, time
from feedtool.workers import forked as forks
from feedtool.workers.forked import spread

def no_children():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False
"""


def started(code: str) -> subprocess.Popen[str]:
    """Run code in a process of its own, which has no threads."""
    line = [sys.executable, "-W", "error", "-c", BEGINNING + textwrap.dedent(code)]
    return subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def played(code: str) -> str:
    with started(code) as process:
        output, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, "")
    return output


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_parallel_results_equal_serial_results(jobs: int) -> None:
    played(
        f"""
        import random
        chance = random.Random({jobs})
        items = [(number, "名\\udc80" * chance.choice([1, 100, 90_000])) for number in range(150)]
        sizes = [chance.choice([0, 10, 5_000, 3_000_000]) if number % 9 == 0 else 40 for number in range(150)]
        work = lambda item: bytes([item[0]]) * sizes[item[0]] + item[1][:2].encode("utf-8", "replace")
        assert list(spread(work, items, {jobs})) == list(map(work, items))
        assert no_children()
        """
    )


def test_unmarshallable_values_are_passed_exactly() -> None:
    played(
        """
        from datetime import date
        from feedtool.articles import Head
        class Text(str): pass
        values = [None, 1, 1.5, "a", b"", b"b", (1, [2, {"a": (3,)}]), {4, 5}, date(2020, 1, 2), Text("x")]
        values.append(Head("a.md", "", 0, 0, (), (), (), "", "", False, False, ()))
        values += [(), (b"",), (b"a", b"", b"b" * 3_000_000), (b"a",) * 3_000, (b"a", "b"), [b"a"], (b"a", bytearray(b"b"))]
        got = list(spread(lambda value: value, values, 2))
        assert got == values and list(map(type, got)) == list(map(type, values)), got
        assert list(spread(lambda value: value, [], 2)) == []
        """
    )


def test_exception_follows_the_results_before_it() -> None:
    played(
        """
        class Odd(Exception):
            def __init__(self, one, two): super().__init__(one)
        def work(number):
            if number == 7: raise KeyError("seven")
            if number == 107: raise Odd(1, 2)
            return number
        for begin, expected in ((0, KeyError), (100, RuntimeError)):
            got = []
            try:
                for value in spread(work, range(begin, begin + 50), 2): got.append(value)
            except expected as error:
                assert "in work" in error.__notes__[0]
                assert "seven" in str(error) or "Odd: 1" in str(error)
            else:
                raise AssertionError
            assert got == list(range(begin, begin + 7)) and no_children()
        """
    )


@pytest.mark.parametrize("death", ["os.kill(os.getpid(), 9)", "os._exit(3)"])
def test_dead_child_is_reported_in_one_sentence(death: str) -> None:
    output = played(
        f"""
        try:
            list(spread(lambda number: {death} if number == 5 else number, range(20), 2))
        except forks.ChildDiedError as error:
            print(error)
        assert no_children()
        """
    )
    ending = "signal 9" if "kill" in death else "exit 3"
    assert output == (
        f"a worker process ended unexpectedly ({ending}); check that there is enough memory; fewer processes (`jobs`) need less\n"
    )


def test_closed_iterator_leaves_no_children() -> None:
    played(
        """
        results = spread(lambda number: time.sleep(600 * (number > 0)) or number, range(20), 3)
        assert next(results) == 0
        results.close()
        assert no_children()
        """
    )


def test_closed_child_runs_its_cleanup(tmp_path: Path) -> None:
    played(
        f"""
        def work(number):
            name = f"{tmp_path}/{{number}}"
            if number < 2: return number
            try:
                open(name, "w").close()
                time.sleep(600)
            finally: os.unlink(name)
        forks._CLEANUP_TIMEOUT = 60  # on a busy machine, two seconds may pass before a child runs
        results = spread(work, range(20), 2)
        assert [next(results), next(results)] == [0, 1]
        while len(os.listdir("{tmp_path}")) < 2: time.sleep(0.01)
        results.close()
        assert os.listdir("{tmp_path}") == [] and no_children()
        """
    )


def test_child_stopped_inside_a_library_prints_nothing() -> None:
    played(
        """
        import nh3
        def work(number):
            cleaner = nh3.Cleaner(attribute_filter=lambda tag, name, value: time.sleep(0.02) or value)
            return cleaner.clean("<a href=/x>x</a>" * (1 + 40 * number))
        results = spread(work, range(20), 2)
        next(results)
        time.sleep(0.2)
        results.close()
        assert no_children()
        """
    )


def test_unresponsive_child_is_killed() -> None:
    played(
        """
        def work(number):
            while number:
                try: time.sleep(600)
                except BaseException: pass
            return number
        forks._CLEANUP_TIMEOUT = 0.2
        results = spread(work, range(20), 2)
        assert next(results) == 0
        results.close()
        assert no_children()
        """
    )


def test_number_of_children_follows_the_items() -> None:
    played(
        """
        def work(number):
            time.sleep(0.3)
            return os.getpid()
        real, forked = os.fork, []
        os.fork = lambda: forked.append(1) or real()
        for count in (0, 1, 2, 5, 8, 20):
            forked.clear()
            assert len(set(spread(work, range(count), 8))) == len(forked) == min(count, 8)
        """
    )


@pytest.mark.parametrize("work", ["time.sleep(600)", "time.sleep(0.2)", "b'x' * 3_000_000"])
def test_children_end_when_their_parent_is_killed(work: str) -> None:
    with started(
        f"""
        first = True
        def work(number):
            if number < 2: os.write(1, b"%d\\n" % os.getpid())
            return {work}
        for _ in spread(work, range(10_000), 2): time.sleep(0.05)
        """
    ) as process:
        assert process.stdout is not None
        children = [int(process.stdout.readline()) for _ in range(2)]
        process.kill()
    deadline = time.monotonic() + 20
    while any(map(is_there, children)):
        assert time.monotonic() < deadline, "a child outlives its parent"
        time.sleep(0.05)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize("call", ["fork", "pipe"])
@pytest.mark.parametrize("before", [0, 1])
def test_failed_fork_uses_fewer_children(call: str, before: int) -> None:
    played(
        f"""
        real, calls = os.{call}, []
        def refused():
            calls.append(1)
            if len(calls) > {before}: raise OSError(11, "no room")
            return real()
        os.{call} = refused
        open_before = len(os.listdir("/dev/fd"))
        assert list(spread(lambda number: number + 1, range(100), 4)) == list(range(1, 101))
        assert no_children() and len(os.listdir("/dev/fd")) == open_before
        """
    )


def test_few_items_are_read_ahead() -> None:
    played(
        """
        taken = []
        items = (taken.append(number) or number for number in range(1000))
        for done, value in enumerate(spread(lambda number: number, items, 2), 1):
            assert value == done - 1 and len(taken) - done <= 8
        """
    )


def test_threads_prevent_forking() -> None:
    output = played(
        """
        import threading
        from feedtool.workers.pool import Pool
        assert forks.can_fork()
        event = threading.Event()
        thread = threading.Thread(target=event.wait)
        thread.start()
        assert not forks.can_fork()
        engine = Pool(2, patience=0)
        print(set(engine(lambda _: os.getpid(), range(5))) == {os.getpid()})
        engine.close()
        event.set()
        """
    )
    assert output == "True\n"


def test_interrupt_ends_all_children() -> None:
    with started(
        """
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            for _ in spread(lambda number: time.sleep(0.05) or print(number, flush=True), range(10_000), 2): pass
        except KeyboardInterrupt:
            print("stopped", no_children())
        """
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, complaints = process.communicate(timeout=30)
    assert output.endswith("stopped True\n")
    assert complaints == ""
