"""Test that every fault of `faults` ends its command clearly, leaves no partial file, and does not prevent the next build."""

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
from tests.hostile_world.guarded_site import GuardedSite, copied, owned, site_files, template
from tests.reliability.results import FULL


@pytest.fixture(scope="module")
def first() -> Iterator[GuardedSite]:
    with template() as new_site:
        yield new_site


@pytest.fixture
def guarded(first: GuardedSite) -> Iterator[GuardedSite]:
    with copied(first) as copy:
        yield copy


def test_fault_list_is_long_and_unique() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 100


def of(kind: str) -> pytest.MarkDecorator:
    some = [fault for fault in FAULTS if fault.kind == kind]
    return pytest.mark.parametrize("fault", some, ids=[fault.name.replace(" ", "-") for fault in some])


@pytest.mark.fault_class("files.links")
@of("links")
def test_links_out_of_the_folders_are_not_followed(guarded: GuardedSite, fault: Fault) -> None:
    meet(guarded, fault)


@pytest.mark.fault_class("files.kinds")
@of("kinds")
def test_special_files_are_not_read_or_replaced(guarded: GuardedSite, fault: Fault) -> None:
    meet(guarded, fault)


@pytest.mark.fault_class("files.rights")
@of("rights")
def test_permission_errors_affect_only_their_file(guarded: GuardedSite, fault: Fault) -> None:
    meet(guarded, fault)


@pytest.mark.fault_class("files.disk")
@of("disk")
def test_full_or_read_only_disk_leaves_no_partial_file(guarded: GuardedSite, fault: Fault) -> None:
    if "disk" in fault.name and not can_mount():
        assert not os.environ.get("FEEDTOOL_CI"), "mounts are not allowed, and FEEDTOOL_CI forbids skips"
        pytest.skip("mounts are not allowed here")
    meet(guarded, fault)


@pytest.mark.fault_class("files.change")
@of("change")
def test_concurrent_file_changes_are_reported(guarded: GuardedSite, fault: Fault) -> None:
    meet(guarded, fault)


def meet(guarded: GuardedSite, fault: Fault) -> None:
    """Set up a fault, run its command, check the result, then remove the fault and build."""
    fault.arrange(guarded)
    if not os.geteuid() and fault.kind == "rights":
        owned(guarded.site)
    guarded.before = guarded.foreign_files()
    words = [word.format(outside=guarded.outside) for word in fault.command]
    result = guarded.run(
        *words,
        setups=fault.setups(guarded),
        after=lambda: (existing_files(guarded), guarded.halves(), guarded.foreign_files()),
    )
    assert result.calm, result.output[-3000:]
    assert result.code in fault.codes, result.output[-2000:]
    assert fault.word in result.output, result.output[-2000:]
    assert result.after is not None
    files, halves, outside = result.after
    assert outside == {name: description for name, description in guarded.before.items() if name in outside}
    assert halves == [] or "temporary name" in fault.name
    if fault.command[0] == "build":
        assert_whole(files, guarded)
    if FULL or FAULTS.index(fault) % 3 == 0:
        recover(guarded, fault)


def existing_files(guarded: GuardedSite) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    if (guarded.site / "public").is_symlink():
        return files
    for folder, _, names in os.walk(guarded.site / "public"):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK):
                files[path.relative_to(guarded.site).as_posix()] = path.read_bytes()
    return files


def assert_whole(files: dict[str, bytes], guarded: GuardedSite) -> None:
    """Assert that every feed and page is old or new, or leaves out an unreadable article."""
    for name, data in files.items():
        if name in guarded.old or name in guarded.new:
            assert data in (guarded.old.get(name), guarded.new.get(name)) or whole(name, data), name


def whole(name: str, data: bytes) -> bool:
    end = {".xml": (b"</feed>\n", b"</rss>\n", b"</urlset>\n"), ".json": (b"}\n",), ".html": (b"</html>\n",)}
    kinds = end.get(os.path.splitext(name)[1], (b"",))
    return data.endswith(kinds)


def recover(guarded: GuardedSite, fault: Fault) -> None:
    for folder, folders, names in os.walk(guarded.site):
        for name in (".", *folders, *names):
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
    if not fault.converges or fault.command[0] != "build":
        return
    for name in sorted(
        path for path in guarded.site.rglob("*") if path.is_symlink() or path.is_fifo() or path.is_socket()
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
        path = guarded.site / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
    for path in (
        guarded.site / "public" / "atom.xml",
        guarded.site / "public" / ".feedtool-manifest",
        guarded.site / "feedtool.state",
    ):
        if path.is_dir():
            shutil.rmtree(path)
    if (guarded.site / "public" / "categories").is_file():
        (guarded.site / "public" / "categories").unlink()
    if "manifest" in fault.name:
        # Without the manifest, the user must confirm that the files belong to feedtool.
        shutil.rmtree(guarded.site / "public")
    result = guarded.build()
    assert result.code == 0, result.output[-2000:]
    want = {name: data for name, data in guarded.new.items() if name.startswith("public/")}
    have = {name: data for name, data in site_files(guarded.site).items() if name.startswith("public/")}
    foreign = {"public/CNAME", "public/photos/x.jpg"}
    assert {n: d for n, d in have.items() if n not in foreign} == {n: d for n, d in want.items() if n not in foreign}


@pytest.mark.fault_class("files.rights")
@pytest.mark.parametrize("bits", [0o644, 0o600, 0o664, 0o640, 0o444, 0o755])
def test_rewritten_files_keep_owner_and_permissions(guarded: GuardedSite, bits: int) -> None:
    paths = [guarded.site / "public" / name for name in ("atom.xml", "feed.json", ".feedtool-manifest")]
    paths.append(guarded.site / "articles" / "b.md")
    before = {}
    for path in paths:
        path.chmod(bits)
        if not os.geteuid():
            os.chown(path, 12345, 54321)
        before[path] = (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid, path.stat().st_ino)
    assert guarded.build().code == 0
    assert guarded.run("check", "--fix").code == 0
    for path, (*rights, inode) in before.items():
        now = path.stat()
        assert [now.st_mode, now.st_uid, now.st_gid] == rights, path
        assert now.st_ino != inode, f"{path} was not rewritten"


@pytest.mark.fault_class("files.rights")
def test_hard_link_to_an_output_file_keeps_old_bytes(guarded: GuardedSite) -> None:
    other = guarded.outside / "linked.xml"
    os.link(guarded.site / "public" / "atom.xml", other)
    before = other.read_bytes()
    assert guarded.build().code == 0
    assert other.read_bytes() == before != (guarded.site / "public" / "atom.xml").read_bytes()


@pytest.mark.fault_class("files.kinds")
@pytest.mark.parametrize("place", ["/dev/null", "fifo", "link", "folder"])
def test_opml_export_replaces_only_regular_files(guarded: GuardedSite, place: str) -> None:
    target = Path(place) if place.startswith("/") else guarded.outside / place
    if place == "fifo":
        os.mkfifo(target)
    elif place == "link":
        target.symlink_to(guarded.outside / "secret.md")
    elif place == "folder":
        target.mkdir()
    was = (target.lstat().st_mode, target.lstat().st_ino)
    result = child(feedtool("-C", str(guarded.site), "opml", "export", "-o", str(target)))
    assert result.code == 2, result.output
    assert str(target) in result.output
    assert (target.lstat().st_mode, target.lstat().st_ino) == was
    assert (guarded.outside / "secret.md").read_text().startswith("---")


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
