"""Test that Ctrl-C and SIGTERM end every command soon, release the lock, and leave whole files, none repeated."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bench.corpus import generate
from tests.reliability.results import trials
from tests.support.server import Server, drip, hang, page, serve
from tests.support.site import SETTINGS, article, build, command, environment, make_site, run, tree, write
from tests.support.striking import CODES, SOON, STOPPED, SignalledCommand

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
FEEDS, MISSING, SLOW, SILENT = 140, 30, 20, 10
ENTRIES = 3
ITEM = """<item><title>{name} {n}</title><link>https://news.example/{name}/{n}</link><guid>{name}-{n}</guid>
<pubDate>Mon, 23 Nov 2020 1{n}:00:00 GMT</pubDate>
<description>&lt;p&gt;{text}The end of {name} {n}.&lt;/p&gt;</description></item>"""
FEED = '<rss version="2.0"><channel><title>{0}</title><link>https://news.example/</link>{1}</channel></rss>'
GUID = re.compile(rb"(?m)^guid: (\S+)$")


def feed(name: str) -> str:
    """Return a feed with some entries."""
    text = "What happens next depends on the weather, she added. " * 20
    return FEED.format(name, "".join(ITEM.format(name=name, n=n, text=text) for n in range(ENTRIES)))


@pytest.fixture(scope="module")
def world() -> Iterator[Server]:
    """Yield a server with 200 sources: feeds, missing ones, slow ones, and some that never answer."""
    pages = {f"/feed{n}": page(feed(f"feed{n}"), etag="auto", delay=n % 7 / 100) for n in range(FEEDS)}
    pages |= {f"/slow{n}": drip(every=0.02) for n in range(SLOW)}
    pages |= {f"/silent{n}": hang() for n in range(SILENT)} | {"/silent/": hang()}
    with serve(pages, lifetime=3600) as server:
        yield server


def settings(server: Server, *, more: str = "") -> str:
    """Return the settings of a site with these sources."""
    counts = {"feed": FEEDS, "missing": MISSING, "slow": SLOW, "silent": SILENT}
    names = [f"{kind}{n}" for kind, count in counts.items() for n in range(count)]
    random.Random(3).shuffle(names)
    tables = [f'[[sources]]\nname = "{name}"\nurl = "{server.url("/" + name)}"\n{more}' for name in names]
    return f'{SETTINGS}[ingest]\nallow_private_hosts = ["127.0.0.1"]\ntimeout = 1\nper_host = 40\n{"".join(tables)}'


def assert_whole(site: Path) -> None:
    """Check that every article is complete, and none is there twice."""
    guids = Counter[bytes]()
    for path, data in tree(site / "articles").items():
        if path.endswith(".md"):
            assert data.startswith(b"---\n"), path
            guids.update(GUID.findall(data))
            assert re.search(rb"The end of feed\d+ \d\.", data), path
    assert guids.total() == len(guids)


def assert_complete(site: Path) -> None:
    """Ingest the remaining sources, and check that every article is there once."""
    done = run("ingest", "-C", str(site), "--json")
    assert done.exit_code == 1, done.stderr
    assert_whole(site)
    assert sum(path.endswith(".md") for path in tree(site / "articles")) == FEEDS * ENTRIES


@pytest.mark.slow
def test_ingest_ends_soon_at_any_moment(world: Server, tmp_path: Path) -> None:
    chance = random.Random(25)
    count, ended, sites, longest = trials(14, 200), 0, 0, 0.0
    while ended < count:
        site = make_site(tmp_path / f"site{sites}", {}, settings(world))
        sites += 1
        for _ in range(4):
            number = chance.choice((signal.SIGINT, signal.SIGINT, signal.SIGTERM))
            again = chance.choice((0, 0, 0.01, 0.1, 0.4))
            struck = SignalledCommand(
                site,
                "ingest",
                after=chance.random() ** 2 * 2.0,
                number=number,
                again=again,
                group=chance.random() < 0.3,
            )
            struck.check(number)
            assert_whole(site)
            if struck.code in (0, 1, None):
                break
            ended, longest = ended + 1, max(longest, struck.seconds)
        if sites % 4 == 1:
            assert_complete(site)
    print(f"{ended} of {ended} interrupts in {sites} sites, the longest took {longest:.2f} s")


def test_completed_sources_are_saved_on_interrupt(world: Server, tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {}, settings(world))

    def most_feeds_are_read() -> bool:
        return len(os.listdir(site / "articles")) > FEEDS // 2

    command = SignalledCommand(site, "ingest", "--jobs", "1", number=signal.SIGINT, ready=most_feeds_are_read)
    command.check(signal.SIGINT)
    assert command.code == 130
    names = {path.split("/")[0] for path in tree(site / "articles")}
    assert len(names) > 20
    world.clear()
    assert_complete(site)
    visited = {one.path[1:] for one in world.log}
    # The signal may come while one source is being written or recorded: that one is visited again.
    assert len(names & visited) <= 1
    assert len(visited) < FEEDS


HOOK = """import asyncio.events, os, signal
real, count = asyncio.events.Handle._run, [0]
def run(self):
    if "wakeup" in repr(self._callback).lower():
        count[0] += 1
        if count[0] == int(os.environ["STRIKE"]):
            try:
                signal.raise_signal(int(os.environ["NUMBER"]))
            except BaseException:
                os.write(2, b"raised in a callback")
                raise
    return real(self)
