"""A client of `blobs serve` for Python 3.8 or newer: `python3 blobs_client.py SOCKET FILE…`."""

from __future__ import annotations

import io
import itertools
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

HEAD = struct.Struct("<BBIQ")  # 00, kind, number, place
FIRST, NEXT, BUNDLE = 1, 2, 4
REQUEST, REPLY, ITEM, END, CANCEL, CREDIT = range(5, 11)
PIECE = 60_000  # the longest datagram sent
STATUSES = ",not supported,malformed,failed,cancelled,timed out,busy,stopping,too large".split(",")


class CallError(Exception):
    """A call without an answer, or one that the server refuses."""


def varint(number: int) -> bytes:
    if number <= 250:
        return bytes([number])
    size = next(size for size in (2, 4, 8) if number < 1 << 8 * size)
    return bytes([250 + size.bit_length() - 1]) + number.to_bytes(size, "little")


def text(value: str) -> bytes:
    return varint(len(value.encode())) + value.encode()


class Reader(io.BytesIO):
    def take(self, size: int) -> bytes:
        if len(taken := self.read(size)) < size:
            raise ValueError(f"{size} bytes are needed, and {len(taken)} are left")
        return taken

    def varint(self) -> int:
        first = self.take(1)[0]
        return int.from_bytes(self.take(1 << first - 250), "little") if first > 250 else first

    def text(self) -> str:
        return self.take(self.varint()).decode()


class Blobs:
    """Calls, one after the other, while any number of watches run."""

    def __init__(self, path: str, timeout: float | None = None) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(path)
        self.timeout = timeout  # of each call, in seconds
        self._ids, self._received = itertools.count(1), {}  # parts by call
        self._begun, self._number, self._len = bytearray(), 0, 0  # a frame in pieces

    def put(self, name: str, content: bytes) -> int:
        return self._call(b"\x01" + text(name) + content).varint()

    def get(self, name: str) -> bytes:
        return self._call(b"\x02" + text(name)).read()[1:]  # A blob has a tag, too.

    def remove(self, name: str) -> None:
        self._send_frame(b"\x05" + text(name))

    def watch(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield changes of blobs. The first `next` begins the watch."""
        for change in self._answers(b"\x06" + text(prefix)):
            yield "stored" if change.varint() == 1 else "removed", change.text()

    def _call(self, frame: bytes) -> Reader:
        [answer] = self._answers(frame)
        if answer.varint() == 2:
            answer.varint()  # The refusal has a tag, too.
            raise CallError(answer.text())
        return answer

    def _answers(self, frame: bytes) -> Iterator[Reader]:
        """Make a call, and yield its answer or its items. Closing this cancels the call."""
        call, queue, millis, deadline = next(self._ids), deque(), 0, None
        if self.timeout is not None:
            millis, deadline = max(1, int(self.timeout * 1000)), time.monotonic() + self.timeout
        self._received[call] = queue
        self._send(REQUEST, millis, call, frame)
        try:
            while True:
                while not queue:
                    left = None if deadline is None else max(1e-6, deadline - time.monotonic())
                    for part in self._receive(left):  # Late ones are dropped.
                        self._received.get(part[2], deque()).append(part)
                kind, status, _, answer = queue.popleft()
                if status != 0:
                    raise CallError(STATUSES[status] if status < len(STATUSES) else "failed")
                if kind != END:
                    yield Reader(answer)
                if kind != ITEM:
                    return
                self._send(CREDIT, 1, call)
        except (GeneratorExit, socket.timeout):  # TimeoutError, since Python 3.10
            self._send(CANCEL, 0, call)
            raise
        finally:
            del self._received[call]

    def _send(self, kind: int, number: int, call: int, frame: bytes = b"") -> None:
        self._send_frame(HEAD.pack(0, kind, number, call) + frame)

    def _send_frame(self, whole: bytes) -> None:
        self._socket.settimeout(None)
        if len(whole) <= PIECE:
            self._socket.send(whole)
            return
        for at in range(0, len(whole), PIECE):
            head = HEAD.pack(0, NEXT if at else FIRST, 1, at or len(whole))
            self._socket.send(head + whole[at : at + PIECE])

    def _receive(self, timeout: float | None) -> list[tuple]:
        """Receive one datagram, and return its parts: kind, number, id, frame."""
        self._socket.settimeout(timeout)
        size = self._socket.recv_into(bytearray(1), 1, socket.MSG_PEEK | socket.MSG_TRUNC)
        if not (datagram := self._socket.recv(max(size, 1))):
            raise ConnectionError("the other side has closed the connection")
        return list(self._parts(datagram))

    def _parts(self, datagram: bytes) -> Iterator[tuple]:
        _, kind, number, place = HEAD.unpack_from(datagram)
        body = Reader(datagram[HEAD.size :])
        if kind == BUNDLE:
            for _ in range(place):
                yield from self._parts(body.take(body.varint()))
        elif kind not in (FIRST, NEXT):
            yield kind, number, place, body.read()
        else:
            if kind == FIRST:
                self._begun, self._number, self._len = bytearray(), number, place
            elif (number, place) != (self._number, len(self._begun)):
                raise ValueError(f"a piece for byte {place} comes after {len(self._begun)}")
            self._begun += body.read()
            if len(self._begun) == self._len:
                yield from self._parts(bytes(self._begun))


if __name__ == "__main__":
    blobs = Blobs(sys.argv[1])
    for path in map(Path, sys.argv[2:]):
        print(path.name, blobs.put(path.name, path.read_bytes()), len(blobs.get(path.name)))
