"""Names of the jobs that the path itself runs. They stand in rows, so none is ever changed. And where jobs stand."""

PROCESS = "inbox.process"
PROCESS_ALL = "inbox.process_all"
DELIVER = "outbox.deliver"


def jobs_table(is_sqlite: bool) -> str:
    """The engine's own table of jobs, as SQL names it: on PostgreSQL the engine has a schema of its own."""
    return "workflow_status" if is_sqlite else "dbos.workflow_status"
