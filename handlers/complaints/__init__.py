"""Complaints of customers: shown, claimed, answered, finished in time."""
