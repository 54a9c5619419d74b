"""Work that survives the process: the engine, when a job is tried again, and what the house itself does by jobs."""
