"""Document a classifier in a record, and check the record field by field, against itself and against the model.

A record is a plain dictionary: section -> dictionary of fields. `guide()` lists all fields, what each is for and who
asks for it: Annex XI, section 1, of the AI Act as good practice (this kit's classifiers are no general-purpose AI
models), and the usual sections of a model card. Teaching material, not legal advice.

    from labkit import model_record

    for finding in model_record.check(record, model_record.recorded("lora-0")):
        print(finding)  # scores.mt.accuracy: 0.91, but the recorded answers give 0.587
    print(model_record.front_matter(record))

A model that is not recorded brings facts of its own: `{"training.rows": Fact(300, "the rows you trained on"),
**scored(judged, "your test answers")}`.
"""

from labkit.model_record.card import card_data, front_matter, hub_licence
from labkit.model_record.checking import Fact, Finding, check
from labkit.model_record.errors import RecordError
from labkit.model_record.fields import FIELDS, NOT_KNOWN, SECTIONS, Field, guide
from labkit.model_record.recorded import recorded, rows_of, scored
from labkit.model_record.rules import NONE

__all__ = [
    "FIELDS",
    "NONE",
    "NOT_KNOWN",
    "SECTIONS",
    "Fact",
    "Field",
    "Finding",
    "RecordError",
    "card_data",
    "check",
    "front_matter",
    "guide",
    "hub_licence",
    "recorded",
    "rows_of",
    "scored",
]
