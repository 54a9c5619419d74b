"""What areas bring of channels and payments: plain frozen values, as in `bot/contributions`."""
