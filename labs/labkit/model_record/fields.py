"""The fields of a record: what each is for, who asks for it, and which form it has.

The list follows Annex XI, section 1, of Regulation (EU) 2024/1689, which says what the provider of a general-purpose
AI model documents (Article 53(1)(a); read in copies of the published text, last on 2026-11-22). The small classifiers
of this kit are no such models: their records follow it as good practice. Where Annex XI has no point, a section of the
model card template of the package huggingface_hub 2.4.0 asks for the field (read on 2026-11-22). The words are the
kit's own.
"""

from dataclasses import dataclass

import pandas as pd

from labkit.model_record.rules import (
    NONE,
    Choice,
    Day,
    Languages,
    Licence,
    Number,
    Pattern,
    Rule,
    Text,
    YesNo,
)

NOT_KNOWN = "not known"
"""What an honest record says where somebody looked and there is no answer; only some fields take it."""

LANGUAGE = "<language>"
"""Stands in the names of the fields of `scores` for the code of a language."""


@dataclass(frozen=True)
class Field:
    """One field: its path in the record, such as "model.method", and everything a reader wants to know about it.

    `unknown`: "not known" is an answer. `within` (absolute) and `within_share` (of the right value) say how far a
    number may be from the right one, so that rounding is no fault.
    """

    name: str
    purpose: str
    asked_by: str
    rule: Rule
    unknown: bool = False
    within: float = 0.0
    within_share: float = 0.0

    @property
    def form(self) -> str:
        """The form that is wanted."""
        return self.rule.form + (f", or {NOT_KNOWN!r}" if self.unknown else "")


_SENTENCES = Text(40, 2000)
_COUNT = Number(1, 1e13, whole=True)
_SHARE = Number(0, 1)


def _annex(point: str) -> str:
    return f"Annex XI, section 1, point {point}"


def _card(heading: str) -> str:
    return f"model card: {heading}"


