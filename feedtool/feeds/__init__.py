"""Feeds and their entries: which there are, what they hold, and how they are written."""
