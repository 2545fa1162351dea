"""The instructions: that they are many enough, short, unlike each other, and in agreement with the kit's tables."""

import re
from importlib.resources import files

import pandas as pd
import pytest

from labkit import data, instructions
from labkit.quality import rating
from labkit.quality.metrics import METRICS
from labkit.vocabularies import LICENCES, THEMES

HAND_WRITTEN = ["property", "concept", "practice", "portal", "metric", "eurostat"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return instructions.load()


def test_there_are_a_few_hundred_and_over_a_hundred_are_written_by_hand(table: pd.DataFrame) -> None:
    assert 250 <= len(table) <= 400
    assert table["kind"].isin(HAND_WRITTEN).sum() >= 100
    assert list(table.columns) == ["id", "kind", "question", "answer", "source", "split"]
    assert table.notna().all().all()
    assert table["id"].is_unique


def test_no_question_comes_twice(table: pd.DataFrame) -> None:
    alike = table["question"].str.lower().str.replace(r"\W+", " ", regex=True).str.strip()
    assert alike.is_unique


def test_texts_are_short_and_clean(table: pd.DataFrame) -> None:
    assert table["question"].str.split().str.len().between(3, 22).all()
    assert table["answer"].str.split().str.len().between(1, 20).all()
    for column in ("question", "answer"):
        assert (table[column] == table[column].str.strip()).all()
        assert not table[column].str.contains(r"\s{2}|<\||\n", regex=True).any()
    written = table[table["kind"] != "theme"]
    assert written["answer"].str.endswith(".").all()
    assert written["question"].str.contains(r"[?.]$", regex=True).all()


def test_no_title_of_the_test_part_is_inside(table: pd.DataFrame) -> None:
    titles = data.load("themes", ["en"])
    texts = "\n".join(table["question"] + " " + table["answer"])
    assert not [title for title in titles.loc[titles["split"] == "test", "text"] if title in texts]
    train = titles[titles["split"] == "train"]
    themes = table[table["kind"] == "theme"].set_index("question")["answer"]
    assert len(themes) == len(train)
    for title, theme in zip(train["text"], train["theme"], strict=True):
        assert themes[instructions.theme_question(title)] == THEMES[theme].label


def test_the_test_part_is_small_and_never_asked_in_training(table: pd.DataFrame) -> None:
    unseen = table[table["split"] == "test"]
    assert unseen.groupby("kind").size().to_dict() == {"licence": 3, "points": len(METRICS) // 3}
    train = "\n".join(table.loc[table["split"] == "train", "question"])
    assert "CC BY-NC-SA" not in train
    for name in (metric.name for metric in METRICS[2::3]):
        assert f"give for {name}?" not in train


def test_points_and_ratings_agree_with_the_assessment(table: pd.DataFrame) -> None:
    answers = table.set_index("question")["answer"]
    points = table.loc[table["kind"] == "points", "answer"].str.extract(r"^(\d+) points\.$")[0].astype(int)
    assert points.sum() == 405
    assert answers["How many points can a record reach in the metadata quality assessment?"] == "405."
    bands = {q: a for q, a in answers.items() if q.startswith("Which rating do")}
    assert len(bands) == 4
    for question, answer in bands.items():
        assert {f"{rating(float(number))}." for number in re.findall(r"\d+", question)} == {answer}


def test_licence_answers_follow_the_table(table: pd.DataFrame) -> None:
    answers = table.set_index("id")["answer"]
    for code, flags in {"CC_BYNC_4_0": "No Yes Yes", "CC_BYND_4_0": "Yes No Yes", "CC0": "Yes Yes No"}.items():
        said = [answers[f"licence-{code.lower()}-{number}"].split(".")[0] for number in (1, 2, 3)]
        assert " ".join(said) == flags
        licence = LICENCES[code]
        table_says = (licence.allows_commercial_use, licence.allows_adaptation, licence.requires_attribution)
        assert [word == "Yes" for word in said] == list(table_says)


def test_no_answer_rests_on_a_licence_that_is_not_known_for_certain() -> None:
    for code in instructions._LICENCES:
        licence = LICENCES[code]
        assert None not in (licence.allows_commercial_use, licence.allows_adaptation, licence.requires_attribution)


def test_properties_that_answers_name_are_those_of_the_shapes(table: pd.DataFrame) -> None:
    shapes = files("labkit").joinpath("data", "shapes", "dcat-ap-3.ttl").read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:dct|dcat|dcatap|foaf):\w+", " ".join(table["answer"])))
    for_high_value = {"dcatap:applicableLegislation", "dcatap:hvdCategory"}  # of the annex, which the shapes leave out
    assert len(named) > 30
    assert {name for name in named if f"sh:path {name} " not in shapes} == for_high_value


def test_the_card_explains_every_source_and_counts_right(table: pd.DataFrame) -> None:
    card = files("labkit").joinpath("data", "instructions", "README.md").read_text(encoding="utf-8")
    for source in table["source"].unique():
        assert f"| `{source}` |" in card
    for kind, group in table.groupby("kind"):
        assert re.search(rf"\| `{kind}` \| {len(group)} \|", card), (kind, len(group))
