"""A folder in, a working site in it out; and single new articles. Nothing that is there is ever overwritten."""

from feedtool.walks.scaffold.detect import Found, detect
from feedtool.walks.scaffold.new import Wanted, new_article
from feedtool.walks.scaffold.workflow import workflow
from feedtool.walks.scaffold.write import Made, Wishes, scaffold

__all__ = ["Found", "Made", "Wanted", "Wishes", "detect", "new_article", "scaffold", "workflow"]
