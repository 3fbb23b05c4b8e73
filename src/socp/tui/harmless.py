"""What is pasted, made fit to stand where one types."""

from __future__ import annotations

import re
from typing import Final

_LINE_ENDS: Final = re.compile("\r\n?|[\x85\u2028\u2029]")
_ACTING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)


def harmless(text: str) -> str:
    """Without what would act on the terminal while it stands there: control characters and marks
    that turn the writing around (threat I8)."""
    return _ACTING.sub("", _LINE_ENDS.sub("\n", text))
