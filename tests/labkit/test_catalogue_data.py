"""The bundled catalogue is as its data card and its answer key say: records, themes, planted faults, no more, no less.

Each fault has a detector here that knows nothing of how the file was written. Run over all synthetic records, a
detector must find exactly the records that the answer key, `catalogue_faults.md` beside this file, names.
"""

import csv
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.compare import graph_diff, to_isomorphic

from labkit import portal, quality, shacl

DATA = resources.files("labkit").joinpath("data")
CATALOGUE = DATA.joinpath("catalogue", "catalogue.ttl")
CARD = DATA.joinpath("catalogue", "README.md").read_text("utf-8")
ANSWER_KEY = Path(__file__).with_name("catalogue_faults.md").read_text("utf-8")

AUTHORITY = "http://publications.europa.eu/resource/authority/"
IANA = "http://www.iana.org/assignments/media-types/"
DATASET = "http://data.europa.eu/88u/dataset/"
HVD_REGULATION = URIRef("http://data.europa.eu/eli/reg_impl/2023/138/oj")
HVD_CATEGORIES = {
    f"http://data.europa.eu/bna/{code}"
    for code in ("c_ac64a52d", "c_dd313021", "c_164e0bf5", "c_e1da4e07", "c_a9135398", "c_b79e35eb")
}
DCATAP = Namespace("http://data.europa.eu/r5r/")
MARK = Literal("Synthetic record written for the AI Skills Academy kit", lang="en")
EUROSTAT = {"isoc_eb_ai", "isoc_eb_ai_noneu", "isoc_eb_ain2"}
OWN = "academy-themes"
REAL = EUROSTAT | {OWN}


def vocabulary(name: str) -> dict[str, dict[str, str]]:
    """Rows of one bundled authority table by code."""
    text = DATA.joinpath("vocabularies", f"{name}.csv").read_text("utf-8")
    return {row["code"]: row for row in csv.DictReader(text.splitlines())}


THEMES, LICENCES, FILE_TYPES = vocabulary("data-themes"), vocabulary("licences"), vocabulary("file-types")
LANGUAGES = set(THEMES["ENVI"]) - {"code", "label"}
FREQUENCIES, ACCESS_RIGHTS = vocabulary("frequencies"), vocabulary("access-rights")
GRAPH = Graph().parse(data=CATALOGUE.read_text("utf-8"), format="turtle")
LINKS = list(csv.DictReader(DATA.joinpath("catalogue", "links.csv").read_text("utf-8").splitlines()))
STATUS = {row["url"]: row["status"] for row in LINKS}
IDS = sorted(str(subject).removeprefix(DATASET) for subject in GRAPH.subjects(RDF.type, DCAT.Dataset))
SYNTHETIC = [id_ for id_ in IDS if id_.startswith("demo-")]


def node(id_: str) -> URIRef:
    return URIRef(DATASET + id_)


def distributions(id_: str) -> list[URIRef]:
    return [URIRef(str(found)) for found in GRAPH.objects(node(id_), DCAT.distribution)]


def code(value: object, table: str) -> str | None:
    """The code of a URI in an authority table; None for anything else."""
    prefix = f"{AUTHORITY}{table}/"
    return str(value).removeprefix(prefix) if isinstance(value, URIRef) and value.startswith(prefix) else None


def languages(id_: str, predicate: URIRef) -> set[str | None]:
    return {text.language for text in GRAPH.objects(node(id_), predicate) if isinstance(text, Literal)}


def licences(id_: str) -> Iterator[tuple[object, str | None]]:
    for distribution in distributions(id_):
        for licence in GRAPH.objects(distribution, DCTERMS.license):
            yield licence, code(licence, "licence")


def formats(id_: str) -> Iterator[dict[str, str]]:
    for distribution in distributions(id_):
        known = FILE_TYPES.get(code(GRAPH.value(distribution, DCTERMS.format), "file-type") or "")
        if known:
            yield known


def urls(id_: str) -> Iterator[str]:
    for distribution in distributions(id_):
        for predicate in (DCAT.accessURL, DCAT.downloadURL):
            yield from map(str, GRAPH.objects(distribution, predicate))


