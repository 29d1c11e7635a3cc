"""Fingerprint what runs: feedtool's own code, the libraries that decide bytes of the output, Python, and time-zone data.

Code counts by its contents, not by its version: a patched copy of a library has the same version. Contents are read only
when stat data have changed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import NamedTuple

from feedtool import __version__, storage
from feedtool.catalog.fingerprints import is_racy
from feedtool.dates import zones
from feedtool.digests import blake2b

LIBRARIES = (
    "nh3",
    "selectolax",
    "pyromark",
    "lxml",
    "yaml",
    "_yaml",
    "yaml12",
    "jinja2",
    "markupsafe",
    "charset_normalizer",
)
"""The packages outside the standard library that read articles or decide bytes of the output."""
_STARTED = ("sitecustomize", "usercustomize")
"""Modules that Python imports at its start; they may change any other module."""
_OWN_SUFFIXES = (".py", ".css", ".toml", ".html")
_LIBRARY_SUFFIXES = (".py", ".so", ".pyd", ".dll", ".dylib")

Code = tuple[bytes, str]
"""A digest of the stat data of some files, b"" if one changed just now; and a digest of their contents."""
Folders = tuple[tuple[str, tuple[str, ...]], ...]
"""The folders that hold files of the libraries, each with the names of these files."""
Libraries = tuple[bytes, Folders, bytes, str]
"""A digest of the folders in which Python looks for modules; the files of the libraries; then the two digests of `Code`."""
Zones = tuple[bytes, dict[str, bytes]]
"""A value that changes whenever the data of a zone in use has changed; and a digest of the data of each zone by its name."""
Row = tuple[Code, Libraries, Zones]


class Environment(NamedTuple):
    """The program that runs and the data of the time zones in use, in the form that the next run compares with."""

    code: Code
    libraries: Libraries
    zones: Zones

    def text(self) -> str:
        """Return a text that changes with everything here that decides a byte of the output.

        It is equal for equal installations on different machines. Python counts with its build, because a distribution fixes
        modules such as html.parser without a new version.
        """
        return f"{__version__} {sys.version} {self.code[1]} {self.libraries[3]} {self.zones[0].hex()}"

    def row(self) -> Row:
        """Return it as a tuple of plain values, with the zones that were in use until now."""
        return (self.code, self.libraries, (self.zones[0], {**self.zones[1], **zones.loaded}))


_program: tuple[Code, Libraries] | None = None


def current_environment(earlier: Row | None) -> Environment:
    """Return the environment of this process; `earlier` is the `row` that the last run kept.

    Code is fingerprinted once in a process: a process goes on with the code that it has loaded when files are replaced.
    """
    global _program
    if _program is None:
        code, libraries = earlier[:2] if earlier is not None else (None, None)
        _program = code_fingerprint(code), libraries_fingerprint(libraries)
    return Environment(*_program, zones_fingerprint(earlier[2] if earlier is not None else None))


def code_fingerprint(earlier: Code | None, folder: str = "") -> Code:
    """Return the fingerprint of feedtool's own code, or of the code in another `folder`.

    `earlier` is the last result; it is returned again while the files' stat data are the same, because reading 200
    files at every start would take 6 ms. The digest covers contents and no dates: two installations of the same code on
    different machines are equal.
    """
    since = time.time_ns()
    files = sorted(_files(folder or os.path.dirname(os.path.dirname(os.path.abspath(__file__))), _OWN_SUFFIXES))
    signature = _digest(repr(files))
    if earlier is not None and earlier[0] == signature:
        return earlier
    contents = blake2b(digest_size=16)
    for path, *_ in files:
        contents.update(storage.read(path))
    racy = is_racy(max((file[3] for file in files), default=0), since)
    return b"" if racy else signature, contents.hexdigest()


def _files(folder: str, suffixes: tuple[str, ...]) -> Iterator[tuple[str, int, int, int]]:
    """Yield path, size, mtime and ctime of every file with one of these suffixes."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(suffixes):
                yield (entry.path, *storage.signature_of(entry.stat()))
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _files(entry.path, suffixes)


