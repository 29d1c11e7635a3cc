"""Run a piece of work in a forked child process in a prepared environment, which may be killed, unprivileged or short of space.

Modules are imported here, before the fork, so that a child takes a tenth of the time of a new interpreter, and an
unprivileged child can still use them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from feedtool.cli.main import run as run_command
from tests.support.site import environment

NOBODY = 65534
NEEDED = (
    "feedtool.cli.build", "feedtool.cli.check", "feedtool.cli.ingest", "feedtool.cli.init",
    "feedtool.cli.new", "feedtool.cli.opml", "feedtool.cli.prune", "feedtool.extract.fulltext",
    "feedtool.workers.sandbox", "feedtool.workers.pool", "feedtool.site.render", "feedtool.feedparse.worker",
    "feedtool.feeds.formats.atom", "feedtool.feeds.formats.jsonfeed", "feedtool.feeds.formats.rss", "feedtool.publish",
    "feedtool.publish.outputs", "feedtool.ingesting.engines", "feedtool.scaffold", "lxml.etree", "nh3",
    "concurrent.futures.thread", "concurrent.futures.process", "shutil",
)  # fmt: skip
Setup = Callable[[], None]


class ChildResult(NamedTuple):
    """The result of a child: its exit code (negative: the signal), its output, the value of `after`, and its seconds."""

    code: int
    output: str
    after: Any
    seconds: float

    @property
    def calm(self) -> bool:
        """Return True if the child ended by itself with a defined exit code and without a traceback."""
        return self.code in (0, 1, 2) and "Traceback" not in self.output


def feedtool(*words: str) -> Callable[[], int]:
    """Return the work of one command line."""
    return partial(run_command, list(words))


def child(
    work: Callable[[], int],
    *,
    setups: Sequence[Setup] = (),
    after: Callable[[], Any] | None = None,
    kill_after: float | None = None,
    timeout: float = 120,
) -> ChildResult:
    """Do a piece of work in a child with its own session.

    When the work is done, `after` is called there, in the same environment.
    """
    for name in NEEDED:
        import_module(name)
    with tempfile.TemporaryDirectory(prefix="child-") as scratch:
        os.chmod(scratch, 0o777)
        output, left = Path(scratch, "output"), Path(scratch, "left")
        started = time.monotonic()
        pid = os.fork()
        if not pid:
            _be(work, setups, after, output, left)
        code = _wait(pid, kill_after, timeout)
        _end_session(pid)
        text = output.read_text("utf-8", "replace") if output.exists() else ""
        value = pickle.loads(left.read_bytes()) if left.exists() and left.stat().st_size else None
        return ChildResult(code, text, value, time.monotonic() - started)


def _be(
    work: Callable[[], int], setups: Sequence[Setup], after: Callable[[], Any] | None, output: Path, left: Path
) -> None:
    """Be the child; never return."""
    code = 71
    try:
        os.setsid()
        out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        value_file = os.open(left, os.O_WRONLY | os.O_CREAT, 0o666) if after is not None else -1
        for number in (1, 2):
            os.dup2(out, number)
        sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        names = environment()
        os.environ.clear()
        os.environ.update(names)
        for setup in setups:
            setup()
        try:
            code = work()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 71
        except BaseException:  # noqa: BLE001  The traceback is printed, and `after` is called all the same.
            traceback.print_exc()
            code = 70
        sys.stdout.flush()
        sys.stderr.flush()
        if after is not None:
            _lift_limits()
            with open(value_file, "wb") as file:
                file.write(pickle.dumps(after()))
    except BaseException:  # noqa: BLE001  No exception may leave the child.
        traceback.print_exc()
    finally:
        os._exit(code)


def _wait(pid: int, kill_after: float | None, timeout: float) -> int:
    end = time.monotonic() + (timeout if kill_after is None else kill_after)
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        left = end - time.monotonic()
        if left <= 0:
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            if kill_after is None:
                raise TimeoutError(f"a child did not end within {timeout} s")
            return os.waitstatus_to_exitcode(status)
        time.sleep(min(left, 0.002))


def _end_session(pid: int) -> None:
    """Wait until all processes of a killed child have ended by themselves, so that none affects later tests."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    raise AssertionError("children outlived their parent by ten seconds")


# Environments of a child.


def nobody() -> None:
    """Become a user without rights, if this process is root."""
    if not os.geteuid():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def at_most(which: int, count: int) -> Setup:
    """Return a function that sets a limit of the system, `resource.RLIMIT_…`."""
    return lambda: resource.setrlimit(which, (count, resource.getrlimit(which)[1]))


def _lift_limits() -> None:
    for which in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        hard = resource.getrlimit(which)[1]
        resource.setrlimit(which, (hard, hard))


_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18


def own_mounts() -> None:
    """Enter a mount namespace of its own.

    Raises OSError if the system does not allow it.
    """
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", ctypes.c_int(_CLONE_NEWNS if not uid else _CLONE_NEWNS | _CLONE_NEWUSER))
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)


def full_disk(folder: Path, free: int) -> Setup:
    """Return a function that moves a folder to its own disk with `free` bytes left."""

    def setup() -> None:
        own_mounts()
        with tempfile.TemporaryDirectory() as aside:
            subprocess.run(["cp", "-a", f"{folder}/.", aside], check=True)
            _mount("tmpfs", str(folder), "tmpfs", 0, "size=16m,mode=755")
            subprocess.run(["cp", "-a", f"{aside}/.", str(folder)], check=True)
        status = os.statvfs(folder)
        (folder / ".filler").write_bytes(bytes(status.f_bavail * status.f_bsize - free))

    return setup


def read_only(folder: Path) -> Setup:
    """Return a function that makes a folder read-only by a mount."""

    def setup() -> None:
        own_mounts()
        _mount(str(folder), str(folder), None, _MS_BIND)
        _mount(str(folder), str(folder), None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY)

    return setup


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _call("mount", *encoded[:3], ctypes.c_ulong(flags), encoded[3])


def _call(name: str, *arguments: Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def can_mount() -> bool:
    """Return True if a child may have its own mounts here."""
    return child(lambda: 0, setups=[own_mounts]).code == 0
