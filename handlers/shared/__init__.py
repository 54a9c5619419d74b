"""What several areas stand on: rows, rules and services. Commands, cards and schedules belong to an area."""
