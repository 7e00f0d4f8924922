"""HTTP answers that take little of the machine from whoever is measured."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answering(BaseHTTPRequestHandler):
    """Answers 200 with the JSON that `get` and `post` make; keeps connections open, logs nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def get(self, path: str) -> bytes:
        """The answer to a GET."""
        raise NotImplementedError

    def post(self, path: str) -> bytes:
        """The answer to a POST, whose body was read and does not matter."""
        raise NotImplementedError

    def do_GET(self) -> None:
        self._answer(self.get(self.path))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(self.post(self.path))

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def _answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)


def serve(handler: type[Answering], told: str) -> None:
    """On a free port of the loopback, for ever. Prints `told` with the port where {port} stands."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    print(told.format(port=server.server_address[1]), flush=True)
    server.serve_forever()
