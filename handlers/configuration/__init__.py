"""The apply file: what the company declares, read, checked and made true."""
