"""
A broker that does exactly what a script says: acks late, never, or for the wrong message.

It speaks just enough AMQP for a publisher: the handshake, channels in confirm mode, publishes. The script
is called with each publish's delivery tag, message id and routing key, and answers through `Peer`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

from pika import frame, spec

Script = Callable[["Peer", int, str, str], None]


class Peer:
    """One channel of a connected publisher."""

    def __init__(self, connection: socket.socket, channel: int) -> None:
        self.connection = connection
        self.channel = channel
        self.tag = 0
        self.routing_key = ""

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        self.say(spec.Basic.Ack(tag, multiple))

    def nack(self, tag: int) -> None:
        self.say(spec.Basic.Nack(tag, False, False))

    def give_back(self, message_id: str, routing_key: str) -> None:
        self.say(spec.Basic.Return(312, "NO_ROUTE", "suqiu.deliver", routing_key))
        header = frame.Header(self.channel, 1, spec.BasicProperties(message_id=message_id))
        self.connection.sendall(header.marshal() + frame.Body(self.channel, b"x").marshal())

    def say(self, method: Any) -> None:
        self.connection.sendall(frame.Method(self.channel, method).marshal())


class ScriptedBroker:
    """Listens on a free port. `keeps_open`: a channel that was published on is never closed, as if stuck."""

    def __init__(self, script: Script, *, keeps_open: bool = False) -> None:
        self._script = script
        self._keeps_open = keeps_open
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        peers: dict[int, Peer] = {}
        with contextlib.suppress(OSError):
            connection.recv(8)
            capabilities = {"publisher_confirms": True, "basic.nack": True, "connection.blocked": True}
            Peer(connection, 0).say(
                spec.Connection.Start(0, 9, {"capabilities": capabilities}, b"PLAIN", b"en_US")
            )
            for one in _frames(connection):
                peer = peers.setdefault(one.channel_number, Peer(connection, one.channel_number))
                if isinstance(one, frame.Method):
                    self._answer(peer, one.method)
                elif isinstance(one, frame.Header):
                    peer.tag += 1
                    self._script(peer, peer.tag, str(one.properties.message_id), peer.routing_key)
        connection.close()

    def _answer(self, peer: Peer, method: Any) -> None:
        if method.NAME == "Basic.Publish":
            peer.routing_key = method.routing_key
        elif method.NAME == "Channel.Open":
            peer.tag = 0
        if method.NAME in ANSWERS and not (method.NAME == "Channel.Close" and peer.tag and self._keeps_open):
            peer.say(ANSWERS[method.NAME]())


ANSWERS: dict[str, Callable[[], Any]] = {
    "Connection.StartOk": lambda: spec.Connection.Tune(2047, 131072, 0),
    "Connection.Open": spec.Connection.OpenOk,
    "Connection.Close": spec.Connection.CloseOk,
    "Channel.Open": spec.Channel.OpenOk,
    "Channel.Close": spec.Channel.CloseOk,
    "Exchange.Declare": spec.Exchange.DeclareOk,
    "Confirm.Select": spec.Confirm.SelectOk,
}


def _frames(connection: socket.socket) -> Any:
    buffer = b""
    while data := connection.recv(65536):
        buffer += data
        while buffer:
            used, one = frame.decode_frame(buffer)
            if one is None:
                break
            buffer = buffer[used:]
            yield one
