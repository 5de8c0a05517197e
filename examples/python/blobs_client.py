"""A client of a store of blobs.

`python3 blobs_client.py SOCKET FILE…` stores files, and reads them back. The protocol, in Rust:

    enum Blobs<'a> {
        #[message(tag = 1, reply = Result<u64, Refused>)]
        Put { name: &'a str, #[message(rest)] content: &'a [u8] },
        #[message(tag = 2, reply = Result<Blob<'_>, Refused>)]
        Get { name: &'a str },
        #[message(tag = 3, items = Change<'_>)]
        Watch { prefix: &'a str },
        #[message(tag = 5)]
        Touch { name: &'a str },
    }
"""

import itertools
import socket
import sys
import time
from collections import deque
from collections.abc import Generator
from pathlib import Path

from wire import CANCEL, CREDIT, ITEM, ONE_WAY, REQUEST, WINDOW
from wire import Connection, Part, Reader, text

STATUSES = ("", "not supported", "malformed", "failed", "cancelled", "timed out", "busy")
STATUSES += ("stopping", "too large")
REFUSALS = ("full", "not found")
CHANGES = {1: "added", 2: "removed"}
Changes = Generator[tuple[str, str], None, None]


class CallError(Exception):
    """A call without an answer."""


class Refused(Exception):
    """An error of the protocol."""


class Blobs:
    """Calls, one after the other, while any number of watches run."""

    def __init__(self, path: str) -> None:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connected.connect("\0" + path[1:] if path.startswith("@") else path)
        self._connection = Connection(connected)
        self._ids = itertools.count(1)
        self._received: dict[int, deque[Part]] = {}
        self.dropped = 0

    def put(self, name: str, content: bytes, timeout: float | None = None) -> int:
        """Store a blob. Return how many bytes are stored now."""
        return self._call(b"\x01" + text(name) + content, timeout).varint()

    def get(self, name: str, timeout: float | None = None) -> bytes:
        blob = self._call(b"\x02" + text(name), timeout)
        _tag, _name = blob.varint(), blob.text()  # A blob is a message, too.
        return blob.rest

    def watch(self, prefix: str, timeout: float | None = None) -> Changes:
        """Return what happens to blobs, as it happens. Close it to end that."""
        call, deadline = self._begin(b"\x03" + text(prefix), timeout)
        return self._changes(call, deadline)

    def touch(self, name: str) -> None:
        self._connection.send(Part(ONE_WAY, 0, 0, b"\x05" + text(name)))

    def _changes(self, call: int, deadline: float | None) -> Changes:
        try:
            for taken in itertools.count(1):
                part = self._next(call, deadline)
                if part.kind != ITEM:
                    return self._end(part)
                if taken % (WINDOW // 2) == 0:
                    self._connection.send(Part(CREDIT, WINDOW // 2, call))
                change = Reader(part.frame)
                yield CHANGES[change.varint()], change.text()
        except (GeneratorExit, TimeoutError):
            self._connection.send(Part(CANCEL, 0, call))
            raise
        finally:
            del self._received[call]

    def _call(self, frame: bytes, timeout: float | None) -> Reader:
        call, deadline = self._begin(frame, timeout)
        try:
            part = self._next(call, deadline)
        except TimeoutError:
            self._connection.send(Part(CANCEL, 0, call))
            raise
        finally:
            del self._received[call]
        self._end(part)
        answer = Reader(part.frame)
        if answer.varint() == 2:
            raise Refused(REFUSALS[answer.varint()])
        return answer

    def _begin(self, frame: bytes, timeout: float | None) -> tuple[int, float | None]:
        call = next(self._ids)
        self._received[call] = deque()
        millis = 0 if timeout is None else max(1, int(timeout * 1000))
        self._connection.send(Part(REQUEST, millis, call, frame))
        return call, None if timeout is None else time.monotonic() + timeout

    def _next(self, call: int, deadline: float | None) -> Part:
        """Wait for the next part of a call, and keep those of others."""
        while not self._received[call]:
            left = None if deadline is None else max(1e-6, deadline - time.monotonic())
            for part in self._connection.receive(left):
                if part.id in self._received:
                    self._received[part.id].append(part)
                else:
                    self.dropped += 1  # Late or forged.
        return self._received[call].popleft()

    def _end(self, part: Part) -> None:
        if part.number:
            raise CallError(STATUSES[part.number] if part.number < len(STATUSES) else "failed")


if __name__ == "__main__":
    blobs = Blobs(sys.argv[1])
    for path in map(Path, sys.argv[2:]):
        print(path.name, blobs.put(path.name, path.read_bytes()), len(blobs.get(path.name)))
