"""Parse and write dates and time zones."""
