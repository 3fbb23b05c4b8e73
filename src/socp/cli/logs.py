"""What the library has to say for whoever runs it: warnings, on standard error."""

from __future__ import annotations

import logging
import sys


class _Aside(logging.Handler):
    """To the standard error of the moment: at a terminal it prints above the line being typed."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def log_to_standard_error() -> None:
    """For the whole process."""
    logging.basicConfig(format="%(levelname)s:%(name)s:%(message)s", handlers=[_Aside()])
