"""Every fault of `faults` before its command: a clear end, nothing half-written, nothing of others touched, and recovery."""

from __future__ import annotations

import errno
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feedtool import storage
from feedtool.storage import prefixes
from tests.hostile_world.child import can_mount, child, feedtool
from tests.hostile_world.faults import FAULTS, Fault
from tests.hostile_world.yard import Yard, copied, held, owned, template
from tests.reliability.results import FULL


@pytest.fixture(scope="module")
def first() -> Iterator[Yard]:
    with template() as made:
        yield made


@pytest.fixture
def yard(first: Yard) -> Iterator[Yard]:
    with copied(first) as made:
        yield made


def test_fault_list_is_long_and_unique() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 100


def of(kind: str) -> pytest.MarkDecorator:
    some = [fault for fault in FAULTS if fault.kind == kind]
    return pytest.mark.parametrize("fault", some, ids=[fault.name.replace(" ", "-") for fault in some])


@pytest.mark.fault_class("files.links")
@of("links")
def test_links_out_of_the_folders_are_not_followed(yard: Yard, fault: Fault) -> None:
    meet(yard, fault)


@pytest.mark.fault_class("files.kinds")
@of("kinds")
def test_special_files_are_not_read_or_replaced(yard: Yard, fault: Fault) -> None:
    meet(yard, fault)


@pytest.mark.fault_class("files.rights")
@of("rights")
def test_permission_errors_affect_only_their_file(yard: Yard, fault: Fault) -> None:
    meet(yard, fault)


@pytest.mark.fault_class("files.disk")
@of("disk")
def test_full_or_read_only_disk_leaves_no_partial_file(yard: Yard, fault: Fault) -> None:
    if "disk" in fault.name and not can_mount():
        assert not os.environ.get("FEEDTOOL_CI"), "mounts are not allowed, and FEEDTOOL_CI lets nothing be skipped"
        pytest.skip("mounts are not allowed here")
    meet(yard, fault)


@pytest.mark.fault_class("files.change")
@of("change")
def test_concurrent_file_changes_are_reported(yard: Yard, fault: Fault) -> None:
    meet(yard, fault)


def meet(yard: Yard, fault: Fault) -> None:
    """Arrange a fault, let its command meet it, see that it was good; then take the fault away and build."""
    fault.arrange(yard)
    if not os.geteuid() and fault.kind == "rights":
        owned(yard.site)
    yard.before = yard.look()
    words = [word.format(outside=yard.outside) for word in fault.command]
    ended = yard.run(*words, setups=fault.setups(yard), after=lambda: (held_here(yard), yard.halves(), yard.look()))
    assert ended.calm, ended.said[-3000:]
    assert ended.code in fault.codes, ended.said[-2000:]
    assert fault.word in ended.said, ended.said[-2000:]
    assert ended.after is not None
    files, halves, outside = ended.after
    assert outside == {name: told for name, told in yard.before.items() if name in outside}
    assert halves == [] or "temporary name" in fault.name
    if fault.command[0] == "build":
        assert_whole(files, yard)
    if FULL or FAULTS.index(fault) % 3 == 0:
        recover(yard, fault)


def held_here(yard: Yard) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    if (yard.site / "public").is_symlink():
        return found
    for folder, _, names in os.walk(yard.site / "public"):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK):
                found[path.relative_to(yard.site).as_posix()] = path.read_bytes()
    return found


def assert_whole(files: dict[str, bytes], yard: Yard) -> None:
    """Every feed and page that is there is as it was or as it is to be, or leaves out what could not be read."""
    for name, data in files.items():
        if name in yard.old or name in yard.new:
            assert data in (yard.old.get(name), yard.new.get(name)) or whole(name, data), name


def whole(name: str, data: bytes) -> bool:
    end = {".xml": (b"</feed>\n", b"</rss>\n", b"</urlset>\n"), ".json": (b"}\n",), ".html": (b"</html>\n",)}
    kinds = end.get(os.path.splitext(name)[1], (b"",))
    return data.endswith(kinds)


