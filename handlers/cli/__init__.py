"""The command line: one module for each command of `mpops`, and what they share."""
