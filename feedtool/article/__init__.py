"""Article files: text in, an Article out, and back into a file with only the lines changed that have to be.

Nothing here touches a disk: callers bring bytes and take bytes.
"""

from feedtool.article.document import Document, parse_document
from feedtool.article.edit import edit_front_matter, front_matter
from feedtool.article.read import HEAD_SIZE, Head, Rules, Shown, read_article, read_head

__all__ = [
    "HEAD_SIZE",
    "Document",
    "Head",
    "Rules",
    "Shown",
    "edit_front_matter",
    "front_matter",
    "parse_document",
    "read_article",
    "read_head",
]
