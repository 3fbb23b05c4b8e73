"""The command `socp`: one verb is run, and its exit code is ours."""

from __future__ import annotations

import gc
import os
import sys
from typing import Final

INTERRUPTED: Final = 128 + 2  # by SIGINT


def main() -> None:
    """Run one verb and end with its exit code."""
    _open_missing_streams()
    gc.disable()  # nothing that is made while we load is rubbish, and looking for some takes time
    try:
        from socp.cli import verbs

        gc.freeze()
        gc.enable()
        code = verbs.run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def _open_missing_streams() -> None:
    """Who closed our standard input or outputs wants none: nothing else may get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)  # takes the lowest number, which is theirs
            setattr(sys, name, os.fdopen(nothing, mode, closefd=False))


if __name__ == "__main__":
    main()
