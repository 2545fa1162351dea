"""Records of models: every field has its fault, honest records have none, and no input makes the validator raise."""

import copy
import json
from functools import cache
from typing import Any

import huggingface_hub
import numpy as np
import pandas as pd
import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit import aiact, data, model_record, scores
from labkit.aiact import ARTICLES
from labkit.model_record import FIELDS, NOT_KNOWN, SECTIONS, Fact, Finding, RecordError, card, check
from labkit.vocabularies import EU_LANGUAGES, LICENCES

RUNS = ("lora-0", "full-1", "frozen", "lora-english", "lora-12-languages")
SENTENCE = "Proposes one of 13 themes for the title of a data set; a person confirms the proposal."


def record() -> dict[str, Any]:
    """A small record without a fault; a new one each time."""
    return {
        "identity": {
            "name": "title-themes",
            "version": "1.0.0",
            "date": "2026-11-22",
            "distribution": "as a folder, on request",
        },
        "contact": {"role": "Open data office", "email": "models@example.org"},
        "use": {"intended": SENTENCE, "not_for": SENTENCE + " Not for people.", "limits": SENTENCE + " Weak in Irish."},
        "model": {
            "base_model": "intfloat/multilingual-e5-small",
            "method": "lora",
            "architecture": "encoder with one linear layer",
            "input": "text, at most 64 pieces",
            "output": "one of 13 themes",
            "needs": "transformers and peft, one processor core",
        },
        "parameters": {"base": 1000, "learned": 50, "total": 1050},
        "licences": {"model": "MIT", "base_model": "MIT", "data": "CC_BY_4_0"},
        "languages": ["en", "mt"],
        "data": {"name": "themes", "version": "1.0.0", "origin": SENTENCE, "synthetic": True},
        "training": {"date": "2026-11-21", "titles": 10, "rows": 20, "epochs": 2.0, "seed": 0},
        "compute": {"tokens": 600, "flop": 6 * 1050 * 600, "method": "6*N*D", "seconds": 3.5},
        "energy": {"watt_hours": 0.2, "low": 0.1, "high": 0.4, "basis": "estimated", "all_runs": 1.5},
        "scores": {
            "en": {"titles": 104, "accuracy": 0.78, "low": 0.69, "high": 0.86},
            "mt": {"titles": 104, "accuracy": 0.56, "low": 0.46, "high": 0.65},
        },
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """The record with another value in one place; `...` takes the field out."""
    result = record()
    *sections, last = path.split(".")
    place = result
    for section in sections:
        place = place[section]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return result


def lines(given: object, facts: dict[str, Fact] | None = None) -> list[str]:
    return [str(finding) for finding in check(given, facts)]


def test_a_right_record_has_no_finding() -> None:
    assert check(record()) == ()


@pytest.mark.parametrize("field", [field.name for field in FIELDS])
def test_each_field_is_asked_for(field: str) -> None:
    path = field.replace("<language>", "mt")
    for absent in (..., None):
        found = [finding for finding in check(changed(path, absent)) if finding.field == path]
        assert found, path
        assert found[0].problem.startswith("missing"), path


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("identity.name", 7, "7 is not text: write text of 3 to 96 characters"),
        ("identity.name", "TBD", "'TBD' says nothing"),
        ("identity.name", " \n ", "says nothing"),
        ("identity.name", "x" * 97, "has 97 characters"),
        ("identity.name", "title\u202ethemes", "cannot be shown"),
        ("identity.version", "1.0", "'1.0' has another form: write text such as 1.0.0"),
        ("identity.version", 1.0, "1 is not text"),
        ("identity.date", "22.11.2026", "'22.11.2026' has another form: write a day such as 2026-11-22"),
        ("identity.date", "2026-02-30", "not in the calendar"),
        ("identity.date", "2026-11-20", "2026-11-20 is before the training on 2026-11-21"),
        ("contact.email", "models at example.org", "write text such as models@example.org"),
        ("use.limits", "none", "has 4 characters: write text of 40 to 2000 characters"),
        ("model.method", "LoRA", "'LoRA' is not known here: write one of lora, full, frozen, tfidf"),
        ("model.base_model", "https://huggingface.co/x/y", "write text such as owner/model"),
        ("parameters.total", 1000, "base + learned is 1,050"),
        ("parameters.base", "1000", "'1000' is not a number"),
        ("parameters.base", 1000.5, "1000 is not a whole number"),
        ("parameters.base", -1, "-1 is out of range"),
        ("parameters.base", True, "True is not a number"),
        ("licences.model", "mit", "'mit' is not in the licence table"),
        ("licences.data", "none", "'none' is not in the licence table"),
        ("licences.base_model", "none", "is there one or not? model.base_model is 'intfloat/multilingual-e5-small'"),
        ("languages", "en, mt", "text is not a list"),
        ("languages", ["en", "mt", "xx"], "'xx' is not a code of an official EU language"),
        ("languages", ["en", "mt", "mt"], "the same language twice"),
        ("languages", ["en"], "mt has a score, but is not named"),
        ("languages", ["en", "ga", "mt"], "ga has no score"),
        ("languages", [], "has 0 entries"),
        ("data.synthetic", "yes", "'yes' is not True or False"),
        ("training.rows", 9, "9 are fewer than the 10 different titles"),
        ("training.epochs", 0, "0 is out of range"),
        ("compute.flop", 6 * 50 * 600, "6 x parameters.total x compute.tokens is 3.78e+06"),
        ("compute.method", "rule of thumb", "write one of 6*N*D, counted"),
        ("energy.watt_hours", 200, "200 is not between low (0.1) and high (0.4)"),
        ("energy.watt_hours", float("nan"), "nan is not a finite number"),
        ("scores.mt.accuracy", 56, "56 is out of range: write a number, from 0 to 1"),
        ("scores.mt.accuracy", 0.7, "0.7 is not between low (0.46) and high (0.65)"),
        pytest.param("scores.mt.titles", 10**5000, "a whole number is out of range", id="5000 digits"),
        ("scores.xx", {"accuracy": 0.5}, "the record has no field of this name"),
        ("scores.mt", 0.56, "a number is not a dictionary"),
        ("scores", {}, "no language has a score"),
        ("scores", [0.5], "a list is not a dictionary"),
        ("model", None, "None (nothing) is not a dictionary"),
        ("model.colour", "blue", "the record has no field of this name"),
        ("colour", "blue", "the record has no field of this name"),
    ],
)
def test_a_wrong_value_gets_one_line_that_names_the_field(path: str, value: Any, words: str) -> None:
    found = check(changed(path, value))
    named = [finding for finding in found if words in finding.problem]
    assert len(named) == 1, found
    assert named[0].field in {path, "model.base_model"}
    assert all("\n" not in str(finding) for finding in found)