def lacks(predicate: URIRef) -> Callable[[str], bool]:
    return lambda id_: (node(id_), predicate, None) not in GRAPH


def lacks_in_a_distribution(predicate: URIRef) -> Callable[[str], bool]:
    return lambda id_: any((found, predicate, None) not in GRAPH for found in distributions(id_))


def has_a_licence(column: str, value: str) -> Callable[[str], bool]:
    return lambda id_: any(found in LICENCES and LICENCES[found][column] == value for _, found in licences(id_))


def contradicts_itself(id_: str) -> bool:
    for distribution in distributions(id_):
        format_ = FILE_TYPES.get(code(GRAPH.value(distribution, DCTERMS.format), "file-type") or "")
        media_type = GRAPH.value(distribution, DCAT.mediaType)
        if format_ and media_type and format_["media_type"] != str(media_type).removeprefix(IANA):
            return True
    return False


def is_not_a_date(value: object) -> bool:
    if not isinstance(value, Literal) or value.datatype != XSD.date:
        return True
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return True
    return False


def has_a_bad_date(id_: str) -> bool:
    return any(is_not_a_date(v) for p in (DCTERMS.issued, DCTERMS.modified) for v in GRAPH.objects(node(id_), p))


def hvd_parts(id_: str) -> tuple[bool, bool]:
    """Whether the record names the regulation, and whether all its categories are known ones."""
    categories = {str(found) for found in GRAPH.objects(node(id_), DCATAP.hvdCategory)}
    names_the_law = (node(id_), DCATAP.applicableLegislation, HVD_REGULATION) in GRAPH
    return names_the_law, bool(categories) and categories <= HVD_CATEGORIES


def claims_hvd(id_: str) -> bool:
    return any(
        (node(id_), predicate, None) in GRAPH for predicate in (DCATAP.hvdCategory, DCATAP.applicableLegislation)
    )


DOWNLOADS = Counter(
    url for id_ in SYNTHETIC for url in {str(u) for d in distributions(id_) for u in GRAPH.objects(d, DCAT.downloadURL)}
)

FAULTS: dict[str, Callable[[str], bool]] = {
    "no-licence": lacks_in_a_distribution(DCTERMS.license),
    "unknown-licence": lambda id_: any(isinstance(v, URIRef) and c not in LICENCES for v, c in licences(id_)),
    "licence-as-text": lambda id_: any(isinstance(v, Literal) for v, _ in licences(id_)),
    "dead-link": lambda id_: any(STATUS[url] != "200" for url in urls(id_)),
    "no-access-url": lacks_in_a_distribution(DCAT.accessURL),
    "no-download-url": lacks_in_a_distribution(DCAT.downloadURL),
    "no-format": lacks_in_a_distribution(DCTERMS.format),
    "format-as-text": lambda id_: any(isinstance(GRAPH.value(d, DCTERMS.format), Literal) for d in distributions(id_)),
    "no-media-type": lacks_in_a_distribution(DCAT.mediaType),
    "format-media-type-clash": contradicts_itself,
    "proprietary-format": lambda id_: any(found["non_proprietary"] == "no" for found in formats(id_)),
    "not-machine-readable": lambda id_: any(found["machine_readable"] == "no" for found in formats(id_)),
    "no-publisher": lacks(DCTERMS.publisher),
    "no-contact-point": lacks(DCAT.contactPoint),
    "no-theme": lacks(DCAT.theme),
    "wrong-theme": lambda id_: any(code(t, "data-theme") not in THEMES for t in GRAPH.objects(node(id_), DCAT.theme)),
    "no-keywords": lacks(DCAT.keyword),
    "no-spatial": lacks(DCTERMS.spatial),
    "no-temporal": lacks(DCTERMS.temporal),
    "no-access-rights": lacks(DCTERMS.accessRights),
    "wrong-access-rights": lambda id_: any(
        code(value, "access-right") not in ACCESS_RIGHTS for value in GRAPH.objects(node(id_), DCTERMS.accessRights)
    ),
    "no-description": lacks(DCTERMS.description),
    "no-english-title": lambda id_: "en" not in languages(id_, DCTERMS.title),
    "bad-date": has_a_bad_date,
    "duplicate": lambda id_: any(DOWNLOADS[url] > 1 for url in urls(id_)),
    "wrong-hvd": lambda id_: claims_hvd(id_) and hvd_parts(id_) != (True, True),
}
FEATURES: dict[str, Callable[[str], bool]] = {
    "non-commercial": has_a_licence("allows_commercial_use", "no"),
    "share-alike": has_a_licence("share_alike", "yes"),
    "high-value": lambda id_: hvd_parts(id_) == (True, True),
    "place-without-address": lambda id_: any(
        not isinstance(place, URIRef) for place in GRAPH.objects(node(id_), DCTERMS.spatial)
    ),
}


