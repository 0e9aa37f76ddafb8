"""The database and the broker go away under load and come back: the hub lives on, and needs no help.

The hub reaches both through wires of ours, which can be cut: what is open is torn, what is new is refused. And the database
ends all its sessions at once, as a restart of it does.
"""

from __future__ import annotations

import random
import selectors
import socket
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec
from forks import Child, in_child
from gate import Gate
from life import Place
from places import cut_all_sessions

OUTAGES = ("outage.sessions", "outage.database", "outage.broker", "outage.both")
_DATABASE, _BROKER = 0, 1
_WIRES = {
    "outage.sessions": (),
    "outage.database": (_DATABASE,),
    "outage.broker": (_BROKER,),
    "outage.both": (_DATABASE, _BROKER),
}


class Wire:
    """Carries bytes between the hub and a service while the gate lets it."""

    def __init__(self, number: int, url: str, port: int, gate: Gate) -> None:
        self._number = number
        place = urlsplit(url)
        self._there = (place.hostname or "127.0.0.1", place.port or port)
        self._gate = gate
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        who = f"{place.username or ''}{':' + place.password if place.password else ''}@" if place.username else ""
        self.url = place._replace(netloc=f"{who}127.0.0.1:{self._listening.getsockname()[1]}").geturl()

    def carry(self) -> None:
        """Take connections until the process ends."""
        while True:
            here, _ = self._listening.accept()
            if self._gate.refuses(self._number):
                _tear(here)
                continue
            threading.Thread(target=self._carry, args=(here,), daemon=True).start()

    def _carry(self, here: socket.socket) -> None:
        try:
            there = socket.create_connection(self._there, timeout=5)
        except OSError:
            _tear(here)
            return
        ends = {here: there, there: here}
        for end in ends:
            end.setblocking(True)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError), selectors.DefaultSelector() as ready:
            for end in ends:
                ready.register(end, selectors.EVENT_READ)
            while not self._gate.refuses(self._number):
                for key, _ in ready.select(0.02):
                    piece = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not piece:
                        raise OSError("closed")
                    ends[key.fileobj].sendall(piece)  # type: ignore[index]
        for end in ends:
            _tear(end)


def _tear(end: socket.socket) -> None:
    """Close without a goodbye: the other side sees a reset."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    end.close()


class Outages:
    """Wires to both services, and what is done to them."""

    def __init__(self, place: Place, gate: Gate) -> None:
        self._gate = gate
        self._sessions = cut_all_sessions(place)
        wires = [Wire(_DATABASE, place.database_url, 5432, gate), Wire(_BROKER, str(place.bus_url), 5672, gate)]
        self.place = msgspec.structs.replace(place, database_url=wires[_DATABASE].url, bus_url=wires[_BROKER].url)
        self._children = [Child(wire.carry) for wire in wires]

    def happen(self, kind: str, times: int, chance: random.Random) -> int:
        """So many outages under load, with a little peace between them. Returns how many."""
        self._gate.go(10)
        until = time.monotonic() + 20
        while not self._gate.count and time.monotonic() < until:
            time.sleep(0.01)  # a hub that does not find its database at its start ends, and is started again by others
        for _ in range(times):
            self._gate.go(60)
            time.sleep(chance.uniform(0.3, 1.2))
            if kind == "outage.sessions":
                for _ in range(3):
                    in_child(self._sessions)
                    time.sleep(chance.uniform(0.0, 0.3))
            for wire in _WIRES[kind]:
                self._gate.refuse(wire, True)
            time.sleep(chance.uniform(0.2, 2.5) if _WIRES[kind] else 0.0)
            for wire in _WIRES[kind]:
                self._gate.refuse(wire, False)
        time.sleep(0.5)
        return times

    def end(self) -> None:
        for child in self._children:
            child.kill()
