"""Run by the interpreter of the played tree, from outside: prints every row of its database as JSON, values opened."""

import json
import os
import re
import sqlite3
import sys

sys.path.insert(0, sys.argv[1])

from storage.database import Database  # of the played tree

SEALED = re.compile(r"[A-Za-z0-9_-]{1,20}\.[A-Za-z0-9+/=]{36,}")


def main() -> None:
    url = os.environ["MPOPS_DATABASE_URL"]
    database = Database(url)
    database.unlock([os.environ["MPOPS_SECRET_KEY"]])
    vault = database.vault
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)
    connection.row_factory = sqlite3.Row
    found = {}
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
        rows = [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]
        for row in rows:
            for column, value in row.items():
                if isinstance(value, str) and SEALED.fullmatch(value) and name != "data_key":
                    row[column] = vault.open(value)
        found[name] = rows
    connection.close()
    database.close()
    json.dump(found, sys.stdout, default=repr)


main()