def recover(yard: Yard, fault: Fault) -> None:
    for folder, folders, names in os.walk(yard.site):
        for name in (".", *folders, *names):
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
    if not fault.converges or fault.command[0] != "build":
        return
    for name in sorted(
        path for path in yard.site.rglob("*") if path.is_symlink() or path.is_fifo() or path.is_socket()
    ):
        name.unlink()
    for name in (
        "articles/x.md",
        "articles/y.md",
        "articles/Wire",
        "articles/x",
        "templates",
        ".feedtool",
        "public/atom.xml.feedtool-new",
    ):
        path = yard.site / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
    for path in (
        yard.site / "public" / "atom.xml",
        yard.site / "public" / ".feedtool-manifest",
        yard.site / "feedtool.state",
    ):
        if path.is_dir():
            shutil.rmtree(path)
    if (yard.site / "public" / "categories").is_file():
        (yard.site / "public" / "categories").unlink()
    if "manifest" in fault.name:
        # Whoever loses the list has to say himself that what is there is feedtool's.
        shutil.rmtree(yard.site / "public")
    ended = yard.build()
    assert ended.code == 0, ended.said[-2000:]
    want = {name: data for name, data in yard.new.items() if name.startswith("public/")}
    have = {name: data for name, data in held(yard.site).items() if name.startswith("public/")}
    foreign = {"public/CNAME", "public/photos/x.jpg"}
    assert {n: d for n, d in have.items() if n not in foreign} == {n: d for n, d in want.items() if n not in foreign}


@pytest.mark.fault_class("files.rights")
@pytest.mark.parametrize("bits", [0o644, 0o600, 0o664, 0o640, 0o444, 0o755])
def test_rewritten_files_keep_owner_and_permissions(yard: Yard, bits: int) -> None:
    paths = [yard.site / "public" / name for name in ("atom.xml", "feed.json", ".feedtool-manifest")]
    paths.append(yard.site / "articles" / "b.md")
    before = {}
    for path in paths:
        path.chmod(bits)
        if not os.geteuid():
            os.chown(path, 12345, 54321)
        before[path] = (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid, path.stat().st_ino)
    assert yard.build().code == 0
    assert yard.run("check", "--fix").code == 0
    for path, (*rights, inode) in before.items():
        now = path.stat()
        assert [now.st_mode, now.st_uid, now.st_gid] == rights, path
        assert now.st_ino != inode, f"{path} was not written anew"


@pytest.mark.fault_class("files.rights")
def test_hard_link_to_an_output_file_keeps_old_bytes(yard: Yard) -> None:
    other = yard.outside / "linked.xml"
    os.link(yard.site / "public" / "atom.xml", other)
    before = other.read_bytes()
    assert yard.build().code == 0
    assert other.read_bytes() == before != (yard.site / "public" / "atom.xml").read_bytes()


@pytest.mark.fault_class("files.kinds")
@pytest.mark.parametrize("place", ["/dev/null", "fifo", "link", "folder"])
def test_opml_export_replaces_only_regular_files(yard: Yard, place: str) -> None:
    target = Path(place) if place.startswith("/") else yard.outside / place
    if place == "fifo":
        os.mkfifo(target)
    elif place == "link":
        target.symlink_to(yard.outside / "secret.md")
    elif place == "folder":
        target.mkdir()
    was = (target.lstat().st_mode, target.lstat().st_ino)
    ended = child(feedtool("-C", str(yard.site), "opml", "export", "-o", str(target)))
    assert ended.code == 2, ended.said
    assert str(target) in ended.said
    assert (target.lstat().st_mode, target.lstat().st_ino) == was
    assert (yard.outside / "secret.md").read_text().startswith("---")


@pytest.mark.fault_class("files.kinds")
def test_longest_file_names_are_written(tmp_path: Path, tally: Callable[[int], None]) -> None:
    names = ["x" * 255, "x" * 243, "長" * 85, "é" * 127]
    for name in names:
        storage.write(str(tmp_path / name), b"1")
        storage.write(str(tmp_path / name), b"2")
        storage.create(str(tmp_path / name[:-1]), b"3")
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"2", b"3"}
    with pytest.raises(OSError, match="long") as caught:
        storage.write(str(tmp_path / ("x" * 256)), b"")
    assert caught.value.errno == errno.ENAMETOOLONG
    assert not list(tmp_path.glob("*.feedtool-new"))
    tally(len(names) + 1)


@pytest.mark.fault_class("files.disk")
@pytest.mark.parametrize("cold", [False, True])
def test_low_open_file_limit_loses_no_article(
    tmp_path: Path, tally: Callable[[int], None], cold: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefixes._speed, "is_cold", cold)
    paths = [str(tmp_path / f"{number}.md") for number in range(300)]
    for path in paths:
        Path(path).write_text(path)

    def unread() -> int:
        few = max(map(int, os.listdir("/proc/self/fd"))) + 5
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, few))
        return sum(data != path.encode() for path, data in zip(paths, storage.read_prefixes(paths, 4096), strict=True))

    assert child(unread).code == 0
    tally(len(paths))