def libraries_fingerprint(earlier: Libraries | None) -> Libraries:
    """Return the fingerprint of the code of LIBRARIES.

    `earlier` is the last result. While the stat data of all files and folders are the same, nothing is searched or read:
    140 calls of stat take 0.5 ms, where reading 25 MB takes 30 to 50.
    """
    since = time.time_ns()
    places = _digest(repr([(place, _place_signature(place)) for place in sys.path]) + repr(_start_modules()))
    if earlier is not None and earlier[0] == places and earlier[2] == _signatures(earlier[1])[0]:
        return earlier
    files = sorted({*_library_files(LIBRARIES), *_start_modules()})
    folders = _folders(path for _, path in files)
    signature, newest = _signatures(folders)
    contents = blake2b(digest_size=16)
    for name, path in files:
        data = storage.read(path)
        contents.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
    return places, folders, b"" if is_racy(newest, since) else signature, contents.hexdigest()


def _folders(paths: Iterable[str]) -> Folders:
    names: dict[str, list[str]] = {}
    for path in paths:
        folder, name = os.path.split(path)
        names.setdefault(folder, []).append(name)
    return tuple((folder, tuple(names[folder])) for folder in sorted(names))


def _library_files(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield a name, which is the same wherever the library is installed, and the path of every file of these packages."""
    for name in names:
        spec = find_spec(name)
        folders = list(spec.submodule_search_locations or ()) if spec is not None else []
        if spec is not None and not folders and spec.origin and os.path.isfile(spec.origin):
            yield os.path.basename(spec.origin), spec.origin
        for folder in folders:
            if os.path.isdir(folder):
                yield from _package_files(folder, name)
            elif archive := _archive(folder):
                yield os.path.basename(archive), archive


def _package_files(folder: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a package, named as below the folder that contains it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(_LIBRARY_SUFFIXES):
                if entry.is_file():
                    yield f"{name}/{entry.name}", entry.path
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _package_files(entry.path, f"{name}/{entry.name}")


def _archive(path: str) -> str:
    """Return the file that contains a package which is in no folder, such as a ZIP archive on `sys.path`; "" if there is none."""
    while path and not os.path.lexists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return path if os.path.isfile(path) else ""


def _start_modules() -> list[tuple[str, str]]:
    paths = [(name, getattr(sys.modules.get(name), "__file__", None)) for name in _STARTED]
    return [(name, path) for name, path in paths if path and os.path.isfile(path)]


def _signatures(folders: Folders) -> tuple[bytes, int]:
    """Return a digest of the stat data of folders and their files, and the latest ctime among them.

    A folder counts because files may be added to it.
    """
    signatures: list[storage.Signature] = []
    for folder, names in folders:
        signatures.append(_signature(folder))
        signatures += [_signature(f"{folder}/{name}") for name in names]
    return _digest(repr(signatures)), max((signature[2] for signature in signatures), default=0)


def _place_signature(place: str) -> object:
    """Return a value that changes when another library is found in a folder of `sys.path`.

    The current folder is one of them under `python -m feedtool`. A build may write into it, so only libraries in it count.
    """
    try:
        if place in ("", os.getcwd()):
            return sorted(name for name in os.listdir(".") if name.partition(".")[0] in LIBRARIES)
    except OSError:  # the current folder was deleted or cannot be read: nothing can be imported from it either
        return None
    return _signature(place)


def _signature(path: str) -> storage.Signature:
    try:
        return storage.signature_of(os.stat(path))
    except OSError:
        return storage.NO_SIGNATURE


def zones_fingerprint(earlier: Zones | None) -> Zones:
    """Return the fingerprint of the zones that the last run had in use; `earlier` is the one that it kept.

    Zones whose data changed after this process had loaded them are loaded again when they are next needed.
    """
    zones.forget_changed()
    value, digests = earlier if earlier is not None else (b"", {})
    found = {name: zones.data_digest(name) for name in digests}
    if found == digests:
        return value, digests
    return _digest(repr((value, sorted(found.items())))), found


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
