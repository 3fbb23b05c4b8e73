"""What somebody typed and did not say yet. Clients keep it; the brain has no use for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """`about`: the msg_ref of what it answers or changes, "" for neither."""

    text: str = ""
    about: str = ""
    edits: bool = False  # it changes what one said; else it answers
    quote: str = ""  # the beginning of what it is about


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """One conversation's, a user id's or "public"'s. Key: talk. An empty one ends it."""

    talk: str
    draft: Draft
    kept_ms: int  # Unix ms


def is_empty(draft: Draft) -> bool:
    """Whether there is nothing to go on with."""
    return not (draft.text or draft.about)
