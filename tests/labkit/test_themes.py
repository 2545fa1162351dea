"""The labelled titles: complete, parallel, clean in each language, split by rule, described truthfully."""

import csv
import hashlib
import json
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from rdflib import DCAT, DCTERMS, RDF, Graph, Literal, URIRef

from labkit import quality, shacl
from labkit.vocabularies import EU_LANGUAGES, THEMES

FOLDER = files("labkit").joinpath("data", "themes")
CARD = FOLDER.joinpath("README.md").read_text("utf-8")
SCRIPTS = {"bg": "CYRILLIC", "el": "GREEK"}
MARKS = set(" ,.:;()-\N{EN DASH}/'?¿°º")
# abbreviations and ordinals after a year that end in a full stop, where the orthography of the language asks for it
FINAL_STOP = {"bg": "\\d \N{CYRILLIC SMALL LETTER GHE}\\.$", "hr": r"\d\.$", "lt": r"\d m\.$"}
# numbers that are words in the English title and may be figures in another language
IN_WORDS = {
    "1": r"\b(first|primary)\b",
    "2": r"\btwo\b",
    "15": r"\bfifteen\b",
    "30": r"\bthirty\b",
    "50": r"\bfifties\b",
    "80": r"\beighty\b",
    "100": r"\bhundred\b",
    "10000": r"\bten thousand\b",
}
DATASET = URIRef("http://data.europa.eu/88u/dataset/academy-themes")
each_language = pytest.mark.parametrize("language", EU_LANGUAGES)


def rows(*path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(FOLDER.joinpath(*path).read_text("utf-8").splitlines()))


@cache
def titles(language: str) -> dict[str, str]:
    return {row["id"]: row["text"] for row in rows("titles", f"{language}.csv")}


LABELS = rows("labels.csv")
IDS = [row["id"] for row in LABELS]


def test_twenty_titles_a_theme() -> None:
    expected = [(f"{code.lower()}-{number:02}", code) for code in THEMES for number in range(1, 21)]
    assert [(row["id"], row["theme"]) for row in LABELS] == expected


def test_one_file_a_language() -> None:
    names = {path.name for path in FOLDER.joinpath("titles").iterdir()}
    assert names == {f"{language}.csv" for language in EU_LANGUAGES}


@each_language
def test_ids_are_parallel(language: str) -> None:
    assert [row["id"] for row in rows("titles", f"{language}.csv")] == IDS


@each_language
def test_file_is_plain_utf8_csv(language: str) -> None:
    raw = FOLDER.joinpath("titles", f"{language}.csv").read_bytes()
    assert raw.startswith(b"id,text\n"), "no byte-order mark, Unix line ends, two columns"
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    assert len(raw.decode("utf-8").splitlines()) == 261


def test_split_follows_the_rule_of_the_card() -> None:
    def order(id_: str) -> str:
        return hashlib.sha256(id_.encode()).hexdigest()

    expected: set[str] = set()
    for code in THEMES:
        hard = sorted((row["id"] for row in LABELS if row["theme"] == code and row["hard"] == "yes"), key=order)
        easy = sorted((row["id"] for row in LABELS if row["theme"] == code and row["hard"] == "no"), key=order)
        taken = round(0.4 * len(hard))
        expected |= {*hard[:taken], *easy[: 8 - taken]}
    assert {row["id"] for row in LABELS if row["split"] == "test"} == expected
    assert {row["split"] for row in LABELS} == {"train", "test"}


@pytest.mark.parametrize("theme", THEMES)
def test_split_is_balanced_and_hard_titles_are_in_both_parts(theme: str) -> None:
    own = [row for row in LABELS if row["theme"] == theme]
    assert sum(row["split"] == "train" for row in own) == 12
    assert sum(row["split"] == "test" for row in own) == 8
    assert {row["split"] for row in own if row["hard"] == "yes"} == {"train", "test"}


def test_hard_titles_have_a_rival_and_a_reason_and_others_none() -> None:
    for row in LABELS:
        if row["hard"] == "yes":
            assert row["rival"] in set(THEMES) - {row["theme"]}, row["id"]
            assert row["reason"], row["id"]
        else:
            assert (row["hard"], row["rival"], row["reason"]) == ("no", "", ""), row["id"]


