"""Run Hexo, Hugo, Jekyll and Pelican on a copy of a site and read the posts that they find.

`hexo`, `hugo`, `jekyll` and `pelican` take the folder of a site and return a `Post` for each article that the generator
reads, published or not, by the path of its file. A missing generator skips the test, or fails it under FEEDTOOL_CI.
"""

from tests.generators.oracles import GENERATORS, Post, hexo, hugo, jekyll, pelican

__all__ = ["GENERATORS", "Post", "hexo", "hugo", "jekyll", "pelican"]
