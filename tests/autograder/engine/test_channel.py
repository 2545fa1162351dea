"""Messages over a pair of sockets: whole, in pieces, too large, damaged, and from a side that is gone."""

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.engine.channel import MAX_MESSAGE_BYTES, Channel, ChannelError, ChannelTimeoutError


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), theirs


def test_messages_arrive_whole_and_in_order(ends) -> None:
    channel, theirs = ends
    other = Channel(theirs)
    large = b"x" * 3_000_000
    sending = threading.Thread(target=lambda: (other.send("one", 1), other.send("two", large)))
    sending.start()
    assert channel.receive(5) == ["one", 1]
    assert channel.receive(5) == ["two", large]
    sending.join()


def test_a_message_in_pieces_survives_a_timeout_in_between(ends) -> None:
    channel, theirs = ends
    data = b"\x91\xa3one"
    theirs.sendall(struct.pack(">I", len(data)) + data[:2])
    with pytest.raises(ChannelTimeoutError):
        channel.receive(0.05)
    theirs.sendall(data[2:])
    assert channel.receive(1) == ["one"]


def test_a_message_that_claims_to_be_huge_is_refused_before_it_is_read(ends) -> None:
    channel, theirs = ends
    theirs.sendall(struct.pack(">I", MAX_MESSAGE_BYTES + 1))
    started = time.monotonic()
    with pytest.raises(ChannelError, match="too large"):
        channel.receive(5)
    assert time.monotonic() - started < 1


@given(st.binary(max_size=100))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack(">I", len(data)) + data)
        try:
            assert isinstance(Channel(ours).receive(1), list)
        except ChannelError:
            return


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_an_answer_that_fits_no_order_by_chance(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack(">I", len(data)) + data)
        token, kind, content = Channel(ours).receive_answer(1)
        assert token == data[:16]
        assert len(kind) <= 255
        assert data.endswith(content)


def test_answers_repeat_the_token_and_come_back_unread(ends) -> None:
    channel, theirs = ends
    Channel(theirs).send_answer(bytes(range(16)), "ran", b"\xc1 no MessagePack")
    assert channel.receive_answer(1) == (bytes(range(16)), "ran", b"\xc1 no MessagePack")


def test_nobody_waits_for_ever_for_a_side_that_does_not_read(ends) -> None:
    channel, _ = ends
    with pytest.raises(ChannelError, match="gone"):
        channel.send(b"x" * 5_000_000, seconds=0.1)


def test_the_end_of_the_other_side_is_told(ends) -> None:
    channel, theirs = ends
    theirs.close()
    with pytest.raises(ChannelError, match="gone"):
        channel.receive(1)
    with pytest.raises(ChannelError, match="gone"):
        channel.send("anybody?")
