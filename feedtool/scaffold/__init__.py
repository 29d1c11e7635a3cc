"""Make a folder a working site, and create new articles; existing files are never overwritten."""

from feedtool.scaffold.detection import DetectedSite, detect
from feedtool.scaffold.init import ScaffoldOptions, ScaffoldResult, scaffold
from feedtool.scaffold.new import NewArticle, new_article
from feedtool.scaffold.workflow_file import workflow

__all__ = [
    "DetectedSite",
    "NewArticle",
    "ScaffoldOptions",
    "ScaffoldResult",
    "detect",
    "new_article",
    "scaffold",
    "workflow",
]
