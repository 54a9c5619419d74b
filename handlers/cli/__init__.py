"""Setting a deployment up and keeping it: the apply file, doctor, backups, keys."""
