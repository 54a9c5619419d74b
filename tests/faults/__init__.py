"""Whole deployments under fire: real processes, real databases, and an auditor who compares the books afterwards."""