def key_rows() -> dict[str, set[str]]:
    """The tables of the answer key: the code in the first column and the record ids named in the last one."""
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| ([^|]*) \|$", ANSWER_KEY, flags=re.MULTILINE)
    return {name: set(re.findall(r"`([^`]+)`", records)) for name, records in rows}


def test_the_file_is_small_and_parses_quickly() -> None:
    text = CATALOGUE.read_bytes()
    assert len(text) < 600_000
    start = time.perf_counter()
    Graph().parse(data=text, format="turtle")
    assert time.perf_counter() - start < 3


def test_the_file_holds_the_real_records_and_at_least_64_synthetic_ones() -> None:
    assert set(IDS) - set(SYNTHETIC) == REAL
    assert len(SYNTHETIC) >= 64
    assert f"All {len(SYNTHETIC)} synthetic records" in CARD
    parts = re.findall(r"^\| [A-Z][a-z ]+ \| (\d+) \| (Real|Synthetic)", CARD, flags=re.MULTILINE)
    assert [(int(count), kind) for count, kind in parts] == [
        (len(EUROSTAT), "Real"),
        (1, "Real"),
        (len(SYNTHETIC), "Synthetic"),
    ]


def test_every_record_carries_its_own_identifier() -> None:
    for id_ in IDS:
        assert list(GRAPH.objects(node(id_), DCTERMS.identifier)) == [Literal(id_)]


def test_every_theme_has_at_least_four_synthetic_records_and_the_card_counts_them() -> None:
    found = Counter(code(t, "data-theme") for id_ in SYNTHETIC for t in GRAPH.objects(node(id_), DCAT.theme))
    counts = {theme: found[theme] for theme in THEMES if theme != "OP_DATPRO"}
    assert len(counts) == 13
    assert min(counts.values()) >= 4
    in_card = {name: int(n) for name, n in re.findall(r"^\| ([A-Z]{4}) \| (\d+) \|$", CARD, flags=re.MULTILINE)}
    assert in_card == counts


def test_every_language_tag_is_an_official_language_and_all_24_occur_in_titles() -> None:
    tags = {text.language for text in GRAPH.objects() if isinstance(text, Literal) and text.language}
    assert tags <= LANGUAGES
    assert {tag for id_ in SYNTHETIC for tag in languages(id_, DCTERMS.title)} == LANGUAGES


@pytest.mark.parametrize("id_", IDS)
def test_texts_are_tagged_and_given_once_a_language(id_: str) -> None:
    for predicate in (DCTERMS.title, DCTERMS.description):
        texts = list(GRAPH.objects(node(id_), predicate))
        assert len(texts) == len({text.language for text in texts if isinstance(text, Literal) and text.language})
    assert all(text.language for text in GRAPH.objects(node(id_), DCAT.keyword) if isinstance(text, Literal))


def test_no_two_titles_are_the_same_within_a_language() -> None:
    titles = Counter(title for id_ in IDS for title in GRAPH.objects(node(id_), DCTERMS.title))
    assert [title for title, times in titles.items() if times > 1] == []


def test_some_titles_come_in_one_language_and_some_in_three() -> None:
    counts = Counter(len(languages(id_, DCTERMS.title)) for id_ in SYNTHETIC)
    assert counts[1] >= 8
    assert counts[2] >= 30
    assert counts[3] >= 3