asyncio.events.Handle._run = run
"""


@pytest.mark.parametrize(("strike", "number"), [*zip(range(3, 40, 6), itertools.cycle(CODES), strict=False)])
def test_ingest_ends_during_a_task_wakeup(world: Server, tmp_path: Path, strike: int, number: int) -> None:
    """A signal that raised during a callback of the event loop would lose the wake-up, and the run would hang."""
    site = make_site(tmp_path / "site", {}, settings(world))
    write(tmp_path / "hook/sitecustomize.py", HOOK)
    env = environment({"STRIKE": str(strike), "NUMBER": str(int(number))})
    env["PYTHONPATH"] = f"{tmp_path / 'hook'}{os.pathsep}{env['PYTHONPATH']}"
    done = subprocess.run(
        command("ingest", "-C", str(site)), env=env, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (CODES[signal.Signals(number)], STOPPED)


API = """
import signal, sys, threading, time
from feedtool.http import Limits, Request, fetch
def visit():
    limits = Limits(allow_private_hosts=("127.0.0.1",), per_host=5)
    return list(fetch([Request(url=url, key=url) for url in sys.argv[2:]], limits))
def later():
    time.sleep(0.5)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
threading.Thread(target=later, daemon=True).start()
"""
WAYS = {
    "in the main thread": """
try:
    visit()
