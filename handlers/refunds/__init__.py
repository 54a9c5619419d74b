"""Money back to customers: asked for, approved, made once."""
