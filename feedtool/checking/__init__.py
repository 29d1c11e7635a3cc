"""Find problems of articles, and what a new build would do to subscribers."""
