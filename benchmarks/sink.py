"""One process that takes what every tracer sends, and counts it.

`Sink` starts it and stops it. The counts are read from a file in shared memory, so that a tracer's
process can look at them without a request, which would be measured with the rest.
"""

from __future__ import annotations

import asyncio
import functools
import mmap
import struct
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.accepted import Accepted, accept

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_COUNTS = struct.Struct("<QQQ")
_HOLD, _RELEASE = "/sink/hold", "/sink/release"


class Counts(NamedTuple):
    """What a sink was given so far."""

    spans: int
    requests: int
    bytes: int


class Tally:
    """The counts of a sink, shared between processes.

    Attributes:
        path: File that holds them.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with self.path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _COUNTS.size)

    def read(self) -> Counts:
        """Return the counts as they are now."""
        return Counts(*_COUNTS.unpack_from(self._memory))

    def add(self, spans: int, size: int) -> None:
        """Count one request; called by the sink alone."""
        before = self.read()
        now = before.spans + spans, before.requests + 1, before.bytes + size
        _COUNTS.pack_into(self._memory, 0, *now)

    def close(self) -> None:
        """Let go of the file."""
        self._memory.close()


class Sink:
    """A sink in a process of its own, as a block.

    Attributes:
        url: Where it listens.
        tally: Its counts.
        tally_path: The file that another process opens a `Tally` with.
    """

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self.tally_path = Path(self._folder.name) / "counts"
        self.tally_path.write_bytes(bytes(_COUNTS.size))
        self.tally = Tally(self.tally_path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sink", str(self.tally_path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
            text=True,
        )
        if self._process.stdout is None:
            raise RuntimeError("the sink has no standard output")
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self.tally.close()
        self._folder.cleanup()


def hold(url: str) -> None:
    """Have a sink give no answers from now on."""
    _ask(url + _HOLD)


def release(url: str) -> None:
    """Have a sink give the answers that it held back, and those that follow at once."""
    _ask(url + _RELEASE)


def _ask(address: str) -> None:
    with urllib.request.urlopen(address, timeout=10) as response:
        response.read()


class _Connection(asyncio.Protocol):
    """One connection: requests in, answers out, one after the other."""

    def __init__(self, tally: Tally, held: _Held) -> None:
        self._tally = tally
        self._held = held
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._next_request()) is not None:
            path, headers, body = request
            if path in (_HOLD, _RELEASE):
                self._held.set(on=path == _HOLD)
                self._write(Accepted(0))
                continue
            accepted = accept(path, headers, body)
            self._tally.add(accepted.spans, len(body))
            self._held.answer(functools.partial(self._write, accepted))

    def _next_request(self) -> tuple[str, dict[bytes, bytes], bytes] | None:
        """Take a whole request out of what was received, if there is one."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = bytes(self._received[:end]).split(b"\r\n")
        split = [line.partition(b":") for line in lines]
        headers = {name.lower(): value.strip().lower() for name, _, value in split}
        end += 4
        if headers.get(b"transfer-encoding") == b"chunked":
            body, after = _join_chunks(self._received, end)
        else:
            after = end + int(headers.get(b"content-length", 0))
            body = bytes(self._received[end:after])
        if after < 0 or after > len(self._received):
            return None
        del self._received[:after]
        return first.split(b" ")[1].decode(), headers, body

    def _write(self, accepted: Accepted) -> None:
        if not self._transport.is_closing() and isinstance(self._transport, asyncio.Transport):
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
                % (accepted.kind, len(accepted.body), accepted.body)
            )


def _join_chunks(received: bytearray, at: int) -> tuple[bytes, int]:
    """Return a chunked body and where it ends, -1 while it has not all come."""
    body = bytearray()
    while (line := received.find(b"\r\n", at)) >= 0:
        size = int(received[at:line].split(b";")[0], 16)
        at = line + 2
        body += received[at : at + size]
        at += size + 2
        if not size:
            return bytes(body), at
    return b"", -1


class _Held:
    """The answers that are held back."""

    def __init__(self) -> None:
        self._on = False
        self._waiting: list[Callable[[], None]] = []

    def set(self, *, on: bool) -> None:
        self._on = on
        if not on:
            waiting, self._waiting = self._waiting, []
            for write in waiting:
                write()

    def answer(self, write: Callable[[], None]) -> None:
        if self._on:
            self._waiting.append(write)
        else:
            write()


async def _serve(path: str) -> None:
    tally, held = Tally(path), _Held()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(tally, held), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
