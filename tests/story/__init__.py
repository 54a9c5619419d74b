"""Stories: the whole bot as its own process, a real database, the sandbox around it. Read the tests as prose."""
