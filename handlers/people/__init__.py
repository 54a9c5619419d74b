"""People of the company and what they may do."""
