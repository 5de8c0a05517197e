"""A server of sums, for Python 3.8 or newer.

`python3 sums_server.py SOCKET` serves each connection on a thread. The protocol, in Rust:

    enum Sums<'a> {
        #[message(tag = 1, reply = Result<u64, String>)]
        Add { left: u64, right: u64 },
        #[message(tag = 2, reply = u64)]
        Length { #[message(rest)] content: &'a [u8] },
        #[message(tag = 3, items = Counted)]
        Count { to: u64 },
        #[message(tag = 4)]
        Note(u64),
        #[message(tag = 5, reply = u64)]
        Noted,
    }
    #[message(tag = 1)] struct Counted(u64);
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from wire import CANCEL, CREDIT, END, ITEM, ONE_WAY, REPLY, REQUEST, WINDOW
from wire import Connection, Part, Reader, text, varint

DONE, NOT_SUPPORTED, MALFORMED, FAILED, TIMED_OUT = 0, 1, 2, 3, 5


@dataclass
class Stream:
    """A call that is answered with items."""

    items: Iterator[bytes]
    deadline: float
    credit: int = WINDOW


class NotSupported(Exception):
    """No call has this tag."""


class Sums:
    """Handles calls."""

    def __init__(self) -> None:
        self.noted = 0

    def handle(self, frame: Reader) -> bytes | Iterator[bytes] | None:
        """Return the answer or items. Raise `ValueError`, and do nothing, for another frame."""
        tag = frame.varint()
        if tag == 1:
            total = frame.varint() + frame.varint()
            frame.end()
            return b"\x01" + varint(total) if total < 1 << 64 else b"\x02" + text("too much")
        if tag == 2:
            return b"\x01" + varint(len(frame.rest))
        if tag == 3:
            to = frame.varint()
            frame.end()
            return (b"\x01" + varint(number) for number in range(to))
        if tag == 4:
            number = frame.varint()
            frame.end()
            self.noted += number
            return None
        if tag == 5:
            frame.end()
            return b"\x01" + varint(self.noted)
        raise NotSupported


class Session:
    """Serves one connection."""

    def __init__(self, connection: Connection, sums: Sums) -> None:
        self._connection, self._sums = connection, sums
        self._streams: dict[int, Stream] = {}

    def run(self) -> None:
        while True:
            self._send_items()
            deadline = min((stream.deadline for stream in self._streams.values()), default=inf)
            left = None if deadline == inf else max(1e-6, deadline - time.monotonic())
            try:
                parts = self._connection.receive(left)
            except socket.timeout:  # TimeoutError, since Python 3.10
                continue
            for part in parts:
                self._accept(part)

    def _accept(self, part: Part) -> None:
        if part.kind in (REQUEST, ONE_WAY):
            self._begin(part)
        elif part.kind == CANCEL:
            self._streams.pop(part.id, None)
        elif part.kind == CREDIT and part.id in self._streams:
            self._streams[part.id].credit += part.number

    def _begin(self, request: Part) -> None:
        try:
            answer, status = self._sums.handle(Reader(request.frame)), DONE
        except NotSupported:
            answer, status = b"", NOT_SUPPORTED
        except ValueError:
            answer, status = b"", MALFORMED
        if request.kind == ONE_WAY:
            return
        if isinstance(answer, Iterator):
            deadline = time.monotonic() + request.number / 1000 if request.number else inf
            self._streams[request.id] = Stream(answer, deadline)
        else:
            status = FAILED if answer is None else status
            self._connection.send(Part(REPLY, status, request.id, answer or b""))

    def _send_items(self) -> None:
        for call, stream in list(self._streams.items()):
            end = TIMED_OUT if time.monotonic() >= stream.deadline else None
            while end is None and stream.credit > 0:
                if (item := next(stream.items, None)) is None:
                    end = DONE
                else:
                    stream.credit -= 1
                    self._connection.send(Part(ITEM, 0, call, item))
            if end is not None:
                self._connection.send(Part(END, end, call))
                del self._streams[call]


def serve(connected: socket.socket, sums: Sums) -> None:
    with connected:
        try:
            Session(Connection(connected), sums).run()
        except (ConnectionError, ValueError) as error:
            print(f"a connection has ended: {error}", file=sys.stderr)


if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        print("serving", file=sys.stderr, flush=True)
        sums = Sums()
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0], sums), daemon=True).start()
