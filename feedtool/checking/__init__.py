"""Find problems in articles and settings, and compare a new build with what is published."""
