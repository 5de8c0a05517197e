"""Calls a server of blobs in every way, and checks the answers."""

import socket
import sys
import time

from blobs_client import Blobs, CallError

blobs = Blobs(sys.argv[1])


def error(of, *arguments, timeout=None):
    blobs.timeout = timeout
    try:
        return of(*arguments)
    except (CallError, socket.timeout) as raised:
        return type(raised), str(raised)
    finally:
        blobs.timeout = None


# Values and errors of the protocol.
assert blobs.put("a", b"xyz") == 3
assert blobs.get("a") == b"xyz"
assert blobs.put("\u00e9" * 200, b"") == 0
assert blobs.get("\u00e9" * 200) == b""
assert error(blobs.put, "too much", b"") == (CallError, "full")
assert error(blobs.get, "missing") == (CallError, "not found")

# In pieces, in both directions, and around the length where they begin.
for size in [*range(59_980, 60_010), 213_000, 6_000_000]:
    content = bytes(range(251)) * (size // 251 + 1)
    blobs.put("large", content[:size])
    assert blobs.get("large") == content[:size], size

# Why there is no answer.
assert error(blobs.get, "panic") == (CallError, "failed")
assert error(blobs._call, b"\x63") == (CallError, "not supported")
assert error(blobs._call, b"\x02\x09") == (CallError, "malformed")
assert error(blobs._call, b"\x01" + bytes(17 << 20)) == (CallError, "too large")
assert error(blobs._call, b"\x05\x01b") == (CallError, "failed")

# A deadline that passes, usually here first, and one that does not.
assert error(blobs.get, "slow", timeout=0.05)[0] in (socket.timeout, CallError)
assert error(blobs.get, "a", timeout=100) == b"xyz"

# More changes than the credit, while other calls are made.
blobs.put("w/", b"")
changes = blobs.watch("w/")
assert next(changes) == ("stored", "w/")
for number in range(100):
    blobs.put(f"w/{number}", b"")
    blobs.put(f"v/{number}", b"")
for number in range(100):
    assert next(changes) == ("stored", f"w/{number}")
blobs.remove("w/1")
assert next(changes) == ("removed", "w/1")
assert error(blobs.get, "w/1") == (CallError, "not found")

# Closing it ends it at the server, too. So does a deadline.
changes.close()
assert list(blobs._received) == []
assert error(list, blobs.watch("nothing"), timeout=0.05)[0] in (socket.timeout, CallError)
while (ended := blobs.get("watches that have ended")) != b"2":
    assert ended in (b"0", b"1"), ended
    time.sleep(0.01)
print("done")
