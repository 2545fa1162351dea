"""The quality assessment gives the points of the method, says why, and never trips over a bad record."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rdflib import RDF, XSD, BNode, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS
from rdflib.term import Node

from labkit import quality, shacl

FULL = (Path(__file__).parent / "quality_records" / "full.ttl").read_text(encoding="utf-8")
DATASET = URIRef("https://example.org/d")
AUTHORITY = "http://publications.europa.eu/resource/authority"


def all_answer(_url: str) -> int | None:
    return 200


def read(text: str) -> Graph:
    return Graph().parse(data=text, format="turtle")


def changed(old: str, new: str) -> str:
    """FULL with the one line that contains `old` replaced by `new`."""
    lines = FULL.splitlines()
    hits = [number for number, line in enumerate(lines) if old in line]
    assert len(hits) == 1, f"{old!r} is on {len(hits)} lines"
    lines[hits[0]] = new
    return "\n".join(lines)


def lost(assessment: quality.Assessment) -> set[str]:
    """Metrics without points."""
    table = assessment.table
    return set(table.loc[table["points"] == 0, "metric"])


def why(assessment: quality.Assessment, metric: str) -> str:
    return str(assessment.table.set_index("metric").loc[metric, "why"])


# ------------------------------------------------------------------------------------------------ the method


def test_the_metrics_are_worth_405_points_in_five_dimensions() -> None:
    assert len(quality.METRICS) == 23
    assert sum(metric.max_points for metric in quality.METRICS) == quality.MAX_POINTS == 405
    frame = pd.DataFrame(quality.METRICS)
    assert frame.groupby("dimension", sort=False)["max_points"].sum().to_dict() == {
        "Findability": 100,
        "Accessibility": 100,
        "Interoperability": 110,
        "Reusability": 75,
        "Contextuality": 20,
    }


@pytest.mark.parametrize(
    ("score", "word"),
    [
        (0, "Bad"),
        (120, "Bad"),
        (120.9, "Bad"),
        (121, "Sufficient"),
        (220, "Sufficient"),
        (221, "Good"),
        (350, "Good"),
        (351, "Excellent"),
        (405, "Excellent"),
    ],
)
def test_rating(score: float, word: str) -> None:
    assert quality.rating(score) == word


@pytest.mark.parametrize("score", [-1, 405.1, float("nan")])
def test_a_score_outside_the_scale_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 405"):
        quality.rating(score)


# Worked example of the ckan-mqa README (read on 2026-11-21): 46 data sets, 255 distributions. Count and population are
# as printed there; its points are rounded to two places before they are added up.
WORKED_EXAMPLE = [
    ("dcat:keyword", 46, 46, 30.0),
    ("dcat:theme", 46, 46, 30.0),
    ("dct:spatial", 42, 46, 18.26),
    ("dct:temporal", 0, 46, 0),
    ("dcat:accessURL answers", 255, 255, 50.0),
    ("dcat:downloadURL", 0, 255, 0),
    ("dcat:downloadURL answers", 0, 255, 0),
    ("dct:format", 255, 255, 20.0),
    ("dcat:mediaType", 255, 255, 10.0),
    ("dct:format/dcat:mediaType from vocabulary", 378, 510, 7.41),
    ("dct:format non-proprietary", 131, 255, 10.27),
    ("dct:format machine-readable", 252, 255, 19.76),
    ("DCAT-AP compliance", 0, 46, 0),
    ("dct:license", 255, 255, 20.0),
    ("dct:license from vocabulary", 245, 255, 9.61),
    ("dct:accessRights", 46, 46, 10.0),
    ("dct:accessRights from vocabulary", 0, 46, 0),
    ("dcat:contactPoint", 46, 46, 20.0),
    ("dct:publisher", 46, 46, 10.0),
    ("dct:rights", 255, 255, 5.0),
    ("dcat:byteSize", 0, 255, 0),
    ("dct:issued", 46, 46, 5.0),
    ("dct:modified", 46, 46, 5.0),
]


def test_the_worked_example() -> None:
    shares = {metric: count / population for metric, count, population, _ in WORKED_EXAMPLE}
    table = quality.points_of_shares(shares)
    points = table.set_index("metric")["points"].round(2)
    assert points.to_dict() == pytest.approx({metric: given for metric, _, _, given in WORKED_EXAMPLE})
    assert points.sum() == pytest.approx(280.31)
    assert table["points"].sum() == pytest.approx(280.32, abs=0.005)  # without rounding in between
    assert quality.rating(points.sum()) == "Good"


@pytest.mark.parametrize(
    "change", [{"dcat:keyword": 1.01}, {"dcat:keyword": float("nan")}, {"dcat:keywords": 0.5}], ids=str
)
def test_wrong_shares_are_named(change: dict[str, float]) -> None:
    shares = {metric.name: 1.0 for metric in quality.METRICS} | change
    with pytest.raises(ValueError, match="dcat:keyword"):
        quality.points_of_shares(shares)


# ------------------------------------------------------------------------------------------------ one record


def test_a_full_record_gets_all_points() -> None:
    assessment = quality.assess(read(FULL), link_status=all_answer)
    assert lost(assessment) == set()
    assert assessment.score == 405
    assert assessment.rating == "Excellent"
    assert assessment.dimensions == {
        "Findability": 100,
        "Accessibility": 100,
        "Interoperability": 110,
        "Reusability": 75,
        "Contextuality": 20,
    }
    assert list(assessment.table.columns) == ["dimension", "metric", "points", "max_points", "why"]
    assert assessment.dataset == "https://example.org/d"
    assert assessment.distribution == "https://example.org/d/csv"


FORMAT_METRICS = {
    "dct:format",
    "dct:format/dcat:mediaType from vocabulary",
    "dct:format non-proprietary",
    "dct:format machine-readable",
}
ON_THE_FILE = "<https://example.org/d/csv> "
ON_THE_SET = "<https://example.org/d> "
CHANGES = [
    # the line, what stands there instead, what is lost, the metric whose reason is read, what the reason says
    ("dcat:keyword", "", {"dcat:keyword"}, "no dcat:keyword"),
    ("dcat:keyword", ON_THE_SET + 'dcat:keyword " " .', {"dcat:keyword"}, "no dcat:keyword"),
    ("dcat:theme", "", {"dcat:theme"}, "no dcat:theme"),
    ("dct:spatial", "", {"dct:spatial"}, "no dct:spatial"),
    ("dct:temporal", "", {"dct:temporal"}, "no dct:temporal"),
    ("dcat:downloadURL", "", {"dcat:downloadURL", "dcat:downloadURL answers"}, "no dcat:downloadURL"),
    ("dct:format", "", FORMAT_METRICS, "no dct:format"),
    (
        "dct:format",
        ON_THE_FILE + f"dct:format <{AUTHORITY}/file-type/PDF> .",
        {"dct:format non-proprietary", "dct:format machine-readable"},
        "format PDF is not on the portal's list of non-proprietary formats",
    ),
    (
        "dct:format",
        ON_THE_FILE + f"dct:format <{AUTHORITY}/file-type/XLSX> .",
        {"dct:format non-proprietary"},
        "format XLSX is not on the portal's list of non-proprietary formats",
    ),
    (
        "dct:format",
        ON_THE_FILE + f"dct:format <{AUTHORITY}/file-type/TXT> .",
        {"dct:format machine-readable"},
        "format TXT is not on the portal's list of machine-readable formats",
    ),
    (
        "dct:format",
        ON_THE_FILE + 'dct:format "CSV" .',
        (FORMAT_METRICS - {"dct:format"}) | {"DCAT-AP compliance"},
        "format 'CSV' is text, not an address in the EU file-type table",
    ),
    (
        "dcat:mediaType",
        "",
        {"dcat:mediaType", "dct:format/dcat:mediaType from vocabulary"},
        "no dcat:mediaType",
    ),
    (
        "dcat:mediaType",
        ON_THE_FILE + "dcat:mediaType <https://example.org/csv> .",
        {"dct:format/dcat:mediaType from vocabulary"},
        "media type <https://example.org/csv> is not in the kit's list",
    ),
    ("dct:title", "", {"DCAT-AP compliance"}, "breaks DCAT-AP 3 rules at dct:title"),
    ("dct:license", "", {"dct:license", "dct:license from vocabulary"}, "no dct:license"),
    (
        "dct:license",
        ON_THE_SET + f"dct:license <{AUTHORITY}/licence/CC0> .",
        {"dct:license", "dct:license from vocabulary"},
        "no dct:license on the distribution",
    ),
    (
        "dct:license",
        ON_THE_FILE + "dct:license <https://creativecommons.org/licenses/by/4.0/> .",
        {"dct:license from vocabulary"},
        f"the table's address for it is <{AUTHORITY}/licence/CC_BY_4_0>",
    ),
    (
        "dct:license",
        ON_THE_FILE + "dct:license <https://example.org/our-licence> .",
        {"dct:license from vocabulary"},
        "licence <https://example.org/our-licence> is not in the EU licence table",
    ),
    (
        "dct:accessRights",
        "",
        {"dct:accessRights", "dct:accessRights from vocabulary"},
        "no dct:accessRights",
    ),
    (
        "dct:accessRights",
        ON_THE_SET + "dct:accessRights <https://example.org/open> .",
        {"dct:accessRights from vocabulary"},
        "access right <https://example.org/open> is not in the EU access-right table",
    ),
    ("dcat:contactPoint", "", {"dcat:contactPoint"}, "no dcat:contactPoint"),
    ("dct:publisher", "", {"dct:publisher"}, "no dct:publisher"),
    ("dct:rights", "", {"dct:rights"}, "no dct:rights"),
    ("dcat:byteSize", "", {"dcat:byteSize"}, "no dcat:byteSize"),
    ("dct:issued", "", {"dct:issued"}, "no dct:issued"),
    ("dct:modified", "", {"dct:modified"}, "no dct:modified"),
]


@pytest.mark.parametrize(("line", "instead", "lose", "reason"), CHANGES)
def test_each_metric_is_lost_for_its_own_reason(line: str, instead: str, lose: set[str], reason: str) -> None:
    assessment = quality.assess(read(changed(f" {line} ", instead)), link_status=all_answer)
    assert lost(assessment) == lose
    assert assessment.score == 405 - sum(metric.max_points for metric in quality.METRICS if metric.name in lose)
    assert any(reason in why(assessment, metric) for metric in lose)


def test_every_metric_is_lost_by_some_change() -> None:
    links = {"dcat:accessURL answers", "dcat:downloadURL answers"}
    assert set().union(*(lose for _, _, lose, _ in CHANGES)) | links == {metric.name for metric in quality.METRICS}


def test_without_distribution_all_its_metrics_are_lost() -> None:
    text = "\n".join(line for line in FULL.splitlines() if "/csv>" not in line)
    assessment = quality.assess(read(text), link_status=all_answer)
    assert assessment.distribution is None
    assert assessment.dimensions["Accessibility"] == 0
    assert why(assessment, "dct:license") == "the data set has no distribution"


def test_a_theme_from_elsewhere_counts_and_the_reason_says_so() -> None:
    text = changed(" dcat:theme ", ON_THE_SET + "dcat:theme <https://example.org/trees> .")
    assessment = quality.assess(read(text), link_status=all_answer)
    assert assessment.score == 405
    assert "not in the EU data-theme table" in why(assessment, "dcat:theme")


def test_dates_of_the_distribution_count_too() -> None:
    text = changed(" dct:issued ", ON_THE_FILE + 'dct:issued "2024-02-01"^^xsd:date .')
    assessment = quality.assess(read(text), link_status=all_answer)
    assert assessment.score == 405
    assert why(assessment, "dct:issued").endswith("(on the distribution)")


# ------------------------------------------------------------------------------------------------ links


@pytest.mark.parametrize(
    ("status", "answers", "reason"),
    [
        (200, True, "answers 200"),
        (301, True, "answers 301"),
        (404, False, "answers 404"),
        (500, False, "answers 500"),
        (None, False, "was not checked or gave no answer"),
    ],
)
def test_links(status: int | None, answers: bool, reason: str) -> None:
    assessment = quality.assess(read(FULL), link_status=lambda _url: status)
    links = {"dcat:accessURL answers", "dcat:downloadURL answers"}
    assert lost(assessment) == (set() if answers else links)
    assert all(reason in why(assessment, metric) for metric in links)


def test_only_web_addresses_are_checked() -> None:
    asked: list[str] = []

    def status(url: str) -> int | None:
        asked.append(url)
        return 200

    text = changed(
        " dcat:accessURL ", ON_THE_FILE + 'dcat:accessURL "https://example.org/page" , <file:///etc/passwd> .'
    )
    assessment = quality.assess(read(text), link_status=status)
    assert asked == ["https://example.org/air.csv"]
    assert why(assessment, "dcat:accessURL answers").endswith("is not a web address")


def test_one_answering_address_is_enough() -> None:
    text = changed(
        " dcat:accessURL ", ON_THE_FILE + "dcat:accessURL <https://example.org/dead> , <https://example.org/page> ."
    )
    assessment = quality.assess(read(text), link_status=lambda url: 404 if url.endswith("dead") else 200)
    assert assessment.score == 405


# ------------------------------------------------------------------------------------------------ several distributions

PDF = f"""
<https://example.org/d> dcat:distribution <https://example.org/d/a-pdf> .
<https://example.org/d/a-pdf> a dcat:Distribution ; dcat:accessURL <https://example.org/pdf> ;
  dct:format <{AUTHORITY}/file-type/PDF> ; dct:license <https://example.org/our-licence> .
