import dataclasses
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertModel

from labkit.models import weights
from labkit.models.errors import ModelFileError


def test_reads_back_what_was_written(tiny_file):
    tiny = tiny_file()
    file = weights.parse(tiny.to_bytes())
    assert file.pieces == tiny.pieces
    assert (file.special.bos, file.special.eos, file.special.pad, file.special.unk) == (0, 2, 1, 3)
    state = weights.state_dict(file)
    np.testing.assert_array_equal(state["embeddings.word_embeddings.weight"].numpy(), tiny.values["emb.word"])
    np.testing.assert_array_equal(state["encoder.layer.0.output.dense.weight"].numpy(), tiny.values["l0.fo.w"])
    np.testing.assert_array_equal(
        state["encoder.layer.0.attention.output.LayerNorm.bias"].numpy(), tiny.values["l0.aln.b"]
    )


def test_state_fits_the_architecture_exactly(tiny_file):
    file = weights.parse(tiny_file(layers=2).to_bytes())
    config = BertConfig(
        vocab_size=file.shape.vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=48,
    )
    BertModel(config, add_pooling_layer=False).load_state_dict(weights.state_dict(file), strict=True)


def test_only_the_wanted_rows_in_the_wanted_order(tiny_file):
    tiny = tiny_file()
    file = weights.parse(tiny.to_bytes())
    state = weights.state_dict(file, np.array([5, 2]))
    np.testing.assert_array_equal(state["embeddings.word_embeddings.weight"].numpy(), tiny.values["emb.word"][[5, 2]])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"magic": b"GGUF"}, "does not begin with E5S1"),
        ({"version": 2}, "version 2"),
        ({"hidden": 0}, "number of hidden is 0"),
        ({"layers": -1}, "number of layers"),
        ({"heads": 3}, "do not divide among 3 heads"),
        ({"block": 64}, "blocks of 32"),
        ({"eps": float("nan")}, "eps"),
        ({"spare": -1}, "pieces for"),
        ({"special": (0, 0, 1, 3)}, "special pieces"),
        ({"special": (0, 2, 1, 9999)}, "special pieces"),
        ({"pieces": (("a", 0.0), ("a", 0.0), ("b", 0.0), ("c", 0.0))}, "twice"),
        ({"pieces": (("a", 0.0), ("", 0.0), ("b", 0.0), ("c", 0.0))}, "empty"),
        ({"pieces": (("a", float("inf")), ("d", 0.0), ("b", 0.0), ("c", 0.0))}, "no number"),
        ({"skip": ("l0.q.w",)}, "missing, l0.q.w"),
        ({"extra": {"l9.q.w": (0, 18)}}, "unknown or there twice"),
        ({"extra": {"emb.ln.w": (0, 128)}}, "unknown or there twice"),
        ({"skip": ("emb.ln.w",), "extra": {"emb.ln.w": (2**63, 128)}}, "leaves the file"),
        ({"skip": ("emb.ln.w",), "extra": {"emb.ln.w": (0, 4)}}, "4 bytes, not 128"),
    ],
)
def test_damage_is_named_in_one_line(tiny_file, change, complaint):
    with pytest.raises(ModelFileError, match=complaint) as caught:
        weights.parse(tiny_file(**change).to_bytes())
    assert "\n" not in str(caught.value)


def test_piece_that_is_not_utf8(tiny_file):
    data = tiny_file().to_bytes().replace("▁quality".encode(), b"\xff\xff\xff" + b"quality", 1)
    with pytest.raises(ModelFileError, match="UTF-8"):
        weights.parse(data)


def test_a_scale_that_is_no_number(tiny_file):
    tiny = tiny_file()
    row = len(tiny.to_bytes()) - sum(len(raw) for raw in tiny._body().values())  # the first tensor begins here
    data = bytearray(tiny.to_bytes())
    data[row : row + 2] = struct.pack("<e", float("nan"))
    with pytest.raises(ModelFileError, match="no numbers"):
        weights.state_dict(weights.parse(bytes(data)))


@pytest.mark.parametrize("size", [0, 3, 7, 40, 71, 72, 500, 5000])
def test_a_file_cut_short(tiny_file, size):
    with pytest.raises(ModelFileError):
        weights.parse(tiny_file().to_bytes()[:size])


def test_missing_and_oversized_files(tmp_path, monkeypatch):
    with pytest.raises(ModelFileError, match="cannot be read"):
        weights.read(tmp_path / "none.bin")
    (tmp_path / "big.bin").write_bytes(b"E5S1" * 10)
    monkeypatch.setattr(weights, "MAX_BYTES", 39)
    with pytest.raises(ModelFileError, match="the limit is 39"):
        weights.read(tmp_path / "big.bin")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 7000), value=st.binary(min_size=1, max_size=8))
def test_changed_bytes_never_crash(tiny_file, at, value):
    """Whatever the header claims, the answer is a file that can be used or a ModelFileError."""
    data = bytearray(tiny_file().to_bytes())
    data[at : at + len(value)] = value
    try:
        file = weights.parse(bytes(data))
        state = weights.state_dict(file)
    except ModelFileError:
        return
    assert len(state) == 5 + 16 * file.shape.layers


@settings(max_examples=50, deadline=None)
@given(nibbles=st.lists(st.integers(0, 15), min_size=32, max_size=32), scale=st.floats(-4, 4, width=16))
def test_one_block_of_4_bit_numbers(nibbles, scale):
    packed = bytes(low | high << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True))
    raw = np.frombuffer(struct.pack("<e", scale) + packed, np.uint8)
    np.testing.assert_array_equal(weights._unpack(raw, 32).numpy()[0], [(n - 8) * scale for n in nibbles])


def test_shape_lists_every_size_of_the_header():
    assert [field.name for field in dataclasses.fields(weights.Shape)] == [*weights._CAPS, "eps"]
