"""`socp simulate`: a whole mesh and its users in this process, from one seed, with faults."""

from __future__ import annotations

import gc
import sys
import time
from typing import TYPE_CHECKING, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP, NewFile, Number, as_json

if TYPE_CHECKING:
    from socp.sim.play import Outcome
    from socp.sim.speed import Speed
    from socp.sim.story import Story

_RUBBISH_MIN: Final = 200_000  # objects


@click.command(context_settings=HELP)
@click.option("--seed", type=int, default=1, show_default=True, help="Draws everything.")
@click.option(
    "--seeds", "count", type=click.IntRange(1), default=1, help="So many, from --seed on."
)
@click.option("--servers", type=click.IntRange(1, 1_000), default=5, show_default=True)
@click.option("--users", type=click.IntRange(1, 100_000), default=20, show_default=True)
@click.option("--minutes", type=Number(0.1, 10_000), default=2.0, show_default=True)
@click.option(
    "--every",
    "every_s",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help="Seconds between two direct messages of one user.",
)
@click.option("--faults/--no-faults", default=True, show_default=True, help="Whether any befall.")
@click.option("--real-keys", is_flag=True, help="RSA-4096 for all: slow, and no two runs alike.")
@click.option(
    "--replay",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Play what --save wrote, to the same byte.",
)
@click.option(
    "--save",
    type=NewFile(),
    metavar="FILE",
    help="Write the story of the run, or of the one that broke a law.",
)
@click.option(
    "--shrink", is_flag=True, help="Look for the shortest story that breaks the same law."
)
@as_json
def command(
    seed: int,
    count: int,
    servers: int,
    users: int,
    minutes: float,
    every_s: int,
    faults: bool,
    real_keys: bool,
    replay: str | None,
    save: str | None,
    shrink: bool,
    json: bool,
) -> int:
    """Run real servers and clients over a simulated network, and watch the laws.

    \b
    socp simulate --seed 7
    socp simulate --seed 0 --seeds 1000
    socp simulate --servers 50 --users 2000 --minutes 60 --json
    socp simulate --replay broken.json

    Exit code 0: every law held; 1: one was broken (seed, step and law are printed); 2: it could
    not begin. One seed is one run: the digest is over every frame and effect.
    """
    from socp.sim.schedule import drawn

    if replay is not None:
        return _told(_read(replay), real_keys=real_keys, save=save, shrink=shrink, json=json)
    code = exits.OK
    for each in range(seed, seed + count):
        story = drawn(each, servers, users, minutes, faults=faults, every_s=every_s)
        told = _told(story, real_keys=real_keys, save=save, shrink=shrink, json=json)
        code = max(code, told)
    return code


def _read(path: str) -> Story:
    from pathlib import Path

    from socp.sim.story import BadStory, read

    try:
        return read(Path(path).read_bytes())
    except OSError as fault:
        raise click.UsageError(f"{path}: {fault.strerror}") from fault
    except BadStory as fault:
        raise click.UsageError(f"{path}: {fault}") from fault


def _told(story: Story, *, real_keys: bool, save: str | None, shrink: bool, json: bool) -> int:
    from socp.crypto.keys import RsaSuite
    from socp.sim.play import Play
    from socp.sim.shrink import Shrinking
    from socp.sim.speed import Speed

    gc.set_threshold(_RUBBISH_MIN)  # most of what is made stays, and looking for the rest is dear
    before_kib, began = _memory_kib(), time.monotonic()
    play = Play(story, RsaSuite() if real_keys else None)
    speed = Speed(play, time.process_time)
    outcome = play.run()
    took_s = time.monotonic() - began
    _say(outcome, speed, took_s, max(_memory_kib() - before_kib, 0), json=json)
    if shrink and outcome.broken is not None:
        story = Shrinking(outcome).shortest().story
        if not json:
            print("the shortest history found:", *story.happenings, sep="\n  ", flush=True)
    if save is not None:
        _save(story, save, anew=outcome.broken is not None)
    return exits.OK if outcome.broken is None else exits.FAILED


def _save(story: Story, path: str, *, anew: bool) -> None:
    """`anew`: in place of what is there, as of a run in which every law held."""
    from pathlib import Path

    from socp.sim.story import written

    file = Path(path)
    try:
        if anew or not file.exists():
            file.write_bytes(written(story))
    except OSError as fault:
        raise click.UsageError(f"{path}: {fault.strerror}") from fault


def _say(outcome: Outcome, speed: Speed, took_s: float, grew_kib: int, *, json: bool) -> None:
    from socp.sim import report

    faster = outcome.ms / 1000 / max(took_s, 0.001)
    whole, at_work = speed.whole(), speed.at_work()
    each_kib = grew_kib / outcome.story.users
    if json:
        import msgspec

        measured = {
            "took_s": round(took_s, 3),
            "faster": round(faster, 1),
            "faster_by_processor": round(whole.faster, 1),
            "faster_at_work": round(at_work.faster, 1),
            "ms_each_said": round(at_work.ms_each_said, 3),
            "kib_per_user": round(each_kib, 1),
        }
        print(msgspec.json.encode({**report.figures(outcome), **measured}).decode(), flush=True)
        return
    said = report.lines(outcome)
    said.insert(
        -1,
        f"took {took_s:.1f} s, {faster:.0f} times faster than the clock, {whole.faster:.0f} by"
        f" processor time, {at_work.faster:.0f} once all were here ({at_work.ms_each_said:.2f} ms"
        f" for each thing said); memory grew by {each_kib:.0f} KiB a user",
    )
    print("\n".join(said), flush=True)


def _memory_kib() -> int:
    """The most that this process had so far."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most
