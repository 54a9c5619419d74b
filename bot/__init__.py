"""Feishu, and how work reaches a handler."""