def test_a_record_that_is_none() -> None:
    assert lines(None) == ["record: None (nothing) is not a dictionary"]
    assert [finding.field for finding in check({})] == list(SECTIONS)


def test_only_the_asked_sections_are_looked_at() -> None:
    part = {"parameters": {"base": 10, "learned": 5, "total": 16}}
    assert check(part, sections=["parameters"])
    assert check({"energy": record()["energy"]}, {"parameters.base": Fact(1, "files")}, sections=["energy"]) == ()
    assert [finding.field for finding in check({}, sections=["energy"])] == ["energy"]


@pytest.mark.parametrize(
    ("method", "learned", "total", "right"),
    [
        ("lora", 50, 1050, True),
        ("frozen", 50, 1000, False),
        ("full", 400, 1005, True),
        ("full", 400, 1400, False),
        ("full", 400, 1000, False),
    ],
)
def test_total_depends_on_what_learned(method: str, learned: int, total: int, right: bool) -> None:
    given = changed("model.method", method)
    given["parameters"] = {"base": 1000, "learned": learned, "total": total}
    given["compute"]["flop"] = 6 * total * 600
    assert (check(given) == ()) is right


def test_a_model_built_on_none() -> None:
    given = changed("model.method", "tfidf")
    given["model"]["base_model"] = given["licences"]["base_model"] = model_record.NONE
    given["parameters"] = {"base": 0, "learned": 50, "total": 50}
    given["compute"] |= {"tokens": NOT_KNOWN, "flop": NOT_KNOWN, "method": NOT_KNOWN}
    assert check(given) == ()
    made = model_record.card_data(given)
    assert made.base_model is None
    assert ": sklearn" in made.to_yaml()


