"""The front-matter keys that may keep an article out of feeds, in normal form: lower case, with `_` for `-`."""

PASSWORDS = (
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "encrypt_password",
    "encryption_password",
    "encryptpassword",
)
"""Keys that hold what a reader must know; any value but an empty one and `false` protects the text."""
ENCRYPTED = ("encrypt", "encrypted", "protected")
"""Keys that say that a text is protected: any value but an empty one and those that say no."""
UNLISTED = (
    "unlisted", "hidden", "private", "exclude_from_feed", "exclude_from_rss", "hide_from_feed", "hidden_from_feed",
    "hiddenfromfeed", "hiddenfromrss", "excludefromfeed", "excludefromrss", "hidefromfeed", "eleventyexcludefromcollections",
)  # fmt: skip
"""Keys by which an author asks that a page be found by its address only."""
LISTED = ("listed", "publish")
"""The same, said by `false`."""
STARTS = ("publishdate", "pubdate", "published")
ENDS = ("expirydate", "unpublishdate")
HIDING = frozenset(
    ("draft", "published", "status", "visibility", "headless", "build", "_build", *PASSWORDS, *ENCRYPTED, *UNLISTED, *LISTED,
     *STARTS, *ENDS)
)  # fmt: skip
"""Every key that may hide an article in some dialect."""

_OFF = frozenset(("false", "no", "off", "0", "n", "none"))


def more_hiding(key: str, one: object, other: object) -> object:
    """Return that of two values of one key which hides an article, where only one does: a slip must not publish it.

    `key` is in its normal form. Without a difference it is the second, which counts for all other keys.
    """
    if key not in HIDING:
        return other
    off = isinstance(one, str) and one.strip().lower() in _OFF
    hides = off if key in ("published", *LISTED) else bool(one) and not off
    return one if hides else other
