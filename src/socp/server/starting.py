"""From what was asked to a server that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import Callable, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from socp.server import config, listeners
from socp.server.faults import StartFault
from socp.storage import FolderLock, StorageError

if TYPE_CHECKING:
    from socp.crypto.fast_sig import OwnSession
    from socp.crypto.keys import RsaSuite
    from socp.server.app import Parts
    from socp.server.listeners import Bound
    from socp.server.opening import Known, Named, Opened

log = logging.getLogger("server.server")

BITS: Final = 4096
VERSION_LINE: Final = "SOCP Chat Server v1.3"


def start(asked: config.Config, told: Set[int]) -> None:
    """Bind, open, run, close. `told`: signals that came so far."""
    _raise_open_files()
    tls = Certificate(asked.tls_cert, asked.tls_key) if asked.tls_cert and asked.tls_key else None
    bound = _bind(asked)
    try:
        who = _known(asked, bound.port) or _open(asked, bound.port)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(asked, who, bound, tls, told))
    finally:
        bound.close()
    log.info("Stopped")


def _bind(asked: config.Config) -> Bound:
    try:
        return listeners.bind(asked.host, asked.port)
    except StartFault:
        folder = asked.folder(asked.port)
        if os.path.isdir(folder) and not asked.ephemeral:  # then it may be ourselves, started twice
            try:
                FolderLock.take(folder).release()
            except StorageError as fault:
                raise StartFault(str(fault)) from fault
        raise


def _known(asked: config.Config, port: int) -> Known | None:
    """Who we are, where that can be said before the store is open: SQLAlchemy is imported when
    all else is, and whoever comes meanwhile waits."""
    if asked.ephemeral or asked.database is not None:
        return None
    from socp.crypto.keys import RsaSuite
    from socp.server import opening

    return opening.known(asked.folder(port), RsaSuite())


def _open(asked: config.Config, port: int) -> Opened:
    """Imports, key and disk take about as long as each other: one thread beside us helps most."""
    with ThreadPoolExecutor(1, "open") as beside:
        opened = beside.submit(_open_all, asked, port)
        from socp.server import app  # noqa: F401 - imported early, while the thread works

        return opened.result()


def _open_all(asked: config.Config, port: int, said: Known | None = None) -> Opened:
    from socp.crypto.keys import RsaSuite
    from socp.node import node  # noqa: F401 - it wakes with what the store remembers
    from socp.server import opening

    folder = None if asked.ephemeral else asked.folder(port)
    return opening.open_all(folder, RsaSuite(), asked.database, said)


def _parts(asked: config.Config, opened: Opened, bound: Bound, tls: Certificate | None) -> Parts:
    from socp.crypto.keys import RsaSuite
    from socp.keystore.key_threads import cores
    from socp.node.node import Node
    from socp.server.app import Parts

    settings = asked.settings(opened.server_id, bound.port)
    suite = RsaSuite()
    return Parts(
        brain=Node(settings, suite, opened.key.public, opened.remembered),
        key=opened.key,
        session=lambda: _session(suite, opened),
        store=opened.store,
        guard=asked.guard(bound.port),
        max_per_address=asked.max_per_address,
        sign_threads=asked.sign_threads or cores(),
        budget=settings.budget,
        bound=bound,
        tls=tls.context if tls is not None else None,
        folder=asked.folder(bound.port).absolute(),
    )


def _session(suite: RsaSuite, opened: Opened) -> OwnSession | None:
    """A session key from now on; None with a clock that is decades behind."""
    from socp.crypto import fast_sig
    from socp.server import fresh
    from socp.wire.errors import PeerFault

    try:
        return fast_sig.made(suite, opened.key, opened.server_id, fresh.now().wall)
    except PeerFault as fault:
        log.warning("No session key is made: %s; set this machine's clock right", fault.detail)
        return None


def _say_start(who: Named, bound: Bound, scheme: str) -> None:
    if who.key_is_new:
        log.info("Generated new RSA-%d keypair", BITS)
    else:
        log.info("Loaded RSA-%d keypair %s", BITS, who.key.public.fingerprint)
    log.info("Server initialized with ID: %s", who.server_id)
    log.info(VERSION_LINE)
    for address in bound.addresses():
        log.info("Listening on %s://%s", scheme, address)
    for host in bound.absent:
        log.warning("%s is not available on this machine; serving without it", host)


async def _serve(
    asked: config.Config,
    who: Known | Opened,
    bound: Bound,
    tls: Certificate | None,
    told: Set[int],
) -> None:
    """The sockets listen already: whoever comes is let in once the store is open."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    ends: list[int] = [signal.SIGINT, signal.SIGTERM]
    if tls is not None:
        loop.add_signal_handler(signal.SIGHUP, tls.reload)
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # its terminal was closed
        ends.append(signal.SIGHUP)
    # else started with nohup: it outlives its terminal
    for number in ends:
        loop.add_signal_handler(number, _stop, stop, number)
    from socp.server.app import App
    from socp.server.opening import Opened

    _say_start(who, bound, "ws" if tls is None else "wss")
    for number in told & set(ends):  # one at most
        _stop(stop, number)
    if isinstance(who, Opened):
        opened = who
    else:
        opened = await asyncio.to_thread(_open_all, asked, bound.port, who)
    try:
        if opened.store.backup is not None:
            kept = opened.store.backup
            log.info("The data folder was upgraded; a copy of what it was is in %s", kept)
        await App(_parts(asked, opened, bound, tls)).run(stop)
    finally:
        # Beside the loop, which hears of a second signal meanwhile: a disk may hang.
        await asyncio.to_thread(opened.store.close)


def _stop(stop: asyncio.Event, number: int) -> None:
    """The first time: say goodbye to everybody. Again: at once."""
    if stop.is_set():
        os._exit(128 + number)
    log.info("Stopping")
    stop.set()


class Certificate:
    """The TLS certificate of the port, read again on SIGHUP."""

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain = chain
        self._key = key
        try:
            self.context = self._load(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
        except OSError as fault:  # ssl.SSLError is one
            raise StartFault(self._complaint(fault)) from fault

    def reload(self) -> None:
        """New connections get the new certificate; one that cannot be read changes nothing."""
        try:
            self._load(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
            self._load(self.context)
        except OSError as fault:
            log.error("The old certificate stays in use: %s", self._complaint(fault))  # noqa: TRY400
        else:
            log.info("Read the certificate again")

    def _load(self, context: ssl.SSLContext) -> ssl.SSLContext:
        # Nobody is there to be asked for a passphrase; an empty one makes that an error.
        context.load_cert_chain(self._chain, self._key, password="")
        return context

    def _complaint(self, fault: OSError) -> str:
        said = fault.strerror or str(fault)
        files = f"--tls-cert {self._chain} and --tls-key {self._key}"
        return f"cannot use {files}: {said}; check both files"


def _raise_open_files() -> None:
    """One connection is one open file: take as many as the system lets us."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            log.debug("the limit of open files stays at %d", soft)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not on this system; asyncio's own will do
        return None
    return uvloop.new_event_loop
