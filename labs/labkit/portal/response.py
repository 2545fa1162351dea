"""Checks a search answer before anything uses it, and turns it into frozen records.

The API's contract leaves the answer a plain object, so nothing in it is taken on trust. The frame must be right: the
counts, the lists and objects, an id for each record; otherwise PortalError names the place. A detail of an odd kind
inside a record (a size in words, a link that is a number) counts as missing, as it does for a record without it.
Keys that are not known here are ignored.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from labkit.portal.model import DATASET_PREFIX, OFFLINE, DatasetSummary, DistributionSummary, PortalError, SearchPage

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SEARCH_BYTES = 32 * 2**20
"""The largest search answer that is read. One record with 24 languages can take 300 kB."""

LICENCE_PREFIX = "http://publications.europa.eu/resource/authority/licence/"
_MEDIA_TYPE_PREFIX = re.compile(r"https?://(?:www\.)?iana\.org/assignments/media-types/")
_TOP_SCORE = 405


def decode_json(body: bytes, *, what: str, most_bytes: int) -> object:
    """Return the JSON document in `body`; `what` names it in messages. Raises PortalError."""
    check_size(body, what=what, most_bytes=most_bytes)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PortalError(f"{what} is not JSON ({glimpse(body)}): try again later; {OFFLINE}") from error


def check_size(body: bytes, *, what: str, most_bytes: int) -> None:
    """Raise PortalError if `body` is longer than `most_bytes`."""
    if len(body) > most_bytes:
        raise PortalError(f"{what} is larger than {most_bytes // 2**20} MB: ask for fewer records at once")


def glimpse(body: bytes) -> str:
    """Return how a text begins, fit for one line of a message."""
    text = "".join(letter if letter.isprintable() else " " for letter in body[:200].decode("utf-8", "replace"))
    start = " ".join(text.split())[:60]
    return f"it begins with {start!r}" if start else "it is empty"


def search_page(body: bytes, *, page: int, limit: int) -> SearchPage:
    """Return the page of results in a search answer. Raises PortalError if it is not one."""
    document = decode_json(body, what="The search answer", most_bytes=MOST_SEARCH_BYTES)
    result = _object(_object(document, "the answer").get("result"), "result")
    count = result.get("count")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise _wrong("result.count", "a number of hits")
    records = tuple(
        _dataset(_object(item, f"results[{index}]"), f"results[{index}]")
        for index, item in enumerate(_list(result.get("results"), "results"))
    )
    return SearchPage(count, page, limit, records, _facets(result.get("facets")))


def _dataset(item: Mapping[str, object], where: str) -> DatasetSummary:
    identifier = _text(item.get("id"))
    if identifier is None:
        raise _wrong(f"{where}.id", "the id of a data set")
    distributions = enumerate(_optional_list(item.get("distributions"), f"{where}.distributions"))
    return DatasetSummary(
        id=identifier,
        uri=_text(item.get("resource")) or DATASET_PREFIX + identifier,
        titles=_languages(item.get("title"), f"{where}.title"),
        descriptions=_languages(item.get("description"), f"{where}.description"),
        country=_text(_optional_object(item.get("country"), f"{where}.country").get("id")),
        themes=_labels(item.get("categories"), "id", f"{where}.categories"),
        keywords=_labels(item.get("keywords"), "label", f"{where}.keywords"),
        publisher=_text(_optional_object(item.get("publisher"), f"{where}.publisher").get("name")),
        is_hvd=item.get("is_hvd") in (True, "true"),
        quality=_score(_optional_object(item.get("quality_meas"), f"{where}.quality_meas").get("scoring")),
        distributions=tuple(
            _distribution(_object(part, f"{where}.distributions[{index}]"), index) for index, part in distributions
        ),
        issued=_text(item.get("issued")),
        modified=_text(item.get("modified")),
    )


def _distribution(item: Mapping[str, object], index: int) -> DistributionSummary:
    return DistributionSummary(
        id=_text(item.get("id")) or str(index),
        title=_text(item.get("title")),
        format=_code(item.get("format")),
        licence=_licence(item.get("license")),
        access_urls=_texts(item.get("access_url")),
        download_urls=_texts(item.get("download_url")),
        media_type=_media_type(item.get("media_type")),
        byte_size=_byte_size(item.get("byte_size")),
    )


def _facets(value: object) -> dict[str, dict[str, int]]:
    facets: dict[str, dict[str, int]] = {}
    for index, item in enumerate(_optional_list(value, "facets")):
        facet = _object(item, f"facets[{index}]")
        name = _text(facet.get("id"))
        if name is None:
            raise _wrong(f"facets[{index}].id", "the name of a facet")
        facets[name] = _facet_counts(facet.get("items"), f"facets[{index}].items")
    return facets


def _facet_counts(value: object, where: str) -> dict[str, int]:
    counts = {}
    for index, item in enumerate(_optional_list(value, where)):
        entry = _object(item, f"{where}[{index}]")
        key = _text(entry.get("id")) or _text(entry.get("title"))
        count = entry.get("count")
        if key is not None and isinstance(count, int) and not isinstance(count, bool):
            counts[key] = count
    return counts


def _wrong(where: str, wanted: str) -> PortalError:
    return PortalError(f"The search answer is not in the known form ({where} is not {wanted}): {OFFLINE}")


def _object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _wrong(where, "an object")
    return value


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise _wrong(where, "a list")
    return value


def _optional_object(value: object, where: str) -> Mapping[str, object]:
    return {} if value is None else _object(value, where)


def _optional_list(value: object, where: str) -> list[object]:
    return [] if value is None else _list(value, where)


def _languages(value: object, where: str) -> dict[str, str]:
    if isinstance(value, str):
        return {"und": value.strip()} if value.strip() else {}
    texts = _optional_object(value, where)
    return {language: text.strip() for language, text in texts.items() if isinstance(text, str) and text.strip()}


def _labels(value: object, key: str, where: str) -> tuple[str, ...]:
    """Return the `key` of each object in a list (or the texts of a list of texts), each once, in order."""
    labels: dict[str, None] = {}
    for item in _optional_list(value, where):
        label = _text(item.get(key)) or _text(item.get("id")) if isinstance(item, dict) else _text(item)
        if label is not None:
            labels[label] = None
    return tuple(labels)


def _text(value: object) -> str | None:
    """Return a text, or the English (else the first) text of an object of languages, or None."""
    if isinstance(value, dict):
        texts = [text for text in (value.get("en"), *value.values()) if isinstance(text, str) and text.strip()]
        return texts[0].strip() if texts else None
    return value.strip() or None if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item.strip() for item in items if isinstance(item, str) and item.strip())


def _code(value: object) -> str | None:
    if isinstance(value, dict):
        return _text(value.get("id")) or _text(value.get("label")) or _text(value.get("resource"))
    return _text(value)


def _licence(value: object) -> str | None:
    resource = _text(value.get("resource")) if isinstance(value, dict) else _text(value)
    if resource is not None and resource.startswith(LICENCE_PREFIX):
        return resource.removeprefix(LICENCE_PREFIX)
    return _code(value)


def _media_type(value: object) -> str | None:
    named = _code(value)
    return None if named is None else _MEDIA_TYPE_PREFIX.sub("", named) or None


def _byte_size(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    return _whole(value, most=10**18)


def _score(value: object) -> int | None:
    return _whole(value, most=_TOP_SCORE)


def _whole(value: object, *, most: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
        return None
    return int(value) if 0 <= value <= most else None
