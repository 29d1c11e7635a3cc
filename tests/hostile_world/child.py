"""A piece of work and a world for it in, a child of this process that does it there out: killed, out of rights or of room.

What the work needs is imported here, before the fork, so that a child takes a tenth of the time of a new interpreter, and
one without rights can still load it.
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


class Ended(NamedTuple):
    """How a child ended: its exit code (negative: the signal), what it printed, what `after` returned, in seconds."""

    code: int
    said: str
    after: Any
    seconds: float

    @property
    def calm(self) -> bool:
        """Whether it ended by itself, with an exit code that has a meaning and without a traceback."""
        return self.code in (0, 1, 2) and "Traceback" not in self.said


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
) -> Ended:
    """Do a piece of work in a child of its own session; `after` is called there, in the same world, when it is done."""
    for name in NEEDED:
        import_module(name)
    with tempfile.TemporaryDirectory(prefix="child-") as scratch:
        os.chmod(scratch, 0o777)
        said, left = Path(scratch, "said"), Path(scratch, "left")
        started = time.monotonic()
        pid = os.fork()
        if not pid:
            _be(work, setups, after, said, left)
        code = _wait(pid, kill_after, timeout)
        _end_session(pid)
        text = said.read_text("utf-8", "replace") if said.exists() else ""
        value = pickle.loads(left.read_bytes()) if left.exists() and left.stat().st_size else None
        return Ended(code, text, value, time.monotonic() - started)


def _be(
    work: Callable[[], int], setups: Sequence[Setup], after: Callable[[], Any] | None, said: Path, left: Path
) -> None:
    """Be the child: never returns."""
    code = 71
    try:
        os.setsid()
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        kept = os.open(left, os.O_WRONLY | os.O_CREAT, 0o666) if after is not None else -1
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
        except BaseException:  # noqa: BLE001  It is told, and what follows is looked at all the same.
            traceback.print_exc()
            code = 70
        sys.stdout.flush()
        sys.stderr.flush()
        if after is not None:
            _lift_limits()
            with open(kept, "wb") as file:
                file.write(pickle.dumps(after()))
    except BaseException:  # noqa: BLE001  Nothing may come back from a child.
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
                raise TimeoutError(f"a child was not done after {timeout} s")
            return os.waitstatus_to_exitcode(status)
        time.sleep(min(left, 0.002))


def _end_session(pid: int) -> None:
    """End what a killed child left running, so that it bears on nothing that follows; it is given the time to see itself."""
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


# What a world may be like.


def nobody() -> None:
    """Be a user whom permissions keep out, where we are root."""
    if not os.geteuid():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def at_most(which: int, count: int) -> Setup:
    """Return what sets a limit of the system: `resource.RLIMIT_…`."""
    return lambda: resource.setrlimit(which, (count, resource.getrlimit(which)[1]))


def _lift_limits() -> None:
    for which in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        hard = resource.getrlimit(which)[1]
        resource.setrlimit(which, (hard, hard))


_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18


def own_mounts() -> None:
    """Have mounts that nobody else sees; raises OSError where the system does not let us."""
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", ctypes.c_int(_CLONE_NEWNS if not uid else _CLONE_NEWNS | _CLONE_NEWUSER))
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)


def full_disk(folder: Path, free: int) -> Setup:
    """Return what moves a folder to a disk of its own that has `free` bytes left."""

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
    """Return what makes a folder one of a disk that can't be written to."""

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
    """Say whether a child may have mounts of its own here."""
    return child(lambda: 0, setups=[own_mounts]).code == 0
