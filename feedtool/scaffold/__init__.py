"""A folder in, a working site in it out; and single new articles. Nothing that is there is ever overwritten."""

from feedtool.scaffold.detection import Found, detect
from feedtool.scaffold.init import Made, Wishes, scaffold
from feedtool.scaffold.new import Wanted, new_article
from feedtool.scaffold.workflow_file import workflow

__all__ = ["Found", "Made", "Wanted", "Wishes", "detect", "new_article", "scaffold", "workflow"]
