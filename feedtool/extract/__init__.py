"""The article in the page of an entry."""
