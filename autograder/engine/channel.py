"""Messages between the processes of the engine: a length, then content; sizes are checked before parsing.

Orders go out as MessagePack. Answers come back as a token, a kind and bytes, which need no parsing to be told apart: an
answer may be forged, and a small message can stand for millions of things.
"""

import socket
import struct
import time
from typing import Any

import msgpack

MAX_MESSAGE_BYTES = 40_000_000
"""Largest message, in bytes: two values of the largest size, and some outputs."""

TOKEN_BYTES = 16
"""Length of the token that an order carries and its answer repeats."""

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

    def send(self, *message: object, seconds: float | None = None) -> None:
        """Send a message: plain values, and bytes.

        Raises `ChannelError` where nobody takes it, or not within `seconds`.
        """
        data: bytes = msgpack.packb(message, use_bin_type=True)
        self._send(data, seconds)

    def send_answer(self, token: bytes, kind: str, content: bytes) -> None:
        """Send an answer to the order with this token; raises `ChannelError` where nobody takes it."""
        name = kind.encode()
        self._send(token + bytes([len(name)]) + name + content, None)

    def _send(self, data: bytes, seconds: float | None) -> None:
        try:
            self.end.settimeout(seconds)
            self.end.sendall(_LENGTH.pack(len(data)) + data)
        except OSError as error:  # after a timeout half a message may be on its way, so nothing can follow
            raise ChannelError("the other side is gone") from error

    def receive(self, seconds: float | None = None) -> list[Any]:
        """Wait for the next message, at most `seconds`.

        Raises `ChannelTimeoutError` when the time is over, `ChannelError` when the other side is gone or sends what is
        no message.
        """
        return unpacked(self._receive(seconds))

    def receive_answer(self, seconds: float) -> tuple[bytes, str, bytes]:
        """Wait for the next answer, as `receive` does; return its token, its kind and its content, unread."""
        data = self._receive(seconds)
        end = TOKEN_BYTES + 1 + data[TOKEN_BYTES] if len(data) > TOKEN_BYTES else len(data)
        kind = data[TOKEN_BYTES + 1 : end].decode(errors="replace")
        return data[:TOKEN_BYTES], kind, data[end:]

    def _receive(self, seconds: float | None) -> bytes:
        deadline = None if seconds is None else time.monotonic() + seconds
        self._fill(_LENGTH.size, deadline)
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAX_MESSAGE_BYTES:
            raise ChannelError("a message is too large")
        self._fill(_LENGTH.size + length, deadline)
        data = bytes(self._buffer[_LENGTH.size : _LENGTH.size + length])
        del self._buffer[: _LENGTH.size + length]
        return data

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


def unpacked(data: bytes) -> list[Any]:
    """Return the parts of a message; raises `ChannelError` for bytes that are none."""
    try:
        message = msgpack.unpackb(data, raw=False, strict_map_key=False)
    except Exception as error:  # whatever forged bytes make the parser raise, they are no message
        raise ChannelError("a message is damaged") from error
    if not isinstance(message, list):
        raise ChannelError("a message is damaged")
    return message
