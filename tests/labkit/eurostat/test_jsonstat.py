"""JSON-stat is read exactly, written back the same, and refused in one line when it is wrong."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.eurostat import Cube, Dimension, JsonStatError, jsonstat
from labkit.eurostat import cube as cube_module

SMALL: dict[str, Any] = {
    "version": "2.0",
    "class": "dataset",
    "label": "A small table",
    "source": "ESTAT",
    "value": {"0": 1, "2": 3.5, "5": 6},
    "status": {"2": "b", "4": "c"},
    "id": ["geo", "time"],
    "size": [2, 3],
    "dimension": {
        "geo": {"label": "Country", "category": {"index": {"MT": 1, "CY": 0}, "label": {"MT": "Malta"}}},
        "time": {"category": {"index": ["2021", "2023", "2024"]}},
    },
    "role": {"time": ["time"], "geo": ["geo"]},
}


def changed(**parts: Any) -> dict[str, Any]:
    return copy.deepcopy(SMALL) | parts


def geo_index(index: Any) -> dict[str, Any]:
    document = changed()
    document["dimension"]["geo"]["category"]["index"] = index
    return document


def rows(cube: Cube, **how: bool) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in cube.to_frame(**how).itertuples(index=False)]


def test_last_dimension_moves_fastest_and_positions_come_from_the_index() -> None:
    frame = jsonstat.decode(SMALL).to_frame()
    assert list(frame.columns) == ["geo", "time", "value", "status"]
    assert frame.drop(columns="value").to_numpy().tolist() == [
        ["CY", "2021", ""],
        ["CY", "2024", "b"],
        ["MT", "2023", "c"],  # a flag without a number is a row: something is known about the cell
        ["MT", "2024", ""],
    ]
    assert frame["value"].tolist()[:2] == [1.0, 3.5]
    assert math.isnan(frame["value"][2])
    assert frame["value"].dtype == "float64"
    assert all(isinstance(year, str) for year in frame["time"])


def test_labels_stand_in_for_codes_where_there_are_any() -> None:
    assert [row[0] for row in rows(jsonstat.decode(SMALL), labels=True)] == ["CY", "CY", "Malta", "Malta"]


def test_missing_cells_come_on_demand() -> None:
    frame = jsonstat.decode(SMALL).to_frame(include_missing=True)
    assert len(frame) == 6
    assert frame["value"].isna().tolist() == [False, True, False, True, True, False]


@pytest.mark.parametrize("how", [json.dumps, lambda doc: json.dumps(doc).encode(), lambda doc: doc])
def test_text_bytes_and_parsed_documents_are_the_same(how: Any) -> None:
    assert jsonstat.decode(how(SMALL)) == jsonstat.decode(SMALL)


def test_dense_values_and_statuses_are_the_same_as_sparse_ones() -> None:
    dense = changed(value=[1, None, 3.5, None, None, 6], status=[None, None, "b", None, "c", None])
    assert jsonstat.decode(dense) == jsonstat.decode(SMALL)


def test_one_status_holds_for_every_cell_with_a_value() -> None:
    assert jsonstat.decode(changed(status="e")).status == {0: "e", 2: "e", 5: "e"}


def test_single_category_needs_no_index() -> None:
    document = changed(id=["unit", "geo", "time"], size=[1, 2, 3])
    document["dimension"]["unit"] = {"category": {"label": {"PC_ENT": "Percentage of enterprises"}}}
    assert jsonstat.decode(document).dimensions[0].codes == ("PC_ENT",)


def test_namibia_is_a_code_and_not_a_gap() -> None:
    frame = jsonstat.decode(geo_index(["NA", "CY"])).to_frame()
    assert frame["geo"].tolist() == ["NA", "NA", "CY", "CY"]
    assert frame["geo"].notna().all()


def test_role_and_extension_are_kept() -> None:
    cube = jsonstat.decode(changed(extension={"lang": "EN"}))
    assert cube.role == {"time": ("time",), "geo": ("geo",)}
    assert jsonstat.encode(cube)["role"] == SMALL["role"]
    assert jsonstat.encode(cube)["extension"] == {"lang": "EN"}


def test_dimension_without_codes_is_an_empty_table() -> None:
    document = geo_index([]) | {"size": [0, 3], "value": {}, "status": {}}
    document["dimension"]["geo"]["category"]["label"] = {}
    cube = jsonstat.decode(document)
    assert rows(cube) == rows(cube, include_missing=True) == []
    assert list(cube.to_frame().columns) == ["geo", "time", "value", "status"]


WRONG: dict[str, tuple[Any, str]] = {
    "not JSON": ("<html>Sorry</html>", "not JSON; it begins with '<html>"),
    "empty": ("", "not JSON"),
    "not UTF-8": (b"\xff\xfe{}", "not JSON"),
    "deep": ("[" * 100_000, "not JSON"),
    "digits": ('{"value": ' + "9" * 5000 + "}", "not JSON"),
    "a list": ("[1, 2]", "not a JSON object"),
    "NaN": ('{"value": [NaN]}', "NaN, which is not JSON"),
    "key twice": ('{"value": {"1": 2, "1": 3}}', "'1' is given twice"),
    "collection": ({"class": "collection"}, "'collection', not a dataset"),
    "nothing in it": ({}, "no id, size, dimension, value"),
    "id not a list": (changed(id="geo"), "`id` must be"),
    "size as text": (changed(size=["2", 3]), "`size` must be"),
    "size as bool": (changed(size=[True, 3]), "`size` must be"),
    "negative size": (changed(size=[-2, -3]), "`size` must be"),
    "one size too few": (changed(size=[2]), "2 dimensions, but `size` has 1"),
    "no dimension": (changed(id=[], size=[]), "1 to 32 dimensions"),
    "too many dimensions": (changed(id=["a"] * 99, size=[1] * 99), "1 to 32 dimensions"),
    "huge": (changed(size=[10**9, 10**9]), "more than 2,000,000 cells"),
    "huge but empty": (changed(size=[10**9, 0]), "more than 2,000,000 cells"),
    "size does not match": (changed(size=[3, 3]), "'geo' has 3 categories, but its index has 2"),
    "dimension not described": (changed(id=["geo", "year"]), "'year', but `dimension` does not describe it"),
    "dimension twice": (changed(id=["geo", "geo"], size=[2, 2], value={}, status={}), "same name"),
    "code twice": (geo_index(["MT", "MT"]), "code 'MT' twice"),
    "code not text": (geo_index(["MT", 7]), "not text"),
    "positions with a gap": (geo_index({"MT": 0, "CY": 2}), "not 0, 1, 2"),
    "position twice": (geo_index({"MT": 0, "CY": 0}), "not 0, 1, 2"),
    "position as bool": (geo_index({"MT": False, "CY": True}), "not a whole number"),
    "position as text": (geo_index({"MT": "0", "CY": "1"}), "not a whole number"),
    "index is a number": (geo_index(3), "must be an object"),
    "no index": (geo_index(None), "no category index"),
    "label not text": (changed(label=3), "`label` must be text"),
    "list too short": (changed(value=[1, 2]), "`value` has 2 entries, but the data set has 6 cells"),
    "cell out of range": (changed(value={"6": 1}), "cell 6, but the data set has 6 cells"),
    "negative cell": (changed(value={"-1": 1}), "'-1', which is not a cell number"),
    "cell written oddly": (changed(value={"07": 1}), "'07', which is not a cell number"),
    "cell in other digits": (changed(value={"٣": 1}), "not a cell number"),
    "value is a bool": (changed(value={"0": True}), "True, which is not a number"),
    "value is text": (changed(value={"0": "1.5"}), "'1.5', which is not a number"),
    "value is infinite": (changed(value={"0": math.inf}), "inf"),
    "value is too large": (changed(value={"0": 10**400}), "too large"),
    "value is text alone": (changed(value="1"), "`value` must be a list or an object"),
    "status is a number": (changed(status={"0": 1}), "status of cell '0' is 1, which is not text"),
    "status out of range": (changed(status={"9": "b"}), "`status` has an entry for cell 9"),
    "role is text": (changed(role={"time": "time"}), "role 'time' must be a list"),
    "error answer": (
        {"error": [{"status": 404, "id": 100, "label": "ERR_NOT_FOUND_4: no such dataset"}]},
        "error, not data ('ERR_NOT_FOUND_4: no such dataset'): check the table code",
    ),
    "error of another shape": ({"error": {"status": "400", "label": "No results found"}}, "No results found"),
    "empty error": ({"error": []}, "error, not data"),
    "asynchronous answer": (
        {"warning": {"status": 413, "label": "ASYNCHRONOUS_RESPONSE. Please try again later."}},
        "too large to come at once",
    ),
    "reserved name": (
        changed(id=["value", "time"], dimension={**SMALL["dimension"], "value": SMALL["dimension"]["geo"]}),
        "cannot be called 'value'",
    ),
}


@pytest.mark.parametrize(("document", "says"), WRONG.values(), ids=WRONG.keys())
def test_wrong_documents_are_refused_in_one_line(document: Any, says: str) -> None:
    with pytest.raises(JsonStatError) as caught:
        jsonstat.decode(document)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_documents_over_the_size_limit_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonstat, "MAX_BYTES", 100)
    with pytest.raises(JsonStatError, match="larger than 100 bytes"):
        jsonstat.decode(json.dumps(SMALL))


words = st.text(max_size=6)
codes = st.text(min_size=1, max_size=4)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def cubes(draw: st.DrawFn) -> Cube:
    names = draw(st.lists(codes.filter(lambda n: n not in cube_module.RESERVED), min_size=1, max_size=5, unique=True))
    dimensions = []
    for name in names:
        own = tuple(draw(st.lists(codes, max_size=4, unique=True)))
        named = draw(st.sets(st.sampled_from(own))) if own else set()
        dimensions.append(Dimension(name, own, {code: draw(words) for code in own if code in named}, draw(words)))
    cells = math.prod(len(dimension.codes) for dimension in dimensions)
    index = st.integers(0, max(cells - 1, 0))
    most = min(cells, 12)
    return Cube(
        tuple(dimensions),
        draw(st.dictionaries(index, finite, max_size=most)),
        draw(st.dictionaries(index, words, max_size=most)),
        draw(words),
        draw(words),
        draw(words),
        draw(st.dictionaries(words, st.lists(words, max_size=2).map(tuple), max_size=2)),
        draw(st.dictionaries(words, words, max_size=2)),
    )


@given(cubes())
@settings(max_examples=150, deadline=None)
def test_encode_then_decode_gives_the_same_cube(cube: Cube) -> None:
    document = jsonstat.encode(cube)
    assert jsonstat.decode(document) == cube
    assert jsonstat.decode(json.dumps(document)) == cube
    assert jsonstat.encode(jsonstat.decode(document)) == document


@given(cubes())
@settings(max_examples=60, deadline=None)
def test_frame_has_each_value_at_its_own_codes(cube: Cube) -> None:
    frame = cube.to_frame(include_missing=True)
    assert len(frame) == cube.cells
    for index, value in cube.values.items():
        left, place = index, []
        for dimension in reversed(cube.dimensions):
            left, position = divmod(left, len(dimension.codes))
            place.append(dimension.codes[position])
        assert frame.loc[index, list(cube.names)].tolist() == place[::-1]
        assert frame.loc[index, "value"] == value


def outcome(document: Any) -> str:
    """Read a document and make its table: what the refusal says, or nothing."""
    try:
        jsonstat.decode(document).to_frame()
    except JsonStatError as error:
        return str(error)
    return ""


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
paths = [
    *((key,) for key in SMALL),
    *(("dimension", "geo", *rest) for rest in ((), ("label",), ("category",), ("category", "index"))),
]


@given(st.dictionaries(st.sampled_from([*SMALL, "error", "warning"]), anything), st.sampled_from(paths), anything)
@settings(max_examples=300, deadline=None)
def test_arbitrary_json_raises_nothing_but_our_error(loose: dict[str, Any], path: tuple[str, ...], bad: Any) -> None:
    broken = changed()
    place = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = bad
    for document in (loose, broken, json.dumps(loose), json.dumps(broken)):
        assert "\n" not in outcome(document)


@given(st.binary(max_size=60) | st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_arbitrary_bytes_raise_nothing_but_our_error(raw: bytes | str) -> None:
    with pytest.raises(JsonStatError):
        jsonstat.decode(raw)
