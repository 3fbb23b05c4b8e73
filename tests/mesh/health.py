"""What a running server says of itself."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.mesh.launch import Running


def health(server: Running) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=60) as answer:
        members: dict[str, Any] = json.load(answer)
        return members


def memory_bytes(server: Running, what: str = "VmRSS") -> int:
    """VmRSS: what it holds now; VmHWM: the most it ever held. By the kernel's word."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == what:
            return int(rest.split()[0]) * 1024
    raise AssertionError(f"{what} is not to be seen")
