"""What the real generators make of a site: Hexo, Hugo, Jekyll and Pelican run on a copy of a folder.

`hexo`, `hugo`, `jekyll` and `pelican` take a site's folder and return a `Post` for each article that the generator
reads, published or not, by the path of its file. A generator that is not installed skips the test, and fails it under
FEEDTOOL_CI.
"""

from tests.generators.oracles import GENERATORS, Post, hexo, hugo, jekyll, pelican

__all__ = ["GENERATORS", "Post", "hexo", "hugo", "jekyll", "pelican"]
