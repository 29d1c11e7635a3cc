"""Extract the article from the web page of an entry."""
