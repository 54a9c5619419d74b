"""A long run against one deployment: `python -m tests.faults.campaign --faults 1000 --seed 1 --database postgres`."""
