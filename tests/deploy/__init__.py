"""What a deployment rests on: its files, one process to a name, and an end that loses nothing."""
