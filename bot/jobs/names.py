"""Names of the jobs that the path itself runs. They stand in rows, so none is ever changed."""

PROCESS = "inbox.process"
PROCESS_ALL = "inbox.process_all"
DELIVER = "outbox.deliver"
