"""Feeds and their entries: selecting articles, making entries, and writing the feed formats."""
