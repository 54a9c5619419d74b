"""The registry of the accounts on the channels, and what comes in from them."""
