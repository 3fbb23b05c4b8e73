"""How a verb ends: its exit code, and one line about why (docs/talk.md lists them)."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

OK: Final = 0
FAILED: Final = 1  # refused, not found, not sent yet, no answer: another try may end better
USAGE: Final = 2  # it could not begin: options, profile, passphrase
STOPPED: Final = 128 + 15  # by SIGTERM or SIGHUP

_NO_MORE: Final = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Unwritable(Exception):
    """Our output takes no more; `str()` says why."""


def carried_out(work: Callable[[], Coroutine[Any, Any, int]], verb: str = "") -> int:
    """Run it to its end; the exit code. What went wrong is one line on standard error.

    `verb` is named in that line where it is not `socp` alone.
    """
    import asyncio

    from socp.client.errors import ClientError
    from socp.talk.places import BadName

    try:
        return asyncio.run(work())
    except (BadName, ClientError) as fault:
        complain(str(fault), verb)
        return USAGE
    except asyncio.CancelledError:
        return STOPPED
    except BrokenPipeError:  # whoever read our output is gone
        _let_go_of_streams()
        return FAILED
    except Unwritable as fault:
        _let_go_of_streams()
        with contextlib.suppress(OSError):
            complain(str(fault), verb)
        return FAILED


def unwritten(fault: OSError) -> int:
    """The exit code where our output takes no more; another fault is raised again."""
    if fault.errno not in _NO_MORE or fault.filename is not None:
        raise fault
    _let_go_of_streams()
    if not isinstance(fault, BrokenPipeError):  # with that, whoever read it wants no more
        with contextlib.suppress(OSError):
            complain(f"nothing more fits on standard output: {fault.strerror}")
    return FAILED


def complain(text: str, verb: str = "") -> None:
    """One line on standard error."""
    sys.stderr.write(f"socp {verb}".rstrip() + f": {text}\n")


def _let_go_of_streams() -> None:
    """What cannot be written must not be tried again at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
