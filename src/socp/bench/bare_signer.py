"""The reference for what signing allows: one key, as many threads as a server has of the same kind,
and nothing else.

Asked `[threads, seconds]` it says how many signatures there were, in how many seconds, with how
many of the processor.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Final

from socp.bench import key_pool
from socp.keystore.key_threads import key_threads

SIGNED: Final = os.urandom(1_500)  # bytes, as in a delivery


def main() -> None:
    """Answer line by line."""
    (key,) = key_pool.keys(1)

    def signed(until_s: float) -> int:
        key.sign(SIGNED)  # one at the least, on whatever machine
        count = 1
        while time.perf_counter() < until_s:
            key.sign(SIGNED)
            count += 1
        return count

    for line in sys.stdin:
        threads, seconds = json.loads(line)
        with key_threads(threads, "sign") as pool:
            processor_s, began_s = time.process_time(), time.perf_counter()
            until_s = began_s + seconds
            count = sum(pool.map(signed, [until_s] * threads))
            took = (time.perf_counter() - began_s, time.process_time() - processor_s)
        print(json.dumps([count, *took]), flush=True)


if __name__ == "__main__":
    main()