except KeyboardInterrupt:
    print("stopped", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
""",
    "in another thread": """
worker = threading.Thread(target=visit, daemon=True)
worker.start()
try:
    worker.join(20)
except KeyboardInterrupt:
    print("stopped", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
""",
    "with a handler of its own": """
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
answers = visit()
print("stopped", heard == [1] and len(answers) == 1 and signal.getsignal(signal.SIGINT) is not signal.default_int_handler)
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_library_callers_keep_their_signal_handlers(world: Server, way: str) -> None:
    path = "/feed6" if way == "with a handler of its own" else "/silent1"
    started = time.monotonic()
    code = f"{API}{WAYS[way]}" if path == "/silent1" else f"{API}{WAYS[way]}".replace("0.5", "0.01")
    done = subprocess.run(
        [sys.executable, "-c", code, "x", world.url(path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("stopped True\n", "")
    assert time.monotonic() - started < 8


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a site with 500 articles with pages, to copy."""
    site = tmp_path_factory.mktemp("large") / "site"
    generate(site, 500, body=(1_000, 4_000))
    return site


def ready_to_build(large: Path, place: Path) -> Path:
    """Return a copy of the site that is not built yet."""
    subprocess.run(["cp", "-r", str(large), str(place)], check=True)
    return place


LEFT = ("manifest", ".feedtool-new")
COMMANDS: dict[str, tuple[str, ...]] = {
    "build": ("build",),
    "build in one process": ("build", "--jobs", "1"),
    "check --fix": ("check", "--fix"),
    "prune": ("prune", "--keep-last", "1"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", COMMANDS)
def test_article_commands_end_soon_at_any_moment(large: Path, tmp_path: Path, kind: str) -> None:
    chance = random.Random(kind)
    site = ready_to_build(large, tmp_path / "site")
    expected = tree(site / "articles").keys()
    for _ in range(trials(4, 40)):
        number = chance.choice(list(CODES))
        struck = SignalledCommand(
            site, *COMMANDS[kind], after=chance.random() * 0.8, number=number, group=chance.random() < 0.5
        )
        struck.check(number)
    assert tree(site / "articles").keys() >= expected
    # A run that had to end at once may leave a temporary file; the next build removes it.
    assert not [path for path, data in tree(site / "public").items() if not data and not path.endswith(LEFT)]
    assert build(site).exit_code in (0, 1)
    fresh = ready_to_build(large, tmp_path / "fresh")
    if kind != "check --fix":
        build(fresh)
        assert tree(site / "public") == tree(fresh / "public")


@pytest.mark.parametrize("number", CODES)
def test_serve_ends_soon(large: Path, tmp_path: Path, number: int) -> None:
    site = ready_to_build(large, tmp_path / "site")
    with subprocess.Popen(
        command("serve", "-C", str(site), "--port", "0"), env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while "serving" not in process.stdout.readline():
            assert process.poll() is None
        struck = time.monotonic()
        process.send_signal(number)
        code = process.wait(30)
        assert time.monotonic() - struck < SOON
    assert code == 0


WAITING: dict[str, Callable[[Server], tuple[str, ...]]] = {
    "add": lambda server: ("add", server.url("/silent1")),
    "check --against": lambda server: ("check", "--against", server.url("/silent/")),
    "ingest of one source": lambda _: ("ingest", "silent2"),
    "full text": lambda _: ("ingest", "feed1"),
}


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("kind", WAITING)
def test_commands_waiting_for_a_server_end_soon(world: Server, tmp_path: Path, kind: str, number: int) -> None:
    site = make_site(tmp_path / "site", {"a.md": article("A")}, settings(world).replace("timeout = 1", "timeout = 60"))
    if kind == "full text":
        pytest.importorskip("trafilatura")
        text = FEED.format("x", ITEM.format(name="x", n=1, text="")).replace(
            "https://news.example/x/1", world.url("/silent3")
        )
        world.set("/full", page(text))
        source = f'[[sources]]\nname = "full"\nurl = "{world.url("/full")}"\nfull_text = true\n'
        write(site / "feedtool.toml", settings(world).replace("timeout = 1", "timeout = 60") + source)
    words = ("ingest", "full") if kind == "full text" else WAITING[kind](world)
    assert build(site).exit_code == 0
    world.clear()
    with subprocess.Popen(
        command(*words, "-C", str(site)), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        until = time.monotonic() + 30
        while not any(one.path.startswith("/silent") for one in world.log):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.05)
        struck = time.monotonic()
        process.send_signal(number)
        output = process.communicate(timeout=30)[1]
        assert time.monotonic() - struck < SOON
    assert (process.returncode, output) == (CODES[signal.Signals(number)], STOPPED)


def test_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    """As for a run in the background of a shell (`nohup`, `&`)."""
    site = make_site(tmp_path / "site", {"a.md": article("A")})
    code = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); from feedtool.__main__ import main; "
        "import feedtool.cli.main as c; r = c.run; c.run = lambda: (os.kill(os.getpid(), signal.SIGINT), r())[1]; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, "-C", str(site), "build"], env=environment(), check=False)
    assert done.returncode == 0


IN_CALLBACK = """
import os, signal, sys
from feedtool.html.sanitize import _Addresses
real = _Addresses.link
def link(self, value):
    signal.raise_signal(int(os.environ["NUMBER"]))
    return real(self, value)
_Addresses.link = link
"""
CALLERS = {
    "command": "sys.argv = ['feedtool', 'build', '--jobs', '1']\nfrom feedtool.__main__ import main\nmain()",
    "library": "import feedtool\ntry:\n    feedtool.build(jobs=1)\n"
    "except KeyboardInterrupt:\n    sys.exit(130 * (signal.getsignal(signal.SIGINT) is signal.default_int_handler))",
}


@pytest.mark.parametrize(
    ("caller", "number"), [("command", signal.SIGINT), ("command", signal.SIGTERM), ("library", signal.SIGINT)]
)
def test_interrupt_in_a_callback_drops_no_attribute(tmp_path: Path, caller: str, number: int) -> None:
    """The sanitizer swallows exceptions of its callback and drops the attribute; the build must not publish that."""
    site = make_site(tmp_path / "site", {"a.md": article("A", body='<p><a href="https://a.example/x">link</a></p>')})
    done = subprocess.run(
        [sys.executable, "-c", IN_CALLBACK + CALLERS[caller]],
        cwd=site,
        env=environment({"NUMBER": str(int(number))}),
        stderr=subprocess.DEVNULL,
        timeout=30,
        check=False,
    )
    assert done.returncode == CODES[signal.Signals(number)]
    assert build(site).exit_code == 0
    assert b"https://a.example/x" in (site / "public/atom.xml").read_bytes()


LOST_INTERRUPT = """
import os, sys, time
from feedtool import interrupts
interrupts.install()
number = int(sys.argv[1])
while True:
    try:
        os.kill(os.getpid(), number)
        time.sleep(60)
    except BaseException:
        number = 0
"""
FORKED = """
import os, sys
from feedtool import interrupts
interrupts.install()
pid = os.fork()
try:
    if pid == 0:
        os.kill(os.getpid(), int(sys.argv[1]))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
finally:
    print(os.getpid())
"""


def ended(code: str, number: int) -> tuple[int, list[str], str]:
    """Run Python code with a signal's number; return its exit code and its output."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(int(number))],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout.split(), done.stderr


@pytest.mark.parametrize("number", CODES)
def test_run_ends_even_if_the_interrupt_is_lost(number: int) -> None:
    started = time.monotonic()
    assert ended(LOST_INTERRUPT, number) == (CODES[signal.Signals(number)], [], "error: stopped\n")
    assert time.monotonic() - started < SOON + 1


@pytest.mark.parametrize("number", CODES)
def test_interrupted_fork_never_runs_parent_code(number: int) -> None:
    code, output, complaints = ended(FORKED, number)
    assert (code, output[0], len(output), complaints) == (0, str(CODES[signal.Signals(number)]), 2, "")
