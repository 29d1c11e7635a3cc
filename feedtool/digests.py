"""blake2b, without the rest of hashlib, which loads OpenSSL: that is 4 ms of every start."""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # a Python that is built otherwise
    from hashlib import blake2b

__all__ = ["blake2b"]
