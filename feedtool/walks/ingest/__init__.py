"""Sources in, article files out: which to visit, what each entry is, what is written and what is remembered."""

from feedtool.walks.ingest.choose import Wanted, choose
from feedtool.walks.ingest.nouns import Choices, Tools
from feedtool.walks.ingest.parse import Parsed
from feedtool.walks.ingest.report import IngestReport, Tally
from feedtool.walks.ingest.walk import ingest

__all__ = ["Choices", "IngestReport", "Parsed", "Tally", "Tools", "Wanted", "choose", "ingest"]
