"""What can be seen of the work: ids that follow it, log lines, spans, numbers, and the heartbeat of a process."""
