"""Define the front matter keys that may keep an article out of feeds, in normal form: lower case, with `_` for `-`."""

PASSWORDS = (
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "encrypt_password",
    "encryption_password",
    "encryptpassword",
)
"""Keys with a password; any value but an empty one and `false` protects the text."""
ENCRYPTED = ("encrypt", "encrypted", "protected")
"""Keys that mark a text as protected: any value but an empty or a negative one."""
UNLISTED = (
    "unlisted", "hidden", "private", "exclude_from_feed", "exclude_from_rss", "hide_from_feed", "hidden_from_feed",
    "hiddenfromfeed", "hiddenfromrss", "excludefromfeed", "excludefromrss", "hidefromfeed", "eleventyexcludefromcollections",
)  # fmt: skip
"""Keys for a page that can be found by its address only."""
LISTED = ("listed", "publish")
"""Keys with the same meaning if their value is `false`."""
STARTS = ("publishdate", "pubdate", "published")
ENDS = ("expirydate", "unpublishdate")
HIDING = frozenset(
    ("draft", "published", "status", "visibility", "headless", "build", "_build", *PASSWORDS, *ENCRYPTED, *UNLISTED, *LISTED,
     *STARTS, *ENDS)
)  # fmt: skip
"""Every key that may hide an article in some dialect."""

_OFF = frozenset(("false", "no", "off", "0", "n", "none"))


def hiding_value(key: str, one: object, other: object) -> object:
    """Return the value that hides the article if a key occurs twice and only one value does: a slip must not publish it.

    `key` is in its normal form. If both or neither hide, and for all other keys, it is the second value, `other`.
    """
    if key not in HIDING:
        return other
    off = isinstance(one, str) and one.strip().lower() in _OFF
    hides = off if key in ("published", *LISTED) else bool(one) and not off
    return one if hides else other
