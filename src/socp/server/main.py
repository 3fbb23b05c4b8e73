"""The start command: `python server/run_server.py`, `socp serve`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Final

from socp.server import early
from socp.server.faults import StartFault

WRONG: Final = 2  # the exit code of a start that could not be
INTERRUPTED: Final = 128 + 2  # by SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run a server until it is told to stop. The exit code: 0, or 2 with one line of why not."""
    told = early.listen()
    try:
        from socp.server import flags

        asked = flags.parse(sys.argv[1:] if argv is None else argv)
        if asked is None:
            return 0
        # What a server needs is loaded when it is one: --help is soon there.
        from socp.server import logs, starting

        writer = logs.start(asked.log_level, asked.log_format)
        gc.disable()  # nothing of what is loaded is garbage; until `app` settles it
        try:
            starting.start(asked, told)
        finally:
            gc.enable()
            writer.flush()
    except StartFault as fault:
        sys.stderr.write(f"socp: {fault}\n")
        return WRONG
    except ModuleNotFoundError as fault:
        missing = (fault.name or "socp").partition(".")[0]
        if missing == "socp":  # our own fault: it shows itself in full
            raise
        sys.stderr.write(f"socp: needs {missing}; start with script/server, which installs it\n")
        return WRONG
    except KeyboardInterrupt:  # again, when the event loop is over
        return INTERRUPTED
    return 0