# fmt: off
FIELDS: tuple[Field, ...] = (
    Field("identity.name", "tells this model from others", _card("Model Details"), Text(3, 96)),
    Field("identity.version", "tells this state from later ones", _card("Model Details"),
          Pattern(r"\d{1,4}\.\d{1,4}\.\d{1,4}", "1.0.0")),
    Field("identity.date", "day of release", _annex("1(c)"), Day()),
    Field("identity.distribution", "how users get it", _annex("1(c)"), Text()),
    Field("contact.role", "whom to ask: an office or a role, since people change", _card("Model Card Contact"), Text()),
    Field("contact.email", "where to write", _card("Model Card Contact"),
          Pattern(r"[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63}){1,4}", "models@example.org")),
    Field("use.intended", "tasks, and the systems it may be built into", _annex("1(a)"), _SENTENCES),
    Field("use.not_for", "what users must not do with it", _annex("1(b)"), _SENTENCES),
    Field("use.limits", "where it fails, and for whom", _card("Bias, Risks, and Limitations"), _SENTENCES),
    Field("model.base_model", f"what it was made from: an id on the hub, or {NONE!r}", _annex("2(b)"),
          Pattern(r"[A-Za-z0-9][\w.-]{0,95}(/[\w.-]{1,96})?", "owner/model")),
    Field("model.method", "what was allowed to learn", _annex("2(b)"), Choice(("lora", "full", "frozen", "tfidf"))),
    Field("model.architecture", "how it is built", _annex("1(d)"), Text()),
    Field("model.input", "kind, form and longest input", _annex("1(e)"), Text()),
    Field("model.output", "kind and form of the answer", _annex("1(e)"), Text()),
    Field("model.needs", "what is needed to build it into a system", _annex("2(a)"), Text()),
    Field("parameters.base", "weights of the base model", _annex("1(d)"), Number(0, 1e13, whole=True)),
    Field("parameters.learned", "weights that were allowed to change", _annex("2(b)"), _COUNT),
    Field("parameters.total", "weights of the finished model", _annex("1(d)"), _COUNT),
    Field("licences.model", "under which licence this model is given out", _annex("1(f)"), Licence()),
    Field("licences.base_model", "licence of what it was made from", _annex("1(f)"), Licence(or_none=True)),
    Field("licences.data", "licence of the training data", _annex("2(c)"), Licence()),
    Field("languages", "languages that it was tested in", _card("Model Description"), Languages()),
    Field("data.name", "which data it was trained on", _annex("2(c)"), Text(3, 96)),
    Field("data.version", "which state of the data", _annex("2(c)"),
          Pattern(r"\d{1,4}\.\d{1,4}\.\d{1,4}", "1.0.0")),
    Field("data.origin", "who made the data and how, and how they were checked", _annex("2(c)"), Text(40, 2000)),
    Field("data.synthetic", "whether the data are made up", _annex("2(c)"), YesNo()),
    Field("training.date", "day of the training", _annex("2(b)"), Day()),
    Field("training.titles", "different titles, whatever the language", _annex("2(c)"), _COUNT),
    Field("training.rows", "rows: a title in one language is one row", _annex("2(c)"), _COUNT),
    Field("training.epochs", "how often each row was read", _annex("2(b)"), Number(0.001, 1e6)),
    Field("training.seed", "start of the random numbers, to repeat the run", _card("Training Hyperparameters"),
          Number(0, 2**32 - 1, whole=True)),
    Field("compute.tokens", "tokens read in training, every epoch counted", _annex("2(d)"),
          Number(1, 1e16, whole=True), unknown=True),
    Field("compute.flop", "operations of the training", _annex("2(d)"), Number(1, 1e30, unit="FLOP"), unknown=True),
    Field("compute.method", "how the operations were found", _annex("2(d)"), Choice(("6*N*D", "counted")),
          unknown=True),
    Field("compute.seconds", "time of the training on the clock", _annex("2(d)"), Number(0, 1e9, unit="seconds"),
          unknown=True, within=0.5),
    Field("energy.watt_hours", "electricity of this training run", _annex("2(e)"), Number(0, 1e15, unit="Wh"),
          unknown=True, within=0.0006, within_share=0.05),
    Field("energy.low", "the same, if the processor is thrifty", _annex("2(e)"), Number(0, 1e15, unit="Wh"),
          unknown=True, within=0.0006, within_share=0.05),
    Field("energy.high", "the same, if the processor is hungry", _annex("2(e)"), Number(0, 1e15, unit="Wh"),
          unknown=True, within=0.0006, within_share=0.05),
    Field("energy.basis", "how the electricity was found", _annex("2(e)"), Choice(("estimated", "measured")),
          unknown=True),
    Field("energy.all_runs", "electricity of all runs on the way to this model", _card("Environmental Impact"),
          Number(0, 1e15, unit="Wh"), unknown=True, within=0.006, within_share=0.05),
    Field(f"scores.{LANGUAGE}.titles", "test titles that the score rests on", _card("Testing Data, Factors & Metrics"),
          _COUNT),
    Field(f"scores.{LANGUAGE}.accuracy", "share of the test titles with the right answer", _card("Results"), _SHARE,
          unknown=True, within=0.005),
    Field(f"scores.{LANGUAGE}.low", "lower end of the 95 % interval", _card("Results"), _SHARE,
          unknown=True, within=0.03),
    Field(f"scores.{LANGUAGE}.high", "upper end of the 95 % interval", _card("Results"), _SHARE,
          unknown=True, within=0.03),
)
# fmt: on
"""All fields, in the order of a record."""

SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(field.name.partition(".")[0] for field in FIELDS))
"""The keys of a record; behind each stands a dictionary, or a list for "languages"."""


def of_section(section: str) -> dict[str, Field]:
    """Fields of a section by the last part of their name; "" for "languages", which is a field itself."""
    return {
        field.name.rpartition(".")[2] if "." in field.name else "": field
        for field in FIELDS
        if field.name.partition(".")[0] == section
    }


def guide() -> pd.DataFrame:
    """One row a field: field, purpose, form, asked_by."""
    return pd.DataFrame(
        [(field.name, field.purpose, field.form, field.asked_by) for field in FIELDS],
        columns=["field", "purpose", "form", "asked_by"],
    )
