"""A frame as it came: its text, and what can be read of it without believing anything."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any


def now_ms() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """What one message of the other side says; members that are missing read as nothing."""

    text: str
    members: dict[str, Any]
    is_object: bool = True

    @classmethod
    def read(cls, data: str | bytes) -> Frame:
        """Any message; what is no JSON object has no members."""
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        try:
            members = json.loads(text)
        except (ValueError, RecursionError):
            members = None
        if isinstance(data, bytes) or not isinstance(members, dict):
            return cls(text, {}, is_object=False)
        return cls(text, members)

    @property
    def type(self) -> str:
        return str(self.members.get("type", ""))

    @property
    def payload(self) -> dict[str, Any]:
        payload = self.members.get("payload")
        return payload if isinstance(payload, dict) else {}

    @property
    def sig(self) -> str:
        return str(self.members.get("sig", ""))

    @property
    def ts(self) -> object:
        return self.members.get("ts")

    def get(self, name: str) -> Any:
        """A member of its payload, None where it is not there."""
        return self.payload.get(name)

    def gist(self) -> str:
        """Its type, and what an ERROR or ACK says, for a report."""
        if self.type == "ERROR":
            return f"ERROR {self.get('code')}: {str(self.get('detail'))[:120]}"
        if self.type == "ACK":
            return f"ACK of {self.get('msg_ref')}"
        return self.type or f"no frame: {self.text[:40]!r}"