def test_only_synthetic_records_and_catalogues_carry_the_mark() -> None:
    marked = {
        str(subject)
        for statement in GRAPH.subjects(RDFS.label, MARK)
        if (statement, RDF.type, DCTERMS.ProvenanceStatement) in GRAPH
        for subject in GRAPH.subjects(DCTERMS.provenance, statement)
    }
    catalogues = {str(c) for c in GRAPH.subjects(RDF.type, DCAT.Catalog) if "/demo-" in str(c)}
    assert marked == {DATASET + id_ for id_ in SYNTHETIC} | catalogues


def test_every_synthetic_block_has_a_comment_above_it() -> None:
    text = CATALOGUE.read_text("utf-8")
    commented = re.findall(r"^# synthetic\ndataset:(demo-\S+) a dcat:Dataset ;$", text, flags=re.MULTILINE)
    assert sorted(commented) == SYNTHETIC


def test_synthetic_links_and_addresses_stay_at_example_org() -> None:
    for id_ in SYNTHETIC:
        for url in urls(id_):
            assert str(urlsplit(url).hostname).endswith(".example.org")
    mails = {str(found) for found in GRAPH.objects() if str(found).startswith("mailto:")}
    synthetic_mails = mails - {"mailto:data@academy.example.org"}
    assert len(mails) - len(synthetic_mails) == 1, "the kit's own record has one"
    assert synthetic_mails
    assert all(re.fullmatch(r"mailto:opendata@[a-z]+\.example\.org", mail) for mail in synthetic_mails)


def test_links_csv_answers_for_every_link_and_for_nothing_else() -> None:
    assert len(LINKS) == len(STATUS)
    assert set(STATUS) == {url for id_ in IDS for url in urls(id_)}
    assert set(STATUS.values()) == {"200", "403", "404", "500", ""}


def test_only_synthetic_links_claim_a_day_of_checking() -> None:
    synthetic = {url for id_ in SYNTHETIC for url in urls(id_)}
    for row in LINKS:
        assert bool(row["checked"]) == (row["url"] in synthetic)
        if row["checked"]:
            assert date.fromisoformat(row["checked"]) <= date(2026, 11, 21)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_where_the_answer_key_says_and_nowhere_else(fault: str) -> None:
    found = {id_ for id_ in SYNTHETIC if FAULTS[fault](id_)}
    assert found
    assert found == key_rows()[fault]


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_is_where_the_answer_key_says_and_nowhere_else(feature: str) -> None:
    found = {id_ for id_ in SYNTHETIC if FEATURES[feature](id_)}
    assert len(found) >= 2
    assert found == key_rows()[feature]


def test_the_answer_key_names_the_records_that_have_no_fault() -> None:
    clean = {id_ for id_ in SYNTHETIC if not any(has_fault(id_) for has_fault in FAULTS.values())}
    assert len(clean) >= 12
    assert clean == key_rows()["no-fault"]
    assert f"{len(SYNTHETIC) - len(clean)} of the synthetic records carry faults" in CARD
    assert f"The other {len(clean)} have none" in CARD


def test_the_card_of_learners_names_no_synthetic_record() -> None:
    assert "`demo-`" in CARD
    assert [id_ for id_ in SYNTHETIC if id_ in CARD] == []


def test_the_answer_key_has_no_row_without_a_detector() -> None:
    assert set(key_rows()) == {*FAULTS, *FEATURES, "no-fault"}


@pytest.mark.parametrize("id_", sorted(EUROSTAT))
def test_eurostat_records_name_the_table_the_kit_carries(id_: str) -> None:
    assert DATA.joinpath("eurostat", f"{id_}.json").is_file()
    assert (node(id_), DCTERMS.publisher, URIRef(f"{AUTHORITY}corporate-body/ESTAT")) in GRAPH
    table = id_.removesuffix("_noneu")
    for url in urls(id_):
        assert url.startswith("https://ec.europa.eu/eurostat/api/dissemination/")
        assert urlsplit(url).path.endswith(f"/data/{table}")


