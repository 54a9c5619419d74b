"""Measurements: two things in turns in one run, told as ratios. `mpops bench` runs them; they never gate a build."""
