"""
A broker that does exactly what a script says: acks late, never, or for the wrong message.

It speaks just enough AMQP for a publisher: the handshake, one channel in confirm mode, publishes. The script
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
    """One connected publisher."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.channel = 1

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        self.say(spec.Basic.Ack(tag, multiple))

    def nack(self, tag: int) -> None:
        self.say(spec.Basic.Nack(tag, False, False))

    def give_back(self, message_id: str, routing_key: str) -> None:
        self.say(spec.Basic.Return(312, "NO_ROUTE", "suqiu.deliver", routing_key))
        header = frame.Header(self.channel, 1, spec.BasicProperties(message_id=message_id))
        self.connection.sendall(header.marshal() + frame.Body(self.channel, b"x").marshal())

    def say(self, method: Any, channel: int | None = None) -> None:
        number = self.channel if channel is None else channel
        self.connection.sendall(frame.Method(number, method).marshal())


class ScriptedBroker:
    """Listens on a free port; every connection starts counting tags at 1."""

    def __init__(self, script: Script) -> None:
        self._script = script
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
        peer, tag, publish, message_id = Peer(connection), 0, None, ""
        with contextlib.suppress(OSError):
            connection.recv(8)
            capabilities = {"publisher_confirms": True, "basic.nack": True, "connection.blocked": True}
            peer.say(spec.Connection.Start(0, 9, {"capabilities": capabilities}, b"PLAIN", b"en_US"), 0)
            for one in _frames(connection):
                if isinstance(one, frame.Method):
                    publish = one.method if one.method.NAME == "Basic.Publish" else publish
                    _answer(peer, one)
                elif isinstance(one, frame.Header):
                    message_id = str(one.properties.message_id)
                    tag += 1
                    assert publish is not None
                    self._script(peer, tag, message_id, publish.routing_key)


def _answer(peer: Peer, one: Any) -> None:
    answers: dict[str, Any] = {
        "Connection.StartOk": lambda: spec.Connection.Tune(10, 131072, 0),
        "Connection.Open": spec.Connection.OpenOk,
        "Connection.Close": spec.Connection.CloseOk,
        "Channel.Open": spec.Channel.OpenOk,
        "Channel.Close": spec.Channel.CloseOk,
        "Exchange.Declare": spec.Exchange.DeclareOk,
        "Confirm.Select": spec.Confirm.SelectOk,
    }
    if one.method.NAME == "Channel.Open":
        peer.channel = one.channel_number
    if one.method.NAME in answers:
        peer.say(answers[one.method.NAME](), one.channel_number)


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
