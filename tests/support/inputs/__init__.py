"""Inputs of tests whose results are recorded."""
