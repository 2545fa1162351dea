"""Turn a record into the lines for machines at the top of a model card on the Hugging Face hub."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from labkit.model_record.checking import check
from labkit.model_record.errors import RecordError
from labkit.model_record.fields import NOT_KNOWN
from labkit.model_record.rules import NONE
from labkit.vocabularies import LICENCES

_ON_THE_HUB = {
    "MIT": "mit",
    "APACHE_2_0": "apache-2.0",
    "CC0": "cc0-1.0",
    "CC_BY_4_0": "cc-by-4.0",
    "CC_BYSA_4_0": "cc-by-sa-4.0",
    "CC_BYNC_4_0": "cc-by-nc-4.0",
    "EUPL_1_1": "eupl-1.1",
    "MPL_2_0": "mpl-2.0",
    "GPL_3_0": "gpl-3.0",
    "AGPL_3_0": "agpl-3.0",
}
"""Names on the hub of licences that models and data often have; from its page of licences, read on 2026-11-22."""


def hub_licence(code: str) -> str:
    """Name of a licence on the hub: "CC_BY_4_0" is "cc-by-4.0" there; "other" for one that is not in this table."""
    return _ON_THE_HUB.get(code, "other")


def card_data(record: Mapping[str, Any]) -> ModelCardData:
    """Metadata of a model card for a complete record.

    One result a language, in the order of the codes; the interval stands in the name of the measure, since the hub has
    no place for it. Raises RecordError when `check` finds something.
    """
    findings = check(record)
    if findings:
        raise RecordError(
            f"The record has {len(findings)} faults. Mend them first; check(record) lists them. {findings[0]}"
        )
    base, licence = record["model"]["base_model"], record["licences"]["model"]
    listed = hub_licence(licence)
    other = listed == "other"
    return ModelCardData(
        model_name=record["identity"]["name"],
        version=record["identity"]["version"],
        license=listed,
        license_name=LICENCES[licence].label if other else None,
        license_link=LICENCES[licence].uri if other else None,
        base_model=None if base == NONE else base,
        language=sorted(record["languages"]),
        library_name="sklearn" if record["model"]["method"] == "tfidf" else "transformers",
        pipeline_tag="text-classification",
        metrics=["accuracy"],
        eval_results=[
            _result(code, scores, record["data"])
            for code, scores in sorted(record["scores"].items())
            if scores["accuracy"] != NOT_KNOWN
        ],
    )


def front_matter(record: Mapping[str, Any]) -> str:
    """The same as YAML between two lines of "---", as a card begins. Raises RecordError as `card_data`."""
    return f"---\n{card_data(record).to_yaml()}\n---\n"


def _result(code: str, scores: Mapping[str, Any], data: Mapping[str, Any]) -> EvalResult:
    reach = [scores[name] if scores[name] == NOT_KNOWN else f"{scores[name]:.2f}" for name in ("low", "high")]
    return EvalResult(
        task_type="text-classification",
        dataset_type=data["name"],
        dataset_name=f"{data['name']}, {code}",
        dataset_config=code,
        dataset_split="test",
        dataset_revision=data["version"],
        metric_type="accuracy",
        metric_value=round(float(scores["accuracy"]), 3),
        metric_name=f"Accuracy on {scores['titles']} titles, 95 % interval {reach[0]} to {reach[1]}",
    )