@each_language
def test_no_title_twice(language: str) -> None:
    seen = [text.casefold() for text in titles(language).values()]
    assert len(set(seen)) == len(seen)


@each_language
def test_length(language: str) -> None:
    for id_, text in titles(language).items():
        words = [word for word in text.split() if any(map(str.isalnum, word))]  # a French " : " is no word
        assert 4 <= len(words) <= 14, (id_, text)


@each_language
def test_script(language: str) -> None:
    script = SCRIPTS.get(language, "LATIN")
    for id_, text in titles(language).items():
        foreign = {
            char for char in text if char.isalpha() and not unicodedata.name(char).startswith((script, "MASCULINE"))
        }
        assert not foreign, (id_, foreign)


@each_language
def test_characters(language: str) -> None:
    for id_, text in titles(language).items():
        assert text == unicodedata.normalize("NFC", text), id_
        assert text == " ".join(text.split()), f"{id_}: a stray blank"
        odd = {char for char in text if not char.isalnum() and char not in MARKS}
        assert not odd, (id_, odd)


@each_language
def test_start_and_end(language: str) -> None:
    for id_, text in titles(language).items():
        first = text.removeprefix("¿")[0]
        assert first == first.upper(), (id_, text)
        stop = FINAL_STOP.get(language)
        allowed = text[-1].isalnum() or text[-1] == ")" or (stop and re.search(stop, text))
        assert allowed, (id_, text)


@each_language
def test_only_one_question(language: str) -> None:
    mark = ";" if language == "el" else "?"
    assert [id_ for id_, text in titles(language).items() if mark in text] == ["ener-03"]


@each_language
def test_nothing_left_in_english(language: str) -> None:
    same = [id_ for id_ in IDS if titles(language)[id_].casefold() == titles("en")[id_].casefold()]
    assert same == ([] if language != "en" else IDS)


@each_language
def test_years_and_numbers_are_those_of_the_english_title(language: str) -> None:
    for id_ in IDS:
        text = re.sub(r"(?<=\d)[ .](?=000\b)", "", titles(language)[id_])
        english = titles("en")[id_]
        found, expected = re.findall(r"\d+", text), re.findall(r"\d+", english)
        assert set(expected) <= set(found), (id_, text)
        for number in set(found) - set(expected):
            assert number in IN_WORDS, (id_, text)
            assert re.search(IN_WORDS[number], english), (id_, text)


