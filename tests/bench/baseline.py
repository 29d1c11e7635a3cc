"""Measure the least that any build of a folder of articles can cost: list all files, read and parse all heads."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator

from yaml12 import parse_yaml

HEAD = 4096


def main() -> None:
    """Print seconds as JSON: `stat`, `heads` and `parsed`.

    `stat` is the time of scandir and stat of every file, `heads` of reading the first 4 kB of each, and `parsed` of
    reading these and parsing their front matter with py-yaml12, the fastest YAML library for Python, which is written
    in Rust.
    """
    root = sys.argv[1]
    started = time.perf_counter()
    paths = list(_files(root))
    listed = time.perf_counter()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.read(descriptor, HEAD)
        os.close(descriptor)
    read = time.perf_counter()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        data = os.read(descriptor, HEAD)
        os.close(descriptor)
        parse_yaml(data[4 : data.index(b"\n---\n", 3) + 1].decode())
    parsed = time.perf_counter()
    print(json.dumps({"files": len(paths), "stat": listed - started, "heads": read - listed, "parsed": parsed - read}))


def _files(root: str) -> Iterator[str]:
    pending = [root]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    yield entry.path


if __name__ == "__main__":
    main()
