"""The parts of the wire format that the server needs: parts of calls over a UNIX socket, and bincode values."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

HEAD = struct.Struct("<BBIQ")  # 00, kind, number, place
FIRST, NEXT, BUNDLE = 1, 2, 4
REQUEST, REPLY, ITEM, END, CANCEL, CREDIT = range(5, 11)
ONE_WAY = 0  # not a kind: a frame without a head
WINDOW = 16  # how many items a server may send before it gets credit
PIECE = 60_000  # the longest datagram sent


def varint(number: int) -> bytes:
    if number <= 250:
        return bytes([number])
    size = next(size for size in (2, 4, 8) if number < 1 << 8 * size)
    return bytes([250 + size.bit_length() - 1]) + number.to_bytes(size, "little")


def text(value: str) -> bytes:
    return varint(len(value.encode())) + value.encode()


class Reader:
    """Takes values from the front of a frame."""

    def __init__(self, frame: bytes) -> None:
        self.rest = frame

    def take(self, size: int) -> bytes:
        if size > len(self.rest):
            raise ValueError(f"{size} bytes are needed, and {len(self.rest)} are left")
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def varint(self) -> int:
        first = self.take(1)[0]
        return int.from_bytes(self.take(1 << first - 250), "little") if first > 250 else first

    def text(self) -> str:
        return self.take(self.varint()).decode()

    def end(self) -> None:
        if self.rest:
            raise ValueError(f"{len(self.rest)} bytes are left")


class Part(NamedTuple):
    kind: int
    number: int
    id: int
    frame: bytes = b""


class Connection:
    """Sends and receives parts of calls."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._begun, self._number, self._total = bytearray(), 0, 0

    def send(self, part: Part) -> None:
        self.socket.settimeout(None)
        whole = part.frame if part.kind == ONE_WAY else HEAD.pack(0, *part[:3]) + part.frame
        if len(whole) <= PIECE:
            self.socket.send(whole)
            return
        for at in range(0, len(whole), PIECE):
            head = HEAD.pack(0, NEXT if at else FIRST, 1, at or len(whole))
            self.socket.send(head + whole[at : at + PIECE])

    def receive(self, timeout: float | None = None) -> list[Part]:
        """Receive one datagram, and return the parts that it holds or completes."""
        self.socket.settimeout(timeout)
        size = self.socket.recv_into(bytearray(1), 1, socket.MSG_PEEK | socket.MSG_TRUNC)
        if not (datagram := self.socket.recv(max(size, 1))):
            raise ConnectionError("the other side has closed the connection")
        return list(self._parts(datagram))

    def _parts(self, datagram: bytes) -> Iterator[Part]:
        if datagram[0] != 0:
            yield Part(ONE_WAY, 0, 0, datagram)
            return
        _, kind, number, place = HEAD.unpack_from(datagram)
        body = datagram[HEAD.size :]
        if kind == BUNDLE:
            bundle = Reader(body)
            for _ in range(place):
                yield from self._parts(bundle.take(bundle.varint()))
        elif kind in (FIRST, NEXT):
            if kind == FIRST:
                self._begun, self._number, self._total = bytearray(), number, place
            elif (number, place) != (self._number, len(self._begun)):
                raise ValueError(f"a piece for byte {place} comes after {len(self._begun)}")
            self._begun += body
            if len(self._begun) == self._total:
                yield from self._parts(bytes(self._begun))
        else:
            yield Part(kind, number, place, body)
