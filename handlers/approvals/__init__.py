"""Approvals: who must agree before something irreversible happens."""
