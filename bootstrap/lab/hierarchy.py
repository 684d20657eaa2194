"""`Lab`: a world that runs, on loopback, in a thread of its own.

    with Lab(demo_world(), clock=clock.now, folder=path) as lab:
        lab.port, lab.root_hints, lab.anchors, lab.tsig_key_file, lab.manifest()

Everything may be changed while it runs; each change is complete before the call
returns.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from dns.rdatatype import RdataType

from bootstrap.core.dns.names import Name, canonical

from . import files
from .assembly import ServedParent, add_child, assemble
from .keys import Keyring
from .network import LOOPBACK6, Network, has_ipv6, name_of
from .primary import Change
from .recipes import Recipe
from .servers import Datagrams, NameServer, OnUpdate, Stream

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from .worlds import Child, World

T = TypeVar("T")
PORT_TRIES: Final = 20
REFRESH_AFTER: Final = timedelta(days=2)
REFRESH_SECONDS: Final = 600.0
BACKLOG: Final = 1024


class Lab:
    """A running world.

    `clock` says what time it is in the laboratory; `folder` keeps hints, anchor,
    keys and what the parents' primaries were told, for the next start. A `seed`
    makes the same keys in every folder, for tests. `prefix` is the first half of
    all addresses; port 0 finds one that is free.
    """

    def __init__(
        self,
        world: World,
        *,
        clock: Callable[[], datetime],
        folder: Path,
        port: int = 0,
        prefix: str = "127.53",
        seed: bytes | None = None,
    ) -> None:
        self.world = world
        self.folder = folder
        self.port = port
        self._clock = clock
        self._fixed: datetime | None = None
        self._signed_at = self.now()
        folder.mkdir(parents=True, exist_ok=True)
        seed, secret = files.secrets_of(folder, seed)
        keyring = Keyring(seed, folder)
        network = Network(keyring, self.now(), prefix, has_ipv6())
        self.built = assemble(
            world, network, clock=self.now, state=folder, secret=secret
        )
        for parent in self.built.parents.values():
            parent.primary.publish = self._publisher(parent)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._listeners: list[asyncio.BaseTransport | asyncio.Server] = []
        self._streams: set[Stream] = set()

    # -- life -----------------------------------------------------------------

    def start(self) -> Self:
        """Listen at all addresses and write the files; returns when all answer."""
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._main, args=(ready,), name="lab", daemon=True
        )
        self._thread.start()
        ready.result()
        self.write_files()
        return self

    def stop(self) -> None:
        """Close all sockets and end the thread."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _main(self, ready: Future[None]) -> None:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._listen())
        except OSError as exc:
            loop.run_until_complete(self._close())
            loop.close()
            ready.set_exception(exc)
            return
        self._loop = loop
        loop.call_later(REFRESH_SECONDS, self._refresh)
        ready.set_result(None)
        loop.run_forever()
        loop.run_until_complete(self._close())
        loop.close()

    async def _listen(self) -> None:
        """Open the same port at all addresses; without a port, find a free one."""
        if self.port:
            await self._listen_on(self.port)
            return
        for _ in range(PORT_TRIES):
            port = _free_port()
            try:
                await self._listen_on(port)
            except OSError:
                await self._close()
                continue
            self.port = port
            return
        raise OSError("no port is free at all addresses")

    async def _listen_on(self, port: int) -> None:
        for server in self.built.network.servers.values():
            await self._open(server, port)

    async def _open(self, server: NameServer, port: int) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Datagrams(server), local_addr=(server.address, port)
        )
        self._listeners.append(transport)
        if server.has_tcp:
            listener = await loop.create_server(
                lambda: Stream(server, self._streams.add),
                server.address,
                port,
                backlog=BACKLOG,
            )
            self._listeners.append(listener)

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        for stream in self._streams:
            if stream.transport is not None:
                stream.transport.abort()
        self._listeners.clear()
        self._streams.clear()
        await asyncio.sleep(0)

    def _refresh(self) -> None:
        """Sign afresh what was signed some days ago: a demo may run for weeks."""
        if self.now() - self._signed_at > REFRESH_AFTER:
            self._resign()
        if self._loop is not None:
            self._loop.call_later(REFRESH_SECONDS, self._refresh)

    def _inside(self, act: Callable[[], T]) -> T:
        """Run `act` in the thread that answers queries, and wait for it."""
        if self._loop is None:
            return act()
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(act())
            except Exception as exc:  # noqa: BLE001 - handed to the caller, who waits
                done.set_exception(exc)

        self._loop.call_soon_threadsafe(run)
        return done.result()

    # -- time -----------------------------------------------------------------

    def now(self) -> datetime:
        """Return the laboratory's time."""
        return self._fixed or self._clock()

    def set_time(self, now: datetime, *, resign: bool = True) -> None:
        """Fix the laboratory's time; without `resign`, signatures grow old."""
        self._fixed = now
        if resign:
            self._inside(self._resign)

    def _resign(self) -> None:
        network = self.built.network
        network.now = self._signed_at = self.now()
        every = [d for s in network.servers.values() for d in s.contents.values()]
        for zone in filter(None, (denier.made for denier in every)):
            zone.resign(network.now)
        for server in network.servers.values():
            server.forget()

    def warm(self) -> None:
        """Make and sign all zones now, so that a measurement need not wait for it."""
        for server in self.built.network.servers.values():
            for denier in server.contents.values():
                self._inside(denier.zone.sign_all)

    # -- changes --------------------------------------------------------------

    def child(self, name: str) -> Child:
        """Return a child as it is declared now."""
        return self.built.children[canonical(name_of(name))].child

    def rework(self, name: str, recipe: Recipe) -> None:
        """Serve a child by another recipe; its delegation changes with it."""
        self._inside(lambda: self._rework(canonical(name_of(name)), recipe))

    def mend(self, name: str) -> None:
        """Make a child right in every way, with the nameservers that it has."""
        kept = self.child(name).recipe
        tokens, ds = kept.nameservers, kept.ds
        self.rework(name, Recipe(nameservers=tokens, ds=ds, addresses=kept.addresses))

    def _rework(self, apex: Name, recipe: Recipe) -> None:
        network = self.built.network
        network.now = self.now()
        placer = self.built.children[apex]
        parent = self.parent_of(apex)
        ds = parent.primary.zone.rrset(apex, RdataType.DS) if parent else None
        placer.remove()
        placer = add_child(self.built, replace(placer.child, recipe=recipe))
        if parent:
            self._follow_delegation(parent, apex, list(ds or ()))

    def set_nameservers(self, name: str, tokens: tuple[str, ...]) -> None:
        """Delegate a child to other nameservers, which serve it at once."""
        self.rework(name, replace(self.child(name).recipe, nameservers=tokens))

    def publish_signal(self, name: str, token: str) -> None:
        """Publish the child's signal under one nameserver."""
        placer = self.built.children[canonical(name_of(name))]
        self._inside(lambda: placer.signal(token))

    def withdraw_signal(self, name: str, token: str) -> None:
        """Take the child's signal under one nameserver away."""
        placer = self.built.children[canonical(name_of(name))]
        self._inside(lambda: placer.withdraw(token))

    def behave(self, address: str, behaviour: str, below: str = ".") -> None:
        """Let a server treat queries below a name as `behaviour` says."""

        def act() -> None:
            server = self.built.network.servers[address]
            server.behaviours[canonical(name_of(below))] = behaviour
            server.forget()

        self._inside(act)

    def on_update(self, parent: str, what: OnUpdate) -> None:
        """Let a parent's primary lose, refuse or carry out updates (S-75)."""
        served = self.built.parents[canonical(name_of(parent))]
        self.built.network.servers[served.primary_address].on_update = what

    # -- parents --------------------------------------------------------------

    def parent_of(self, apex: Name) -> ServedParent | None:
        """Return the parent zone above a child."""
        name = apex
        while len(name.labels) > 1:
            name = name.parent()
            if name in self.built.parents:
                return self.built.parents[name]
        return None

    def ds_of(self, name: str) -> tuple[str, ...]:
        """Return the DS RRset that the primary holds for a child, as text."""
        apex = canonical(name_of(name))
        parent = self.parent_of(apex)
        rrset = parent.primary.zone.rrset(apex, RdataType.DS) if parent else None
        return tuple(sorted(record.to_text().upper() for record in rrset or ()))

    def _publisher(self, parent: ServedParent) -> Callable[[Change], None]:
        def publish(change: Change) -> None:
            self.built.network.changed(parent.name)
            for apex, ds in change.ds:
                self._after_ds(apex, published=bool(ds))
            delay = parent.declared.secondary_delay
            if len(parent.copies) > 1 and self._loop is not None:
                self._loop.call_later(delay, self._follow, parent, change)

        return publish

    def _after_ds(self, apex: Name, *, published: bool) -> None:
        placer = self.built.children.get(apex)
        if placer and published and placer.recipe.after_ds:
            zone = placer.recipe.after_ds
            self._rework(apex, replace(placer.recipe, zone=zone, after_ds=None))

    def _follow(self, parent: ServedParent, change: Change) -> None:
        change.apply(parent.secondary, self.now())
        self.built.network.changed(parent.name)

    def _follow_delegation(
        self, parent: ServedParent, apex: Name, ds: list[Any]
    ) -> None:
        """Keep the DS that was published, and copy the delegation to secondaries."""
        primary = parent.primary.zone
        if ds:
            primary.put(apex, RdataType.DS, ds)
        primary.touch(self.now())
        if len(parent.copies) > 1:
            for rdtype in (RdataType.NS, RdataType.DS):
                parent.secondary.put(apex, rdtype, primary.rrset(apex, rdtype) or ())
            parent.secondary.touch(self.now(), serial=primary.serial)
        self.built.network.changed(parent.name)

    # -- files ----------------------------------------------------------------

    @property
    def root_hints(self) -> Path:
        """The file that `DNS_ROOT_HINTS` takes."""
        return self.folder / files.HINTS

    @property
    def anchors(self) -> Path:
        """The file that `DNS_TRUST_ANCHORS` takes."""
        return self.folder / files.ANCHORS

    @property
    def tsig_key_file(self) -> Path:
        """The key for UPDATE and transfers, in BIND's form."""
        return self.folder / files.TSIG

    @property
    def allowed_networks(self) -> tuple[str, ...]:
        """The networks that `DNS_ALLOWED_NETWORKS` must let through."""
        network = self.built.network
        uses_ipv6 = LOOPBACK6 in network.servers
        return (f"{network.prefix}.0.0/16", *(["::1/128"] if uses_ipv6 else []))

    def manifest(self) -> dict[str, Any]:
        """Return what a demo or a test wants to know, ready for JSON."""
        return files.manifest(
            self.built, self.port, self.folder, networks=self.allowed_networks
        )

    def write_files(self) -> None:
        """Write hints, anchor, key and manifest into the folder."""
        files.write(self.built, self.folder)
        text = json.dumps(self.manifest(), indent=2)
        (self.folder / files.MANIFEST).write_text(text + "\n")


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