@pytest.mark.parametrize("id_", sorted(REAL))
def test_real_records_have_a_licence_and_a_theme_from_the_authority_tables(id_: str) -> None:
    assert {found for _, found in licences(id_)} == {"CC_BY_4_0"}
    assert {code(t, "data-theme") for t in GRAPH.objects(node(id_), DCAT.theme)} <= set(THEMES)


def test_the_record_of_the_themes_is_the_one_that_lies_beside_the_data() -> None:
    beside = Graph().parse(data=DATA.joinpath("themes", "dcat-ap.ttl").read_text("utf-8"), format="turtle")
    listed = portal.connect("embedded").record(OWN)
    _, only_beside, only_listed = graph_diff(to_isomorphic(beside), to_isomorphic(listed))
    assert (set(only_beside), set(only_listed)) == (set(), set())
    # what a reader would ask first, spelled out, in case both files go wrong together
    assert {title.language for title in listed.objects(node(OWN), DCTERMS.title)} == {"en", "de", "fr"}
    assert {found for _, found in licences(OWN)} == {"CC_BY_4_0"}
    assert {code(found, "data-theme") for found in listed.objects(node(OWN), DCAT.theme)} == {"TECH", "EDUC"}
    assert len(set(listed.objects(node(OWN), DCTERMS.language))) == len(LANGUAGES)


def test_the_record_of_the_themes_says_that_the_titles_are_synthetic_and_is_not_marked_as_a_synthetic_record() -> None:
    (description,) = (t for t in GRAPH.objects(node(OWN), DCTERMS.description) if t.language == "en")
    assert "Synthetic" in description
    labels = {
        str(label) for p in GRAPH.objects(node(OWN), DCTERMS.provenance) for label in GRAPH.objects(p, RDFS.label)
    }
    assert len(labels) == 1
    assert str(MARK) not in labels


def test_the_links_of_the_themes_do_not_answer_since_nobody_has_published_them_there() -> None:
    assert {STATUS[url] for url in urls(OWN)} == {""}
    kit = portal.connect("embedded")
    record = kit.record(OWN)
    assert shacl.validate(record).conforms
    assessment = quality.assess(record, link_status=kit.link_status)
    lost = set(assessment.table.query("points < max_points")["metric"])
    assert lost == {"dcat:accessURL answers", "dcat:downloadURL answers", "dcat:byteSize"}
    assert f"{assessment.score} of 405 points" in CARD


def test_every_data_set_is_in_exactly_one_catalogue_with_publisher_and_country() -> None:
    homes = Counter(found for found in GRAPH.objects(None, DCAT.dataset))
    assert homes == Counter(node(id_) for id_ in IDS)
    for catalogue in set(GRAPH.subjects(DCAT.dataset, None)):
        publisher = GRAPH.value(catalogue, DCTERMS.publisher)
        assert (publisher, FOAF.name, None) in GRAPH
        assert code(GRAPH.value(catalogue, DCTERMS.spatial), "country")
        assert (None, DCAT.catalog, catalogue) in GRAPH


def test_every_named_distribution_exists_and_belongs_to_one_data_set() -> None:
    owners = Counter(GRAPH.objects(None, DCAT.distribution))
    assert owners == Counter(GRAPH.subjects(RDF.type, DCAT.Distribution))


def test_frequencies_come_from_the_authority_table() -> None:
    used = {code(found, "frequency") for found in GRAPH.objects(None, DCTERMS.accrualPeriodicity)}
    assert used <= set(FREQUENCIES)


def test_periods_do_not_end_before_they_start() -> None:
    for period in GRAPH.subjects(RDF.type, DCTERMS.PeriodOfTime):
        start, end = GRAPH.value(period, DCAT.startDate), GRAPH.value(period, DCAT.endDate)
        assert date.fromisoformat(str(start)) <= date.fromisoformat(str(end)) <= date(2026, 11, 21)


def test_the_only_places_without_an_address_have_a_name() -> None:
    for place in GRAPH.subjects(RDF.type, DCTERMS.Location):
        assert (place, SKOS.prefLabel, None) in GRAPH
