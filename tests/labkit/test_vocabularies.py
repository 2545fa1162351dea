"""The bundled vocabularies are complete as far as they claim, and agree with each other."""

import csv
from collections import Counter
from datetime import date
from importlib.resources import files

import pytest

from labkit.vocabularies import (
    ACCESS_RIGHTS,
    EU_LANGUAGES,
    FILE_TYPES,
    FREQUENCIES,
    LICENCES,
    MEDIA_TYPES,
    THEMES,
    Entry,
    Vocabulary,
    media_type_of,
)

ALL = [THEMES, LICENCES, ACCESS_RIGHTS, FILE_TYPES, FREQUENCIES, MEDIA_TYPES]


@pytest.mark.parametrize(
    ("vocabulary", "size"),
    [(THEMES, 13), (LICENCES, 160), (ACCESS_RIGHTS, 7), (FILE_TYPES, 203), (FREQUENCIES, 31), (MEDIA_TYPES, 71)],
    ids=lambda value: getattr(value, "name", value),
)
def test_size_is_that_of_the_card(vocabulary: Vocabulary[Entry], size: int) -> None:
    assert len(vocabulary) == size


@pytest.mark.parametrize("vocabulary", ALL, ids=lambda vocabulary: vocabulary.name)
def test_every_entry_can_be_looked_up_by_code_and_by_address(vocabulary: Vocabulary[Entry]) -> None:
    for code, entry in vocabulary.items():
        assert entry.code == code
        assert entry.label.strip() == entry.label != ""
        assert vocabulary.by_uri(entry.uri) is entry
    frame = vocabulary.to_frame()
    assert list(frame.index) == list(vocabulary)
    assert "label" in frame.columns


def test_themes_are_named_in_all_languages() -> None:
    assert " ".join(THEMES) == "AGRI ECON EDUC ENER ENVI GOVE HEAL INTR JUST REGI SOCI TECH TRAN"
    assert len(EU_LANGUAGES) == 24
    for theme in THEMES.values():
        assert tuple(theme.labels) == EU_LANGUAGES
        assert theme.labels["en"] == theme.label
        assert all(theme.labels.values())
    assert THEMES["HEAL"].labels["mt"] == "Saħħa"


@pytest.mark.parametrize("language", ["bg", "el"])
def test_theme_names_do_not_mix_alphabets(language: str) -> None:
    for theme in THEMES.values():
        assert not any("a" <= letter.lower() <= "z" for letter in theme.labels[language])


def test_an_address_must_be_exactly_that_of_the_table() -> None:
    uri = LICENCES["CC_BY_4_0"].uri
    assert uri == "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0"
    assert LICENCES.by_uri(uri.replace("http://", "https://")) is None
    assert LICENCES.by_uri("https://creativecommons.org/licenses/by/4.0/") is None


def test_media_types_are_known_with_both_schemes() -> None:
    for scheme in ("http", "https"):
        found = media_type_of(f"{scheme}://www.iana.org/assignments/media-types/text/csv")
        assert found is MEDIA_TYPES["text/csv"]
    assert media_type_of("text/csv") is None
    assert media_type_of("https://www.iana.org/assignments/media-types/application/x-csv") is None


def test_an_unknown_code_is_named_in_the_error() -> None:
    with pytest.raises(KeyError, match="licence table has no code 'cc-by'"):
        LICENCES["cc-by"]
    assert LICENCES.get("cc-by") is None
    assert "cc-by" not in LICENCES


@pytest.mark.parametrize(
    ("code", "commercial", "attribution", "share_alike", "adaptation"),
    [
        ("CC0", True, False, False, True),
        ("CC_BY_4_0", True, True, False, True),
        ("CC_BYSA_4_0", True, True, True, True),
        ("CC_BYNC_4_0", False, True, False, True),
        ("CC_BYND_4_0", True, True, False, False),
        ("CC_BYNCSA_3_0", False, True, True, True),
        ("ODC_BL", True, True, True, True),
        ("ODC_BY", True, True, False, True),
        ("DLDE_ZERO_2_0", True, False, False, True),
        ("IODL_1_0", True, True, True, True),
        ("IODL_2_0", True, True, False, True),
        ("OGL_NC", False, True, False, True),
        ("MIT", None, None, None, None),
        ("OP_DATPRO", None, None, None, None),
    ],
)
def test_conditions_of_licences(
    code: str, commercial: bool | None, attribution: bool | None, share_alike: bool | None, adaptation: bool | None
) -> None:
    licence = LICENCES[code]
    assert licence.allows_commercial_use is commercial
    assert licence.requires_attribution is attribution
    assert licence.share_alike is share_alike
    assert licence.allows_adaptation is adaptation


def test_conditions_follow_from_the_names_of_creative_commons_licences() -> None:
    for code, licence in LICENCES.items():
        if code.startswith("CC_BY"):
            assert licence.allows_commercial_use is ("NonCommercial" not in licence.label)
            assert licence.share_alike is ("ShareAlike" in licence.label)
            assert licence.allows_adaptation is ("NoDerivatives" not in licence.label)


def test_the_conditions_of_a_licence_are_all_known_or_all_unknown() -> None:
    for licence in LICENCES.values():
        flags = {
            licence.allows_commercial_use,
            licence.requires_attribution,
            licence.share_alike,
            licence.allows_adaptation,
        }
        assert (None in flags) == (flags == {None}), licence.code


def test_formats_are_judged_as_on_the_lists_of_the_portal() -> None:
    machine_readable = {code for code, entry in FILE_TYPES.items() if entry.machine_readable}
    non_proprietary = {code for code, entry in FILE_TYPES.items() if entry.non_proprietary}
    assert len(machine_readable) == 20
    assert len(non_proprietary) == 31
    assert {"CSV", "JSON", "XLSX", "SHP"} <= machine_readable
    assert not {"PDF", "JPEG", "DOC", "HTML", "ZIP"} & machine_readable
    assert {"CSV", "JSON", "ODS", "GPKG"} <= non_proprietary
    assert not {"XLS", "XLSX", "DOC", "SHP"} & non_proprietary


def test_media_types_of_formats_are_registered_ones() -> None:
    for entry in FILE_TYPES.values():
        assert entry.media_type == "" or entry.media_type in MEDIA_TYPES, entry.code


def test_digcomp_has_21_competences_in_five_areas() -> None:
    text = files("labkit").joinpath("data", "vocabularies", "digcomp.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    numbers = [row["number"] for row in rows]
    assert numbers == sorted(set(numbers))
    assert Counter(number[0] for number in numbers) == {"1": 3, "2": 6, "3": 4, "4": 4, "5": 4}
    assert len({(row["number"][0], row["area"]) for row in rows}) == len({row["area"] for row in rows}) == 5
    assert len({row["name"] for row in rows}) == 21
    for row in rows:
        assert "JRC144121" in row["source"]
        assert date.fromisoformat(row["checked"]) >= date(2026, 11, 22)
