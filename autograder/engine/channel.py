"""Messages between the processes of the engine: a length, then MessagePack; sizes are checked before parsing."""

import socket
import struct
import time
from typing import Any

import msgpack

MAX_MESSAGE_BYTES = 40_000_000
"""Largest message, in bytes: two values of the largest size, and some outputs."""

_LENGTH = struct.Struct(">I")


class ChannelError(Exception):
    """The other side is gone, or what it sent is no message."""


class ChannelTimeoutError(Exception):
    """Nothing complete came in time; what came so far is kept."""


class Channel:
    """One end of a connected pair of stream sockets."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._buffer = bytearray()

    def send(self, *message: object) -> None:
        """Send a message: plain values, and bytes.

        Raises `ChannelError` where nobody takes it any more.
        """
        data: bytes = msgpack.packb(message, use_bin_type=True)
        try:
            self.end.settimeout(None)
            self.end.sendall(_LENGTH.pack(len(data)) + data)
        except OSError as error:
            raise ChannelError("the other side is gone") from error

    def receive(self, seconds: float | None = None) -> list[Any]:
        """Wait for the next message, at most `seconds`.

        Raises `ChannelTimeoutError` when the time is over, `ChannelError` when the other side is gone or sends what is
        no message.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        self._fill(_LENGTH.size, deadline)
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAX_MESSAGE_BYTES:
            raise ChannelError("a message is too large")
        self._fill(_LENGTH.size + length, deadline)
        data = bytes(self._buffer[_LENGTH.size : _LENGTH.size + length])
        del self._buffer[: _LENGTH.size + length]
        try:
            message = msgpack.unpackb(data, raw=False, strict_map_key=False)
        except Exception as error:  # whatever forged bytes make the parser raise, they are no message
            raise ChannelError("a message is damaged") from error
        if not isinstance(message, list) or not message:
            raise ChannelError("a message is damaged")
        return message

    def _fill(self, size: int, deadline: float | None) -> None:
        """Read until `size` bytes are there."""
        while len(self._buffer) < size:
            try:
                self.end.settimeout(None if deadline is None else max(deadline - time.monotonic(), 0.0001))
                read = self.end.recv(min(size - len(self._buffer) + 4096, 1 << 20))
            except TimeoutError:
                raise ChannelTimeoutError from None
            except OSError as error:
                raise ChannelError("the other side is gone") from error
            if not read:
                raise ChannelError("the other side is gone")
            self._buffer += read
