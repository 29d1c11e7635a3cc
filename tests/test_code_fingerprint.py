"""Test that the fingerprint of the code changes with its contents, and that unchanged files are not read again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from feedtool import storage
from feedtool.catalog.environment import code_fingerprint


def test_code_files_are_read_only_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "publish" / "one.py"
    code.parent.mkdir()
    code.write_text("1")
    before = os.stat(code)
    assert code_fingerprint(None, str(tmp_path))[0] == b"", (
        "a file that changed just now may change again within the same timestamp"
    )
    time.sleep(0.1)
    first = code_fingerprint(None, str(tmp_path))
    assert first[0] != b""
    with monkeypatch.context() as blind:
        blind.setattr(storage, "read", lambda path: pytest.fail(f"{path} was read"))
        assert code_fingerprint(first, str(tmp_path)) == first
    os.utime(code, ns=(0, 0))
    time.sleep(0.1)
    touched = code_fingerprint(first, str(tmp_path))
    assert (touched[0] != first[0], touched[1]) == (True, first[1])
    code.write_text("2")
    os.utime(code, ns=(before.st_atime_ns, before.st_mtime_ns))
    time.sleep(0.1)
    edited = code_fingerprint(first, str(tmp_path))
    assert (edited[0] != first[0], edited[1] != first[1]) == (True, True)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("a.py", True),
        ("data/a.css", True),
        ("data/a.toml", True),
        ("data/t/a.html", True),
        ("a.pyc", False),
        ("data/a.md", False),
        ("__pycache__/a.py", False),
        ("data/a.yml", False),
        ("py", False),
    ],
)
def test_files_affecting_output_change_the_fingerprint(name: str, counts: bool, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    plain = code_fingerprint(None, str(tmp_path))[1]
    file.write_text("1")
    first = code_fingerprint(None, str(tmp_path))[1]
    file.write_text("2")
    assert [first != plain, code_fingerprint(None, str(tmp_path))[1] != first] == [counts, counts]