def test_not_known_is_an_answer_where_nobody_need_know() -> None:
    may = {field.name.replace("<language>", "mt") for field in FIELDS if field.unknown}
    assert {"energy.watt_hours", "compute.flop", "scores.mt.accuracy"} <= may
    for path in may:
        assert check(changed(path, NOT_KNOWN)) == (), path
    for path in (
        "identity.date",
        "parameters.total",
        "licences.model",
        "training.rows",
        "use.limits",
        "scores.mt.titles",
    ):
        assert path in {finding.field for finding in check(changed(path, NOT_KNOWN))}


def test_operations_that_were_counted_need_not_follow_the_rule() -> None:
    given = changed("compute.flop", 1.2e6)
    given["compute"]["method"] = "counted"
    assert check(given) == ()


# ---------------------------------------------------------------- against the model itself


def test_the_finding_says_what_the_record_says_and_what_is_so() -> None:
    facts = {"scores.mt.accuracy": Fact(58 / 104, "the recorded answers")}
    given = changed("scores.mt", {"titles": 104, "accuracy": 0.91, "low": 0.85, "high": 0.96})
    assert lines(given, facts) == ["scores.mt.accuracy: 0.91, but the recorded answers give 0.558"]


@pytest.mark.parametrize(
    ("path", "value", "fact", "agrees"),
    [
        ("scores.mt.accuracy", 0.56, 0.5577, True),
        ("scores.mt.accuracy", 0.55, 0.5577, False),
        ("scores.mt.low", 0.45, 0.4712, True),
        ("scores.mt.low", 0.40, 0.4712, False),
        ("scores.mt.accuracy", NOT_KNOWN, 0.5577, False),
        ("training.rows", 20.0, 20, True),
        ("training.rows", np.int64(20), 20, True),
        ("training.rows", 21, 20, False),
        ("energy.watt_hours", 0.2, 0.195, True),
        ("energy.watt_hours", 0.2, 0.25, False),
        ("data.synthetic", True, 1, False),
        ("data.name", "themes", "titles", False),
        ("languages", ("mt", "en"), ["en", "mt"], True),
        ("languages", ["en", "mt"], ["en", "ga"], False),
    ],
)
def test_rounding_is_no_fault_and_a_difference_is(path: str, value: Any, fact: Any, agrees: bool) -> None:
    found = [
        finding for finding in check(changed(path, value), {path: Fact(fact, "files")}) if "files" in finding.problem
    ]
    assert (not found) is agrees


def test_a_language_that_is_hidden_is_found() -> None:
    judged = pd.DataFrame(
        [("a-01", code, "ENVI", "ENVI") for code in ("en", "ga", "mt")],
        columns=["id", "language", "theme", "predicted"],
    )
    facts = {name: fact for name, fact in model_record.scored(judged, "the answers").items() if ".ga." in name}
    assert lines(record(), facts) == ["scores.ga: missing, but the answers hold this language"]
    assert lines(record(), {"languages": Fact(["en", "ga", "mt"], "the answers")}) == [
        "languages: ga is missing, but the answers hold it"
    ]


recorded = cache(model_record.recorded)


def of_run(run: str) -> dict[str, Any]:
    """A record that is filled from the facts of a run."""
    filled = record()
    filled["scores"] = {}
    for name, fact in recorded(run).items():
        section, _, rest = name.partition(".")
        if section == "scores":
            code, _, last = rest.partition(".")
            filled["scores"].setdefault(code, {})[last] = fact.value
        elif rest:
            filled[section][rest] = fact.value
        else:
            filled[section] = fact.value
    filled["compute"]["flop"] = aiact.training_flop(filled["parameters"]["total"], filled["compute"]["tokens"])
    filled["identity"]["date"] = filled["training"]["date"]
    return filled


