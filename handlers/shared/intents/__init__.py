"""Requests that need approval: who may decide by which policy, votes, and how a request ends."""
