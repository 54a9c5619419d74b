"""What the path itself stores: what comes in and goes out, due times, calls outside, the audit, and processes."""