@pytest.mark.parametrize("run", RUNS)
def test_a_recorded_run_gives_a_record_without_fault(run: str) -> None:
    facts = recorded(run)
    filled = of_run(run)
    assert check(filled, facts) == ()
    json.dumps(filled)  # plain values only
    row = data.runs().set_index("run").loc[run]
    assert len(model_record.rows_of(row.to_dict())) == row["rows"] == filled["training"]["rows"]
    judged = data.judged(run)
    right = judged[judged["language"] == "mt"].eval("theme == predicted").mean()
    assert filled["scores"]["mt"]["accuracy"] == pytest.approx(right)


def test_records_of_two_runs_do_not_pass_for_each_other() -> None:
    found = {finding.field for finding in check(of_run("full-1"), recorded("lora-0"))}
    assert {"model.method", "parameters.total", "parameters.learned", "training.seed"} <= found
    assert any(field.startswith("scores.") for field in found)


def test_facts_of_a_run_by_hand() -> None:
    """LoRA of width 8 beside two matrices of 384 x 384 in each of layers 4 to 11; a head from 384 to 13."""
    head = 13 * (384 + 1)
    lora, full = recorded("lora-0"), recorded("full-1")
    assert lora["parameters.learned"].value == 8 * 2 * 8 * (384 + 384) + head
    assert lora["parameters.total"].value - lora["parameters.base"].value == lora["parameters.learned"].value
    assert full["parameters.total"].value - full["parameters.base"].value == head
    assert recorded("lora-english")["compute.tokens"].value % 6 == 0  # six epochs


def test_what_is_not_recorded_is_said() -> None:
    with pytest.raises(data.DataSetError, match="lora-0"):
        recorded("gpt")
    with pytest.raises(RecordError, match="not made from the course model"):
        recorded("tfidf")


# ---------------------------------------------------------------- the list of fields


def test_annex_xi_is_covered_and_every_heading_exists() -> None:
    points = {field.asked_by.rpartition(" ")[2] for field in FIELDS if field.asked_by.startswith("Annex XI, section 1")}
    assert points == {*(f"1({letter})" for letter in "abcdef"), *(f"2({letter})" for letter in "abcde")}
    assert "Annex XI" in ARTICLES
    template = huggingface_hub.repocard.TEMPLATE_MODELCARD_PATH.read_text(encoding="utf-8")
    headings = {line.lstrip("# ") for line in template.splitlines() if line.startswith("#")}
    cards = {field.asked_by.removeprefix("model card: ") for field in FIELDS if field.asked_by.startswith("model card")}
    assert cards <= headings
    assert len(cards) > 5


def test_guide_has_a_line_for_every_field() -> None:
    table = model_record.guide()
    assert list(table.columns) == ["field", "purpose", "form", "asked_by"]
    assert table["field"].tolist() == [field.name for field in FIELDS]
    assert table["field"].is_unique
    assert (table != "").all(axis=None)


# ---------------------------------------------------------------- model card


def test_front_matter_says_what_the_record_says() -> None:
    text = model_record.front_matter(record())
    head, tail = text.split("---\n")[1:]
    assert tail == ""
    loaded = yaml.safe_load(head)
    assert loaded["license"] == "mit"
    assert loaded["language"] == ["en", "mt"]
    assert loaded["base_model"] == "intfloat/multilingual-e5-small"
    results = ModelCard(text + "\n# title-themes\n").data.eval_results
    assert {result.dataset_config: result.metric_value for result in results} == {"en": 0.78, "mt": 0.56}
    assert "95 % interval 0.46 to 0.65" in results[1].metric_name
    assert "license_name" not in loaded


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("MIT", "mit"),
        ("CC_BY_4_0", "cc-by-4.0"),
        ("APACHE_2_0", "apache-2.0"),
        ("CC0", "cc0-1.0"),
        ("OP_DATPRO", "other"),
    ],
)
def test_licences_have_other_names_on_the_hub(code: str, name: str) -> None:
    assert model_record.hub_licence(code) == name


def test_names_of_licences_are_in_the_licence_table() -> None:
    assert set(card._ON_THE_HUB) <= set(LICENCES)


def test_a_licence_that_the_hub_does_not_list_is_named() -> None:
    loaded = yaml.safe_load(model_record.front_matter(changed("licences.model", "OP_DATPRO")).strip("-\n"))
    assert loaded["license"] == "other"
    assert loaded["license_link"].endswith("/OP_DATPRO")


