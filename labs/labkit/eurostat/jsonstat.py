"""Read and write JSON-stat 2.0, the format of Eurostat's statistics API (https://json-stat.org/format/).

The document comes from outside, so nothing in it is trusted: every fault is a `JsonStatError` in one line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from labkit.eurostat.cube import MAX_CELLS, MAX_DIMENSIONS, Cube, Dimension, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 50_000_000
"""The largest document that is read, in bytes."""


class JsonStatError(ValueError):
    """The document is not a JSON-stat 2.0 data set; the message says in one line what is wrong with it."""


def decode(document: str | bytes | Mapping[str, Any]) -> Cube:
    """Turn a JSON-stat 2.0 data set into a `Cube`.

    `document` is JSON text or what `json.loads` made of it. `value` may be a list with nulls or an object from flat
    index to number; `status` a list, an object, or one string, which then holds for every cell with a value.
    Raises JsonStatError for anything else, and for the error and "please wait" answers of the Eurostat API.
    """
    root = document if isinstance(document, Mapping) else _parse(document)
    _refuse_messages(root)
    _refuse_other_kinds(root)
    sizes = _sizes(root)
    dimensions = tuple(_dimensions(root, sizes))
    cells = math.prod(sizes)
    values = _cells(root.get("value"), cells, "value", _number)
    try:
        return Cube(
            dimensions,
            values,
            _status(root.get("status"), cells, values),
            _text(root, "label"),
            _text(root, "source"),
            _text(root, "updated"),
            _role(root.get("role")),
            _object(root.get("extension", {}), "extension"),
        )
    except ValueError as error:
        raise JsonStatError(str(error)) from error


def encode(cube: Cube) -> dict[str, Any]:
    """Turn a cube into a JSON-stat 2.0 data set the way Eurostat writes it: sparse `value`, keys in its order.

    `decode(encode(cube)) == cube` for every cube. Keys with nothing to say are left out.
    """
    document: dict[str, Any] = {"version": "2.0", "class": "dataset"}
    document |= {key: text for key in ("label", "source", "updated") if (text := getattr(cube, key))}
    document["value"] = {str(index): cube.values[index] for index in sorted(cube.values)}
    if cube.status:
        document["status"] = {str(index): cube.status[index] for index in sorted(cube.status)}
    document["id"] = list(cube.names)
    document["size"] = list(cube.shape)
    if cube.role:
        document["role"] = {role: list(names) for role, names in cube.role.items()}
    document["dimension"] = {dimension.name: _encode_dimension(dimension) for dimension in cube.dimensions}
    if cube.extension:
        document["extension"] = dict(cube.extension)
    return document


def _encode_dimension(dimension: Dimension) -> dict[str, Any]:
    category: dict[str, Any] = {"index": {code: position for position, code in enumerate(dimension.codes)}}
    if dimension.labels:
        category["label"] = dict(dimension.labels)
    return ({"label": dimension.label} if dimension.label else {}) | {"category": category}


def _parse(text: str | bytes) -> dict[str, Any]:
    """Parse JSON strictly: no NaN, no key given twice, not too large."""
    if len(text) > MAX_BYTES:
        raise JsonStatError(f"The document is larger than {MAX_BYTES:,} bytes: ask for fewer codes or years.")
    try:
        root = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except JsonStatError:
        raise
    except (ValueError, RecursionError) as error:  # ValueError: bad JSON, bad UTF-8, a number with too many digits
        start = text[:40].decode("utf-8", "replace") if isinstance(text, bytes) else text[:40]
        raise JsonStatError(f"The document is not JSON; it begins with {shorten(start)}.") from error
    if not isinstance(root, dict):
        raise JsonStatError(f"The document is not a JSON object but {shorten(root)}.")
    return root


def _refuse_constant(name: str) -> NoReturn:
    raise JsonStatError(f"The document holds {name}, which is not JSON: a missing value is null or left out.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise JsonStatError(f"The key {shorten(twice)} is given twice in one object.")
    return found


def _refuse_messages(root: Mapping[str, Any]) -> None:
    """Eurostat answers with {"error": [{status, id, label}]} or {"warning": {status, label}} in place of data."""
    for kind in ("error", "warning"):
        if kind not in root:
            continue
        told = root[kind][0] if isinstance(root[kind], list) and root[kind] else root[kind]
        label = told.get("label", told) if isinstance(told, Mapping) else told
        text = shorten(label, 200)
        if "ASYNCHRONOUS" in text or "TOO_BIG" in text or kind == "warning":
            raise JsonStatError(f"The answer is too large to come at once ({text}): ask for fewer codes or years.")
        raise JsonStatError(
            f"Eurostat sent an error, not data ({text}): check the table code and every code asked for."
        )


def _refuse_other_kinds(root: Mapping[str, Any]) -> None:
    if root.get("class", "dataset") != "dataset":
        raise JsonStatError(f"The document is a JSON-stat {shorten(root['class'])}, not a dataset.")
    if missing := [key for key in ("id", "size", "dimension", "value") if key not in root]:
        raise JsonStatError(f"The document is not a JSON-stat 2.0 dataset: it has no {', '.join(missing)}.")


def _sizes(root: Mapping[str, Any]) -> list[int]:
    """Check `id` and `size` before anything is built from them."""
    ids, sizes = root["id"], root["size"]
    if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
        raise JsonStatError(f"`id` must be a list of dimension names, not {shorten(ids)}.")
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise JsonStatError(f"`size` must be a list of whole numbers, not {shorten(sizes)}.")
    if len(ids) != len(sizes):
        raise JsonStatError(f"`id` names {len(ids)} dimensions, but `size` has {len(sizes)} numbers.")
    if not 1 <= len(ids) <= MAX_DIMENSIONS:
        raise JsonStatError(f"A data set has 1 to {MAX_DIMENSIONS} dimensions, this one has {len(ids)}.")
    if max(sizes) > MAX_CELLS or math.prod(sizes) > MAX_CELLS:
        raise JsonStatError(f"The data set has more than {MAX_CELLS:,} cells: ask for fewer codes or years.")
    return sizes


def _dimensions(root: Mapping[str, Any], sizes: list[int]) -> Iterator[Dimension]:
    described = _object(root["dimension"], "dimension")
    for name, size in zip(root["id"], sizes, strict=True):
        if name not in described:
            raise JsonStatError(f"`id` names the dimension {shorten(name)}, but `dimension` does not describe it.")
        dimension = _object(described[name], f"dimension {name}")
        category = _object(dimension.get("category", {}), f"category of {name}")
        names = _object(category.get("label", {}), f"category label of {name}")
        if wrong := [code for code, label in names.items() if not isinstance(label, str)]:
            raise JsonStatError(f"The label of {shorten(wrong[0])} in dimension {shorten(name)} is not text.")
        codes = _codes(name, size, category.get("index"), names)
        labels = {code: names[code] for code in codes if code in names}
        try:
            yield Dimension(name, codes, labels, _text(dimension, "label"))
        except ValueError as error:
            raise JsonStatError(str(error)) from error


def _codes(name: str, size: int, index: object, names: Mapping[str, str]) -> tuple[str, ...]:
    """Codes in order, from a list, from an object code -> position, or from the label of a single category."""
    if index is None:
        if size == 1 and len(names) == 1:
            return tuple(names)
        raise JsonStatError(
            f"Dimension {shorten(name)} has no category index, and only one single category needs none."
        )
    if isinstance(index, list):
        if not all(isinstance(code, str) for code in index):
            raise JsonStatError(f"The category index of {shorten(name)} holds something that is not text.")
        codes = index
    else:
        places = _object(index, f"category index of {name}")
        if not all(type(place) is int for place in places.values()):
            raise JsonStatError(f"The category index of {shorten(name)} holds a position that is not a whole number.")
        codes = sorted(places, key=lambda code: places[code])
        if [places[code] for code in codes] != list(range(len(codes))):
            raise JsonStatError(f"The positions in the category index of {shorten(name)} are not 0, 1, 2 and so on.")
    if len(codes) != size:
        raise JsonStatError(f"`size` says that {shorten(name)} has {size} categories, but its index has {len(codes)}.")
    return tuple(codes)


def _cells(found: object, cells: int, key: str, read: Any) -> dict[int, Any]:
    """Read `value` or `status` from a full list or an object keyed by flat index; null means that nothing is there."""
    if isinstance(found, list):
        if len(found) != cells:
            raise JsonStatError(f"`{key}` has {len(found)} entries, but the data set has {cells} cells.")
        return {index: read(item, index) for index, item in enumerate(found) if item is not None}
    if not isinstance(found, Mapping):
        raise JsonStatError(f"`{key}` must be a list or an object, not {shorten(found)}.")
    return {_index(text, cells, key): read(item, text) for text, item in found.items() if item is not None}


def _index(text: object, cells: int, key: str) -> int:
    # only the plain form counts: "07" and "7" would be the same cell twice
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 16 and str(int(text)) == text:
        index = int(text)
        if index < cells:
            return index
        raise JsonStatError(f"`{key}` has an entry for cell {index}, but the data set has {cells} cells (0 is first).")
    raise JsonStatError(f"`{key}` has the key {shorten(text)}, which is not a cell number.")


def _number(item: object, where: object) -> float:
    if isinstance(item, bool) or not isinstance(item, int | float):
        raise JsonStatError(f"The value of cell {shorten(where)} is {shorten(item)}, which is not a number.")
    try:
        value = float(item)
    except OverflowError as error:
        raise JsonStatError(f"The value of cell {shorten(where)} is too large for a number.") from error
    if not math.isfinite(value):
        raise JsonStatError(f"The value of cell {shorten(where)} is {value}: a missing value is null or left out.")
    return value


def _status(found: object, cells: int, values: Mapping[int, float]) -> dict[int, str]:
    if found is None:
        return {}
    if isinstance(found, str):
        return dict.fromkeys(values, found)
    return _cells(found, cells, "status", _flag)


def _flag(item: object, where: object) -> str:
    if not isinstance(item, str):
        raise JsonStatError(f"The status of cell {shorten(where)} is {shorten(item)}, which is not text.")
    return item


def _role(found: object) -> dict[str, tuple[str, ...]]:
    roles: dict[str, tuple[str, ...]] = {}
    for role, names in _object({} if found is None else found, "role").items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise JsonStatError(f"The role {shorten(role)} must be a list of dimension names, not {shorten(names)}.")
        roles[role] = tuple(names)
    return roles


def _text(found: Mapping[str, Any], key: str) -> str:
    text = found.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise JsonStatError(f"`{key}` must be text, not {shorten(text)}.")
    return text


def _object(found: object, what: str) -> dict[str, Any]:
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise JsonStatError(f"`{shorten(what)[1:-1]}` must be an object, not {shorten(found)}.")
    return dict(found)
