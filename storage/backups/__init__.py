"""Backups: made, restored, and proven to bring everything back."""
