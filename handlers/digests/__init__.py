"""Summaries that arrive by themselves."""
