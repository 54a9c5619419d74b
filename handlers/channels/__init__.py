"""The accounts on the channels, and what comes in from them."""
