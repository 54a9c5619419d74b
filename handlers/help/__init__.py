"""Help and the home card."""
