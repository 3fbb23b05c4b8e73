"""Why there is no figure."""

from __future__ import annotations


class CannotMeasure(Exception):
    """The server, or the machine, cannot do what was to be measured; what to do about it."""