@pytest.fixture(scope="module")
def recognised() -> dict[str, float]:
    """Share of titles whose language an identifier, limited to the 24, names right; by language."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(EU_LANGUAGES))
    return {
        language: sum(identifier.classify(text)[0] == language for text in titles(language).values()) / len(IDS)
        for language in EU_LANGUAGES
    }


def test_language_over_all(recognised: dict[str, float]) -> None:
    assert sum(recognised.values()) / len(recognised) >= 0.95


@each_language
def test_language(recognised: dict[str, float], language: str) -> None:
    assert recognised[language] >= 0.85


def test_card_gives_the_figures_of_the_files() -> None:
    hard = [row for row in LABELS if row["hard"] == "yes"]
    in_test = sum(row["split"] == "test" for row in hard)
    assert f"`yes` for {len(hard)} titles" in CARD
    assert f"{in_test} of the 104 test titles are hard" in CARD
    for name in {path.name for path in FOLDER.iterdir()} - {"README.md"}:
        assert f"`{name}" in CARD, "each file is named on the card"


# ----- Croissant -----


@pytest.fixture(scope="module")
def croissant() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(FOLDER.joinpath("croissant.json").read_text("utf-8"))
    return document


def test_croissant_has_what_the_format_demands(croissant: dict[str, Any]) -> None:
    assert croissant["@type"] == "sc:Dataset"
    assert croissant["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert croissant["@context"]["cr"] == "http://mlcommons.org/croissant/"
    for key in ("name", "description", "license", "url", "creator", "datePublished", "version", "citeAs"):
        assert croissant[key], key
    assert croissant["inLanguage"] == list(EU_LANGUAGES)
    for part in croissant["distribution"]:
        assert part["encodingFormat"] == "text/csv"
        assert part["@type"] in {"cr:FileObject", "cr:FileSet"}


def test_croissant_files_are_the_files(croissant: dict[str, Any]) -> None:
    labels, texts = croissant["distribution"]
    digest = hashlib.sha256(FOLDER.joinpath(labels["contentUrl"]).read_bytes()).hexdigest()
    assert labels["sha256"] == digest, "labels.csv has changed: write this SHA-256 into croissant.json"
    assert texts["includes"] == "titles/*.csv"


def test_croissant_fields_point_to_real_columns(croissant: dict[str, Any]) -> None:
    columns = {"labels.csv": list(LABELS[0]), "title-files": ["id", "text"]}
    used = set()
    for field in (field for records in croissant["recordSet"] for field in records["field"]):
        assert field["@type"] == "cr:Field"
        for source in (field.get("source", {}), field.get("references", {})):
            place = source.get("fileObject", source.get("fileSet", {})).get("@id")
            column = source.get("extract", {}).get("column")
            if column:
                assert column in columns[place], field["@id"]
                used.add((place, column))
    assert used == {(place, column) for place, names in columns.items() for column in names}


def test_croissant_references_exist(croissant: dict[str, Any]) -> None:
    def collect(node: Any) -> None:
        if isinstance(node, dict):
            known.add(node["@id"]) if "@type" in node and "@id" in node else asked.add(node.get("@id"))
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    known: set[str | None] = {None}
    asked: set[str | None] = set()
    collect({key: value for key, value in croissant.items() if key != "@context"})
    assert asked <= known


def test_croissant_knows_the_themes_and_the_languages(croissant: dict[str, Any]) -> None:
    record_sets = {records["@id"]: records for records in croissant["recordSet"]}
    assert {row["themes/code"]: row["themes/uri"] for row in record_sets["themes"]["data"]} == {
        theme.code: theme.uri for theme in THEMES.values()
    }
    (language,) = (field for field in record_sets["titles"]["field"] if field["name"] == "language")
    pattern = re.compile(language["source"]["transform"]["regex"])
    matches = [pattern.search(path.name) for path in FOLDER.joinpath("titles").iterdir()]
    assert sorted(match[1] for match in matches if match) == sorted(EU_LANGUAGES)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib's own parser
def test_croissant_is_json_ld() -> None:
    graph = Graph().parse(data=FOLDER.joinpath("croissant.json").read_text("utf-8"), format="json-ld")
    kinds = {str(kind).rpartition("/")[2] for kind in graph.objects(None, RDF.type)}
    assert {"Dataset", "FileObject", "FileSet", "RecordSet", "Field"} <= kinds


# ----- DCAT-AP -----


@pytest.fixture(scope="module")
def record() -> Graph:
    return shacl.parse_turtle(FOLDER.joinpath("dcat-ap.ttl").read_text("utf-8"))


def test_record_conforms_to_dcat_ap(record: Graph) -> None:
    report = shacl.validate(record)
    assert report.conforms, report.violations.to_string()


def test_record_scores_well(record: Graph) -> None:
    result = quality.assess(record, link_status=lambda _: 200)
    assert result.rating == "Excellent"
    assert set(result.table.query("points < max_points")["metric"]) == {"dcat:byteSize"}


def test_record_names_every_file_and_language(record: Graph) -> None:
    urls = {
        str(url).removeprefix("https://academy.example.org/data/themes/")
        for url in record.objects(None, DCAT.downloadURL)
    }
    assert urls == {"labels.csv", "croissant.json", *(f"titles/{language}.csv" for language in EU_LANGUAGES)}
    assert len(set(record.objects(DATASET, DCTERMS.language))) == len(EU_LANGUAGES)


def test_all_descriptions_give_one_version_and_licence(record: Graph, croissant: dict[str, Any]) -> None:
    version = croissant["version"]
    assert record.value(DATASET, URIRef("http://www.w3.org/ns/dcat#version")) == Literal(version)
    assert f"Version {version}" in CARD
    assert f"version {version}" in CARD
    assert croissant["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert {str(licence).rpartition("/")[2] for licence in record.objects(None, DCTERMS.license)} == {"CC_BY_4_0"}
    for text in (croissant["description"], str(record.value(DATASET, DCTERMS.description)), CARD):
        assert re.search("synth", text, re.IGNORECASE), "made-up data say so"
