"""What a run has to say for itself: lines for people, and the same as data."""

from __future__ import annotations

from typing import Any

from socp.sim.play import Outcome


def figures(outcome: Outcome) -> dict[str, Any]:
    """For programs. Milliseconds are simulated ones; traffic is what servers sent."""
    story, broken = outcome.story, outcome.broken
    frames = [each.frames for each in outcome.traffic]
    sent = [each.bytes for each in outcome.traffic]
    return {
        "event": "simulated",
        "ok": broken is None,
        "seed": story.seed,
        "servers": story.servers,
        "users": story.users,
        "minutes": story.minutes,
        "happenings": len(story.happenings),
        "bad_servers": sorted(story.bad_servers),
        "bad_users": sorted(story.bad_users),
        "law": None if broken is None else str(broken.law),
        "detail": None if broken is None else broken.detail,
        "trace": "" if broken is None else broken.trace,
        "step": outcome.steps,
        "simulated_ms": outcome.ms,
        "digest": outcome.digest,
        "said": outcome.said,
        "shown": outcome.shown,
        "delay_ms": _spread(outcome.delays_ms),
        "converged_ms": outcome.converged_ms,
        "server_frames": _spread(sorted(frames)),
        "server_bytes": _spread(sorted(sent)),
    }


def lines(outcome: Outcome) -> list[str]:
    """For people."""
    told = figures(outcome)
    delay, sent, data = told["delay_ms"], told["server_frames"], told["server_bytes"]
    seconds = max(outcome.ms / 1000, 1)
    converged = ", ".join(f"{ms / 1000:g} s" for ms in outcome.converged_ms[-5:]) or "no faults"
    found = [
        f"seed {outcome.story.seed}: {outcome.story.servers} servers, {outcome.story.users} users,"
        f" {seconds / 60:.1f} minutes from start to quiet, {outcome.steps} steps",
        f"said {outcome.said}, shown {outcome.shown}; direct messages took"
        f" {delay['half']} ms (half), {delay['most']} ms (the slowest, faults included)",
        f"directories agreed after the last fault: {converged}",
        f"a server sent {sent['half'] / seconds:.1f} frames/s and"
        f" {data['half'] / seconds / 1000:.1f} kB/s (half), at most {sent['most'] / seconds:.1f}"
        f" and {data['most'] / seconds / 1000:.1f}",
        f"digest {outcome.digest}",
    ]
    bad = [f"s{number}" for number in told["bad_servers"]]
    bad += [f"u{number}" for number in told["bad_users"]]
    if bad:
        found.insert(1, f"gone bad: {', '.join(bad)}")
    if outcome.broken is not None:
        found += [f"  {place}" for place in outcome.broken.trace.splitlines()]
        found.append(f"BROKEN at step {outcome.steps}: {outcome.broken}")
    return found


def _spread(values: list[int]) -> dict[str, int]:
    """The least, the one in the middle, and the most of what is in order."""
    if not values:
        return {"least": 0, "half": 0, "most": 0}
    return {"least": values[0], "half": values[len(values) // 2], "most": values[-1]}