def test_a_faulty_record_makes_no_card() -> None:
    with pytest.raises(RecordError, match="has 1 fault"):
        model_record.front_matter(changed("contact.role", ""))


def test_a_language_without_a_known_score_gets_no_result() -> None:
    given = changed("scores.mt", {"titles": 5, "accuracy": NOT_KNOWN, "low": NOT_KNOWN, "high": NOT_KNOWN})
    assert check(given) == ()
    assert [result.dataset_config for result in model_record.card_data(given).eval_results] == ["en"]


# ---------------------------------------------------------------- whatever comes in

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.none().map(lambda _: 10**5000),  # hypothesis itself could not show the number
    st.floats(),
    st.text(),
    st.text(alphabet="\ud800\u202e\x00\n", min_size=1),
    st.binary(max_size=5),
    st.sampled_from([np.float64("nan"), np.int64(3), np.str_("mt"), object(), print, {1, 2}, (), NOT_KNOWN, "none"]),
)
KEYS = st.one_of(ODD.filter(lambda value: not isinstance(value, set)), st.sampled_from(SECTIONS + EU_LANGUAGES))
ANYTHING = st.recursive(
    ODD, lambda part: st.one_of(st.lists(part, max_size=4), st.dictionaries(KEYS, part, max_size=4))
)
PATHS = [field.name.replace("<language>", "mt") for field in FIELDS] + list(SECTIONS) + ["scores.mt", "scores.en"]


@settings(max_examples=150, deadline=None)
@given(ANYTHING)
def test_no_input_makes_it_raise(given_record: object) -> None:
    found = check(given_record, {"scores.mt.accuracy": Fact(0.5, "files"), "languages": Fact(["mt"], "files")})
    assert found
    assert all(isinstance(finding, Finding) and "\n" not in str(finding) for finding in found)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), ANYTHING), min_size=1, max_size=4))
def test_no_value_in_a_field_makes_it_raise(changes: list[tuple[str, object]]) -> None:
    facts = {path: Fact(1, "files") for path in PATHS if "." in path}
    odd = record()
    for path, value in changes:
        place: Any = odd
        *sections, last = path.split(".")
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[last] = value
    before = copy.copy(odd)
    assert all("\n" not in str(finding) and len(str(finding)) < 600 for finding in check(odd, facts))
    assert odd.keys() == before.keys()


class Trap:
    """An object whose every method is a trap."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __hash__(self) -> int:
        return hash("identity")

    def __repr__(self) -> str:
        raise AssertionError("shown")


class Sly(dict[str, object]):
    """A dictionary that lies."""

    def get(self, *_: object) -> object:  # type: ignore[override]
        raise AssertionError("asked")

    def items(self) -> Any:
        raise AssertionError("listed")


class SlyText(str):
    """Text that lies about itself."""

    __slots__ = ()

    def strip(self, *_: object) -> str:
        raise AssertionError("stripped")


def test_no_code_of_a_value_runs() -> None:
    assert check({Trap(): 1, "use": {Trap(): 2, "intended": Trap()}})
    assert check(Sly(record()))
    for value in (Trap(), Sly(), SlyText("models@example.org")):
        for path in PATHS:
            assert check(changed(path, value)), path


def test_sizes_are_limited() -> None:
    wide = record() | {f"section-{number}": {} for number in range(5000)}
    assert len(check(wide)) <= 20
    assert "entries are too many" in lines(wide)[-1]
    assert check(changed("use.limits", "x" * 10_000_000))[0].problem.startswith("has 10000000 characters")
    assert check(changed("languages", ["mt"] * 1_000_000))[0].problem.startswith("has 1000000 entries")
    assert len(check({"scores": {code: {} for code in EU_LANGUAGES} | {str(n): {} for n in range(90)}})) <= 300


def test_scores_and_facts_come_from_the_same_table() -> None:
    judged = data.judged("frozen")
    table = scores.by_group(judged).set_index("language")
    facts = model_record.scored(judged, "the answers")
    assert len(facts) == 4 * 24
    assert facts["scores.ga.low"].value == table.loc["ga", "low"]
