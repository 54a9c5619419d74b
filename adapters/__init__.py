"""Channels: what a platform can do, in our own words."""
