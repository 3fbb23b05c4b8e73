"""The public channel's keys as a state machine: versions, shares, who answers when (section 7)."""
