"""What comes in: proven, stored once, worked off, and brought to the handler that knows it."""
