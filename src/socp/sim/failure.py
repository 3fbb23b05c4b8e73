"""What a brain raised, as the law that it broke: in a server it would have ended some link."""

from __future__ import annotations

import traceback
from typing import Final

from socp.sim.laws import Broken, Law

TEXT_MAX: Final = 200
_ROOMS: Final = "/socp/"


def failed(fault: Exception) -> Broken:
    """Told by its deepest place in our own code; paths begin at the room, so that a history says
    the same on every machine."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = [frame for frame in frames if _ROOMS in _path(frame)][-1]
    file, kind = _file(where), type(fault).__name__
    said = " ".join("".join(traceback.format_exception_only(fault)).split())
    return Broken(
        Law.SOUND,
        f"{said:.{TEXT_MAX}} ({file}:{where.lineno}, in {where.name})",
        place=f"{file}:{where.name} {kind}",
        trace="\n".join(f"{_file(frame)}:{frame.lineno}, in {frame.name}" for frame in frames),
    )


def _path(frame: traceback.FrameSummary) -> str:
    return frame.filename.replace("\\", "/")


def _file(frame: traceback.FrameSummary) -> str:
    path = _path(frame)
    return path.rpartition(_ROOMS if _ROOMS in path else "/")[2]
