"""The reference for what a disk allows: rows as long as mail into SQLite, committed in groups as a
server's writer does it when much queues, and nothing else.

Asked `[file, rows, bytes, group]` it says how many rows, in how many seconds, with how many of the
processor.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from contextlib import closing

from socp.storage.sqlite import PRAGMAS

TABLE = (
    "CREATE TABLE IF NOT EXISTS mail (reader TEXT, ref TEXT, said BLOB, PRIMARY KEY (reader, ref))"
)


def main() -> None:
    """Answer line by line."""
    for line in sys.stdin:
        file, count, size, group = json.loads(line)
        rows = [(f"{n % 97:036}", os.urandom(32).hex(), os.urandom(size)) for n in range(count)]
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            for pragma in PRAGMAS:
                database.execute(f"PRAGMA {pragma}")
            database.execute(TABLE)
            processor_s, began_s = time.process_time(), time.perf_counter()
            for at in range(0, count, group):
                database.execute("BEGIN IMMEDIATE")
                database.executemany("INSERT INTO mail VALUES (?, ?, ?)", rows[at : at + group])
                database.execute("COMMIT")
            took = (time.perf_counter() - began_s, time.process_time() - processor_s)
        print(json.dumps([count, *took]), flush=True)


if __name__ == "__main__":
    main()
