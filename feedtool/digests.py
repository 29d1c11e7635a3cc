"""Provide blake2b without importing hashlib, which loads OpenSSL and adds 4 ms to every start."""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # a Python built without this module
    from hashlib import blake2b

__all__ = ["blake2b"]