"""


def test_only_the_best_distribution_counts() -> None:
    assessment = quality.assess(read(FULL + PDF), link_status=all_answer)
    assert assessment.score == 405
    assert assessment.distribution == "https://example.org/d/csv"


def test_points_are_not_picked_from_several_distributions() -> None:
    # the CSV file has everything but dead links; the PDF answers, and has nothing else
    assessment = quality.assess(read(FULL + PDF), link_status=lambda url: 200 if url.endswith("pdf") else 404)
    assert assessment.distribution == "https://example.org/d/csv"
    assert lost(assessment) == {"dcat:accessURL answers", "dcat:downloadURL answers"}


def test_equal_distributions_are_chosen_by_address() -> None:
    twin = "\n".join(
        line.replace("/d/csv", "/d/b-csv") for line in FULL.splitlines() if line.startswith(ON_THE_FILE.strip())
    )
    both = FULL + "\n" + twin + "\n<https://example.org/d> dcat:distribution <https://example.org/d/b-csv> ."
    assessment = quality.assess(read(both), link_status=all_answer)
    assert assessment.distribution == "https://example.org/d/b-csv"


# ------------------------------------------------------------------------------------------------ which record

OTHER = """
<https://example.org/e> a dcat:Dataset ; dct:title "No description here"@en .
<https://example.org/c> a dcat:Catalog ; dcat:dataset <https://example.org/d> , <https://example.org/e> .
<https://example.org/d> dct:relation <https://example.org/e> ; dct:isPartOf <https://example.org/c> .
"""


def test_other_records_in_the_graph_do_not_count() -> None:
    assessment = quality.assess(read(FULL + OTHER), DATASET, link_status=all_answer)
    assert assessment.score == 405


@pytest.mark.parametrize(
    ("text", "dataset", "says"),
    [
        ("", None, "no dcat:Dataset: give a record"),
        (FULL + OTHER, None, "2 data sets"),
        (FULL, URIRef("https://example.org/x"), "no dcat:Dataset <https://example.org/x>"),
        (FULL, URIRef("https://example.org/d/csv"), "no dcat:Dataset <https://example.org/d/csv>"),
    ],
    ids=["none", "several", "another", "not a data set"],
)
def test_a_missing_record_gets_one_clear_line(text: str, dataset: URIRef | None, says: str) -> None:
    with pytest.raises(quality.RecordError) as caught:
        quality.assess(read(text), dataset, link_status=all_answer)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_record_that_is_too_large_for_the_check_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shacl, "MAX_TRIPLES", 5)
    with pytest.raises(quality.RecordError, match="one record at a time"):
        quality.assess(read(FULL), link_status=all_answer)


def test_a_record_that_cannot_be_checked_is_refused() -> None:
    circle = "<https://example.org/d> dct:title _:l . _:l rdf:first 1 ; rdf:rest _:l ."
    text = "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n" + FULL + circle
    with pytest.raises(quality.RecordError, match="cannot be checked"):
        quality.assess(read(text), link_status=all_answer)


@pytest.mark.parametrize("record", [None, FULL, FULL.encode()], ids=lambda record: type(record).__name__)
def test_a_record_that_is_no_graph_is_refused(record: Any) -> None:
    with pytest.raises(quality.RecordError, match=rf"not {type(record).__name__}: use shacl\.parse_turtle"):
        quality.assess(record, link_status=all_answer)


@pytest.mark.parametrize("answer", ["200", True, 200.0, (200,)], ids=repr)
def test_a_link_check_that_gives_no_status_is_refused(answer: Any) -> None:
    with pytest.raises(quality.RecordError, match="it must give a number, as 200, or None") as caught:
        quality.assess(read(FULL), link_status=lambda _url: answer)
    assert "<https://example.org/page>" in str(caught.value)


@pytest.mark.parametrize("status", [None, 200])
def test_a_link_check_that_is_no_function_is_refused(status: Any) -> None:
    with pytest.raises(quality.RecordError, match=f"link_status is {status}: give a function"):
        quality.assess(read(FULL), link_status=status)


# ------------------------------------------------------------------------------------------------ a catalogue


def test_summary_of_a_catalogue() -> None:
    full = quality.assess(read(FULL), link_status=all_answer)
    dead = quality.assess(read(FULL), link_status=lambda _url: None)
    bare = quality.assess(read(changed(" dcat:keyword ", "")), link_status=all_answer)
    summary = quality.summarise([full, dead, bare, full])
    shares = summary.table.set_index("metric")["share"]
    assert shares["dcat:keyword"] == shares["dcat:accessURL answers"] == 0.75
    assert shares["dct:format"] == 1
    assert summary.records == 4
    assert summary.score == pytest.approx((405 + 325 + 375 + 405) / 4)
    assert summary.rating == "Excellent"
    assert summary.table["metric"].tolist() == [metric.name for metric in quality.METRICS]


def test_a_summary_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        quality.summarise([])


# ------------------------------------------------------------------------------------------------ properties

FILES = [URIRef("https://example.org/d/csv"), URIRef("https://example.org/d/pdf"), BNode("file")]
POOL: list[tuple[Node, URIRef, Node]] = [
    *read(FULL),
    *((DATASET, DCAT.distribution, node) for node in FILES),
    *((node, DCAT.accessURL, URIRef("https://example.org/dead")) for node in FILES),
    *((node, DCTERMS.issued, Literal("2024-05-01", datatype=XSD.date)) for node in FILES),
    *((node, DCTERMS.modified, Literal("2024-05-01", datatype=XSD.date)) for node in FILES),
    *((node, DCTERMS.format, URIRef(f"{AUTHORITY}/file-type/PDF")) for node in FILES),
    *((node, DCTERMS.license, Literal("free for all")) for node in FILES),
    (DATASET, DCTERMS.title, Literal("Qualidade do ar", lang="pt")),
    (DATASET, DCTERMS.issued, Literal("spring")),
    (DATASET, DCTERMS.publisher, Literal("The city")),
    (DATASET, DCTERMS.accessRights, URIRef("https://example.org/open")),
    (DATASET, DCAT.theme, BNode()),
    (DATASET, DCAT.distribution, Literal("air.csv")),
    (DATASET, DCAT.keyword, Literal("")),
    (DATASET, DCAT.keyword, Literal("two\nlines")),
    (DATASET, DCTERMS.relation, DATASET),
]
MANDATORY = [
    (DATASET, RDF.type, DCAT.Dataset),
    (DATASET, DCTERMS.title, Literal("Air quality", lang="en")),
    (DATASET, DCTERMS.description, Literal("Hourly readings.", lang="en")),
]


def some_answer(url: str) -> int | None:
    return {"https://example.org/page": 200, "https://example.org/dead": 404}.get(url)


def graph_of(triples: list[tuple[Node, URIRef, Node]]) -> Graph:
    graph = Graph()
    for triple in triples:
        graph.add(triple)
    return graph


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(POOL), max_size=40))
def test_any_record_gets_a_score(triples: list[tuple[Node, URIRef, Node]]) -> None:
    assessment = quality.assess(graph_of([MANDATORY[0], *triples]), link_status=some_answer)
    table = assessment.table
    assert len(table) == 23
    assert ((table["points"] == 0) | (table["points"] == table["max_points"])).all()
    assert table["why"].str.len().gt(0).all()
    assert not table["why"].str.contains("\n").any()
    assert 0 <= assessment.score <= 405


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(POOL), max_size=40), st.randoms(use_true_random=False))
def test_taking_something_from_a_record_that_keeps_the_rules_never_raises_its_score(
    triples: list[tuple[Node, URIRef, Node]], chance: random.Random
) -> None:
    graph = graph_of(MANDATORY + triples)
    before = quality.assess(graph, link_status=some_answer)
    assume("DCAT-AP compliance" not in lost(before))
    graph.remove(chance.choice(sorted(set(graph) - {MANDATORY[0]})))
    assert quality.assess(graph, link_status=some_answer).score <= before.score


def test_taking_a_mistake_from_a_record_that_breaks_the_rules_may_raise_its_score() -> None:
    bad = changed(" dct:issued ", ON_THE_SET + 'dct:issued "spring" .')
    none = changed(" dct:issued ", "")
    scores = [quality.assess(read(text), link_status=all_answer).score for text in (bad, none)]
    assert scores == [375, 400]


@settings(max_examples=20, deadline=None)
@given(st.permutations(sorted(read(FULL + PDF))), st.sampled_from([all_answer, some_answer]))
def test_order_and_names_of_blank_nodes_do_not_matter(
    triples: list[tuple[Node, URIRef, Node]], status: Callable[[str], int | None]
) -> None:
    first = quality.assess(read(FULL + PDF), link_status=status)
    again = quality.assess(read(graph_of(triples).serialize(format="turtle")), link_status=status)
    pd.testing.assert_frame_equal(first.table, again.table)
