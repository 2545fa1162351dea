"""The check of a search answer: the documented shape, its known oddities, and anything at all."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.portal import DistributionSummary, PortalError, SearchPage
from labkit.portal.response import MOST_SEARCH_BYTES, search_page


def read(document: object) -> SearchPage:
    return search_page(json.dumps(document).encode(), page=0, limit=10)


def test_an_answer_in_the_documented_shape_becomes_records(found: dict[str, Any]) -> None:
    page = read(found)

    record = page.records[0]
    assert (page.count, page.page, page.limit) == (34092, 0, 10)
    assert page.facets == {"country": {"fr": 34092}}
    assert record.id == "demo-air"
    assert record.uri == "http://data.europa.eu/88u/dataset/demo-air"
    assert (record.country, record.themes, record.keywords) == ("fr", ("ENVI",), ("Air",))
    assert (record.publisher, record.is_hvd, record.quality) == ("Ville d'Exemple", True, 301)
    assert record.distributions == (
        DistributionSummary(
            id="a1",
            title="Tableau",
            format="CSV",
            licence="CC_BY_4_0",
            access_urls=("https://ville.example.org/air",),
            download_urls=("https://ville.example.org/air.csv",),
            media_type="text/csv",
            byte_size=1200,
        ),
    )


def test_a_title_falls_back_to_a_language_that_is_there(found: dict[str, Any]) -> None:
    record = read(found).records[0]

    assert record.title("de") == "Luftqualität"
    assert record.title() == record.title("mt") == "Qualité de l'air"
    assert record.description() == ""


def test_a_record_without_any_title_is_called_by_its_id(found: dict[str, Any]) -> None:
    del found["result"]["results"][0]["title"]

    assert read(found).records[0].title() == "demo-air"


def test_a_record_of_nothing_but_an_id_is_a_record() -> None:
    record = read({"result": {"count": 1, "results": [{"id": "x"}]}}).records[0]

    assert record.uri == "http://data.europa.eu/88u/dataset/x"
    assert (record.quality, record.country, record.publisher, record.distributions) == (None, None, None, ())
    assert record.is_hvd is False


@pytest.mark.parametrize(
    "key",
    [
        *("title", "description", "country", "keywords", "categories", "is_hvd", "quality_meas", "publisher"),
        *("distributions", "issued", "modified", "resource"),
    ],
)
def test_any_part_of_a_record_may_be_null(found: dict[str, Any], key: str) -> None:
    found["result"]["results"][0][key] = None

    assert read(found).records[0].id == "demo-air"


@pytest.mark.parametrize(
    ("field", "value", "attribute", "expected"),
    [
        ("access_url", "https://a.example.org", "access_urls", ("https://a.example.org",)),
        ("access_url", ["https://a.example.org", None, 7], "access_urls", ("https://a.example.org",)),
        ("access_url", None, "access_urls", ()),
        ("download_url", ["https://a.example.org/1", "https://a.example.org/2"], "download_urls", (None, None)),
        ("license", {"id": "own", "label": "Own licence"}, "licence", "own"),
        ("license", {"label": "Own licence"}, "licence", "Own licence"),
        ("license", {"resource": "https://a.example.org/l"}, "licence", "https://a.example.org/l"),
        ("license", None, "licence", None),
        ("license", {}, "licence", None),
        ("format", "CSV", "format", "CSV"),
        ("format", None, "format", None),
        ("media_type", "text/csv", "media_type", "text/csv"),
        ("media_type", "https://www.iana.org/assignments/media-types/text/csv", "media_type", "text/csv"),
        ("byte_size", 12.0, "byte_size", 12),
        ("byte_size", -1, "byte_size", None),
        ("byte_size", "a lot", "byte_size", None),
        ("byte_size", True, "byte_size", None),
        ("title", {"el": "Πίνακας"}, "title", "Πίνακας"),
    ],
)
def test_details_of_a_distribution_come_in_several_forms(
    found: dict[str, Any], field: str, value: object, attribute: str, expected: object
) -> None:
    found["result"]["results"][0]["distributions"][0][field] = value

    actual = getattr(read(found).records[0].distributions[0], attribute)

    if expected == (None, None):
        assert actual == tuple(value)  # type: ignore[arg-type]
    else:
        assert actual == expected


@pytest.mark.parametrize(
    ("score", "expected"), [(0, 0), (405, 405), (406, None), (-1, None), ("9", None), (True, None)]
)
def test_a_score_outside_the_scale_counts_as_missing(found: dict[str, Any], score: object, expected: object) -> None:
    found["result"]["results"][0]["quality_meas"] = {"scoring": score}

    assert read(found).records[0].quality == expected


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (["result"], None, "result is not an object"),
        (["result", "count"], "12", "result.count"),
        (["result", "count"], True, "result.count"),
        (["result", "count"], -1, "result.count"),
        (["result", "results"], {}, "results is not a list"),
        (["result", "results", 0], "demo", "results[0] is not an object"),
        (["result", "results", 0, "id"], "", "results[0].id"),
        (["result", "results", 0, "id"], 5, "results[0].id"),
        (["result", "results", 0, "title"], ["Air"], "results[0].title"),
        (["result", "results", 0, "distributions"], {"id": 1}, "results[0].distributions is not a list"),
        (["result", "results", 0, "distributions", 0], "csv", "results[0].distributions[0]"),
        (["result", "results", 0, "keywords"], "air", "results[0].keywords"),
        (["result", "facets"], "country", "facets is not a list"),
        (["result", "facets", 0, "id"], None, "facets[0].id"),
    ],
)
def test_a_broken_frame_is_refused_and_the_place_is_named(
    found: dict[str, Any], path: list[Any], value: object, named: str
) -> None:
    broken = copy.deepcopy(found)
    place: Any = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    with pytest.raises(PortalError) as caught:
        read(broken)

    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"<!DOCTYPE html>\n<html><title>Down</title>", "it begins with '<!DOCTYPE html> <html>"),
        (b"", "it is empty"),
        (b'{"result": {"count": 3, "resul', "is not JSON"),
        (b"\xff\xfe\xfa", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1, 2]", "the answer is not an object"),
        (b'{"result": {"count": ' + b"9" * 5000 + b"}}", "is not JSON"),
        (b"\x1b[31mred", "it begins with '[31mred'"),
    ],
)
def test_what_is_no_search_answer_is_refused_in_one_line(body: bytes, named: str) -> None:
    with pytest.raises(PortalError) as caught:
        search_page(body, page=0, limit=10)

    assert named in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(PortalError, match="larger than 32 MB"):
        search_page(b" " * (MOST_SEARCH_BYTES + 1), page=0, limit=10)


def test_a_page_becomes_a_table(found: dict[str, Any]) -> None:
    frame = read(found).to_frame(language="de")

    assert frame.loc[0, "title"] == "Luftqualität"
    assert frame.loc[0, ["formats", "licences"]].tolist() == ["CSV", "CC_BY_4_0"]
    assert list(read({"result": {"count": 0, "results": []}}).to_frame().columns) == list(frame.columns)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def sometimes(keys: list[str], extra: dict[str, Any]) -> st.SearchStrategy[Any]:
    """An object with known keys and any values: the parser must get past the first check to be tested."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, JSON_VALUES) | extra)


DISTRIBUTION = sometimes(
    ["id", "title", "format", "license", "access_url", "download_url", "media_type", "byte_size"], {}
)
RECORD = sometimes(
    ["title", "description", "country", "keywords", "categories", "is_hvd", "quality_meas", "publisher", "issued"],
    {"id": st.text(min_size=1, max_size=5), "distributions": st.lists(DISTRIBUTION | JSON_VALUES, max_size=2)},
)
ANSWER = st.fixed_dictionaries(
    {"result": st.fixed_dictionaries({"count": st.integers(), "results": st.lists(RECORD | JSON_VALUES, max_size=3)})}
)


@given(JSON_VALUES | ANSWER)
def test_any_json_gives_a_page_or_a_portal_error(document: Any) -> None:
    try:
        page = read(document)
    except PortalError:
        return
    assert page.count >= 0
    assert page.to_frame().shape == (len(page.records), 11)
    assert all(record.id and record.title() for record in page.records)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_portal_error_or_a_page(body: bytes) -> None:
    with pytest.raises(PortalError):
        search_page(body, page=0, limit=10)
