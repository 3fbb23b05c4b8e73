"""The operator's channel to a running server: a Unix socket in the data folder, 0600.

One line of JSON each way. Who may write the folder may command; the kernel is asked as well whether
the other side is our own user.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import secrets
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from socp.node.effects import Answer
from socp.node.events import (
    Admit,
    Ban,
    Event,
    Forget,
    Invite,
    ListServers,
    ListUsers,
    RevokeUser,
)
from socp.server import places
from socp.wire import invitation, limits

log = logging.getLogger("server.admin")

LINE_BYTES_MAX: Final = 4096  # a request
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
WAIT_S: Final = 10
WITH_WHO: Final = ("admit", "ban", "forget")  # a server; `revoke` has a user
_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """`do`: admit, ban, forget, revoke (with `who`), servers, users (perhaps with `who`),
    invite, status."""

    do: str
    who: str = ""
    count: Annotated[int, Meta(ge=1, le=limits.INVITATIONS_AT_ONCE)] = 1
    days: Annotated[int, Meta(ge=1, le=limits.INVITATION_DAYS_MAX)] = limits.INVITATION_DAYS


class Reply(msgspec.Struct):
    ok: bool
    lines: tuple[str, ...]


class NotRunning(Exception):
    """Nobody answers on the socket."""


class AdminDesk:
    """Takes commands while the server runs, and hands them to the brain as events."""

    def __init__(
        self,
        folder: Path,
        tell: Callable[[Event], None],
        status: Callable[[], tuple[str, ...]],
    ) -> None:
        """`status`: how the server is, in lines; nobody else need be asked for that."""
        self._folder = folder
        self._tell = tell
        self._status = status
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}

    async def serve(self) -> None:
        """Listen until cancelled."""
        with contextlib.ExitStack() as kept:
            try:
                listening = kept.enter_context(_listening(self._folder))
            except OSError as fault:
                log.warning("no `socp admin` for this server: %s", fault.strerror or fault)
                return
            server = await asyncio.start_unix_server(
                self._serve_one, sock=listening, limit=LINE_BYTES_MAX
            )
            try:
                await asyncio.Event().wait()
            finally:
                server.close()  # and no more: `wait_closed` waits for who is connected (3.12)

    def answer(self, effect: Answer) -> None:
        """The brain's answer to a command."""
        waiting = self._waiting.pop(effect.request, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(effect)

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(WAIT_S):
                reply = await self._reply(await reader.readline(), writer)
                writer.write(msgspec.json.encode(reply) + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as fault:
            log.debug("an operator's command was given up: %s", fault)
        finally:
            writer.close()

    async def _reply(self, line: bytes, writer: asyncio.StreamWriter) -> Reply:
        if not _is_ours(writer.get_extra_info("socket")):
            return Reply(False, ("this server belongs to another user",))
        try:
            request = msgspec.json.decode(line, type=Request)
        except (msgspec.DecodeError, ValueError, RecursionError) as fault:
            return Reply(False, (f"not a command: {fault}",))
        if request.do in WITH_WHO and not request.who.strip():
            whom = f"{request.do} whom? give a fingerprint, or the start of one that"
            return Reply(False, (f"{whom} `socp admin servers` shows",))
        if request.do == "revoke" and not request.who.strip():
            return Reply(False, ("revoke whom? give a user id that `socp admin users` shows",))
        if request.do == "status":
            return Reply(True, self._status())
        number = next(self._numbers)
        event = _event(number, request)
        if event is None:
            known = "admit, servers, forget, ban, users, invite, revoke or status"
            return Reply(False, (f"no such command; use {known}",))
        log.info("the operator says: %s", f"{request.do} {request.who}".strip())
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            waiting = self._waiting[number]
            self._tell(event)
            answer = await waiting
        finally:
            self._waiting.pop(number, None)
        return Reply(answer.ok, answer.lines)


def ask(folder: Path, request: Request) -> Reply:
    """Send one command to the server on `folder`. Blocks; NotRunning where there is none."""
    try:
        with socket.socket(socket.AF_UNIX) as channel, _short(folder) as path:
            channel.settimeout(WAIT_S)
            channel.connect(path)
            channel.sendall(msgspec.json.encode(request) + b"\n")
            with channel.makefile("rb") as answer:
                return msgspec.json.decode(answer.readline(ANSWER_BYTES_MAX), type=Reply)
    except PermissionError as fault:
        raise NotRunning(
            f"{places.shown(folder)} belongs to another user; run as that user"
        ) from fault
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as fault:
        raise NotRunning(
            f"no server runs on {places.shown(folder)}; start one, or give its --data-dir"
        ) from fault
    except (OSError, msgspec.DecodeError, ValueError, RecursionError) as fault:
        raise NotRunning(f"the server on {places.shown(folder)} did not answer: {fault}") from fault


def _event(number: int, request: Request) -> Event | None:
    match request:
        case Request(do="servers"):
            return ListServers(number)
        case Request(do="users", who=prefix):
            return ListUsers(number, prefix)
        case Request(do="invite", count=count, days=days):
            codes = tuple(secrets.token_bytes(invitation.CODE_BYTES) for _ in range(count))
            return Invite(number, codes, days)
        case Request(do="admit", who=who):
            return Admit(number, who)
        case Request(do="ban", who=who):
            return Ban(number, who)
        case Request(do="forget", who=who):
            return Forget(number, who)
        case Request(do="revoke", who=who):
            return RevokeUser(number, who)
    return None


@contextlib.contextmanager
def _listening(folder: Path) -> Iterator[socket.socket]:
    """The socket, bound; what a killed server left there is cleared away, a living one's is not."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / places.ADMIN_SOCKET
    with _short(folder) as path, socket.socket(socket.AF_UNIX) as listening:
        if _answers(path):
            raise OSError(f"another server listens on {file}")
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(file.lstat().st_mode):
                file.unlink()
        listening.bind(path)
        file.chmod(0o600)
        listening.listen(8)
        listening.setblocking(False)
        try:
            yield listening
        finally:
            file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()  # an ephemeral server keeps nothing else in it


@contextlib.contextmanager
def _short(folder: Path) -> Iterator[str]:
    """The socket's path in the 107 bytes an address holds: through the open folder if need be."""
    path = str(folder / places.ADMIN_SOCKET)
    if len(os.fsencode(path)) <= 100 or not Path("/proc/self/fd").is_dir():
        yield path
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{opened}/{places.ADMIN_SOCKET}"
    finally:
        os.close(opened)


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def _is_ours(channel: socket.socket) -> bool:
    """Whether the other side is our own user, or root. True where the kernel cannot tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    raw = channel.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    _pid, user, _group = _CREDENTIALS.unpack(raw)
    return user in (0, os.geteuid())
