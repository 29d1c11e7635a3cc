"""Describe the machine of a measurement: processor, memory, system, Python and libraries."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("lxml", "nh3", "selectolax", "PyYAML", "py-yaml12", "pyromark", "click")


def machine() -> dict[str, str]:
    """Return the facts about this machine by their names for people."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": f"{_field('/proc/cpuinfo', 'model name') or platform.processor()}, {cores} cores",
        "memory": f"{int((_field('/proc/meminfo', 'MemTotal') or '0 kB').split()[0]) / 1024**2:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {_system()}",
        "Python": platform.python_version(),
        "libraries": ", ".join(f"{name} {installed}" for name in LIBRARIES if (installed := _version(name))),
    }


def _field(path: str, name: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith(name):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return ""


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except OSError:
        return platform.version()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
