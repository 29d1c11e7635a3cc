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
