"""The apply file: what the company declares."""
