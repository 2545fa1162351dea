"""The 23 metrics of the assessment: what each is worth, and how it is checked.

Points and dimensions: the portal's method as given in the README of `mjanez/ckan-mqa`, read on 2026-11-21.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rdflib import Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS
from rdflib.term import Node

from labkit import shacl
from labkit.quality.record import Record, RecordError, show
from labkit.vocabularies import ACCESS_RIGHTS, FILE_TYPES, LICENCES, THEMES, media_type_of


@dataclass(frozen=True)
class Metric:
    """One thing the assessment measures, and what it is worth."""

    dimension: str
    name: str
    max_points: int


@dataclass(frozen=True)
class Finding:
    """Whether a record passes a metric, and why, in plain words."""

    passed: bool
    why: str


Check = Callable[[Record], Finding]
DistributionCheck = Callable[[Record, Node], Finding]
EitherCheck = Callable[[Record, Node | None], Finding]


def _present(record: Record, subject: Node, predicate: URIRef, name: str) -> Finding:
    values = record.values(subject, predicate)
    if not values:
        return Finding(passed=False, why=f"no {name}")
    more = f" and {len(values) - 1} more" if len(values) > 1 else ""
    return Finding(passed=True, why=f"{name} is {show(values[0])}{more}")


def _in_table(values: Sequence[Node], known: Callable[[str], object | None], what: str, table: str) -> Finding:
    """At least one value must be an address in the table."""
    if not values:
        return Finding(passed=False, why=f"no {what} to look up")
    for value in values:
        if isinstance(value, URIRef) and known(str(value)) is not None:
            return Finding(passed=True, why=f"{what} {show(value)} is in {table}")
    if isinstance(values[0], Literal):
        return Finding(passed=False, why=f"{what} {show(values[0])} is text, not an address in {table}")
    return Finding(passed=False, why=f"{what} {show(values[0])} is not in {table}")


def _answers(record: Record, distribution: Node, predicate: URIRef, name: str) -> Finding:
    """At least one address must answer; addresses are tried in order until one does."""
    values = record.values(distribution, predicate)
    if not values:
        return Finding(passed=False, why=f"no {name} to check")
    reason = ""
    for value in values:
        if not (isinstance(value, URIRef) and str(value).startswith(("http://", "https://"))):
            reason = reason or f"{name} {show(value)} is not a web address"
            continue
        status = record.status_of(str(value))
        if status is not None and 200 <= status < 400:
            return Finding(passed=True, why=f"{name} {show(value)} answers {status}")
        said = (
            f"answers {status}" if status is not None else "was not checked or gave no answer: counts as not answered"
        )
        reason = reason or f"{name} {show(value)} {said}"
    return Finding(passed=False, why=reason)


def _theme(record: Record) -> Finding:
    finding = _present(record, record.dataset, DCAT.theme, "dcat:theme")
    values = record.values(record.dataset, DCAT.theme)
    if finding.passed and not any(THEMES.by_uri(str(value)) for value in values):
        why = f"{finding.why}, which is not in the EU data-theme table; the assessment counts any theme"
        return Finding(passed=True, why=why)
    return finding


def _shacl_compliance(record: Record) -> Finding:
    try:
        report = shacl.validate(record.graph)
    except shacl.ShaclError as error:
        raise RecordError(str(error)) from error
    if report.conforms:
        return Finding(passed=True, why="the record keeps the DCAT-AP 3 rules")
    paths = ", ".join(dict.fromkeys(report.violations["path"]))
    return Finding(
        passed=False, why=f"the record breaks DCAT-AP 3 rules at {paths}; shacl.validate says how to mend it"
    )


def _access_rights_known(record: Record) -> Finding:
    values = record.values(record.dataset, DCTERMS.accessRights)
    return _in_table(values, ACCESS_RIGHTS.by_uri, "access right", "the EU access-right table")


def _access_answers(record: Record, distribution: Node) -> Finding:
    return _answers(record, distribution, DCAT.accessURL, "dcat:accessURL")


def _download_answers(record: Record, distribution: Node) -> Finding:
    return _answers(record, distribution, DCAT.downloadURL, "dcat:downloadURL")


def _types_known(record: Record, distribution: Node) -> Finding:
    formats = record.values(distribution, DCTERMS.format)
    media_types = record.values(distribution, DCAT.mediaType)
    both = (
        _in_table(formats, FILE_TYPES.by_uri, "format", "the EU file-type table"),
        _in_table(media_types, media_type_of, "media type", "the kit's list of IANA media types"),
    )
    missing = [finding.why for finding in both if not finding.passed]
    return Finding(passed=not missing, why="; ".join(missing or [finding.why for finding in both]))


def _format_judged(field: str) -> DistributionCheck:
    """Check that a format is on one of the portal's two lists, kept in this field of the file type."""
    word = field.replace("_", "-")

    def check(record: Record, distribution: Node) -> Finding:
        formats = record.values(distribution, DCTERMS.format)
        known = [entry for value in formats if isinstance(value, URIRef) and (entry := FILE_TYPES.by_uri(str(value)))]
        if not known:
            return _in_table(formats, FILE_TYPES.by_uri, "format", "the EU file-type table")
        for entry in known:
            if getattr(entry, field):
                return Finding(passed=True, why=f"format {entry.code} is on the portal's list of {word} formats")
        return Finding(passed=False, why=f"format {known[0].code} is not on the portal's list of {word} formats")

    return check


def _licence(record: Record, distribution: Node) -> Finding:
    finding = _present(record, distribution, DCTERMS.license, "dct:license")
    if not finding.passed and record.values(record.dataset, DCTERMS.license):
        why = "no dct:license on the distribution; the one on the data set does not count"
        return Finding(passed=False, why=why)
    return finding


def _licence_known(record: Record, distribution: Node) -> Finding:
    values = record.values(distribution, DCTERMS.license)
    finding = _in_table(values, LICENCES.by_uri, "licence", "the EU licence table")
    texts = {_same_page(str(value)) for value in values}
    meant = [entry for entry in LICENCES.values() if entry.document and _same_page(entry.document) in texts]
    if not finding.passed and meant:
        return Finding(passed=False, why=f"{finding.why}; the table's address for it is <{meant[0].uri}>")
    return finding


def _same_page(address: str) -> str:
    """Address without what people write either way: http or https, a slash at the end or none."""
    return address.removeprefix("https://").removeprefix("http://").rstrip("/")


def _on_dataset(predicate: URIRef, name: str) -> Check:
    return lambda record: _present(record, record.dataset, predicate, name)


def _on_distribution(predicate: URIRef, name: str) -> DistributionCheck:
    return lambda record, distribution: _present(record, distribution, predicate, name)


def _on_either(predicate: URIRef, name: str) -> EitherCheck:
    def check(record: Record, distribution: Node | None) -> Finding:
        finding = _present(record, record.dataset, predicate, name)
        if finding.passed or distribution is None:
            return finding
        own = _present(record, distribution, predicate, name)
        return Finding(passed=True, why=f"{own.why} (on the distribution)") if own.passed else finding

    return check


_FINDABILITY, _ACCESSIBILITY, _INTEROPERABILITY = "Findability", "Accessibility", "Interoperability"
_REUSABILITY, _CONTEXTUALITY = "Reusability", "Contextuality"

ON_DATASET: tuple[tuple[Metric, Check], ...] = (
    (Metric(_FINDABILITY, "dcat:keyword", 30), _on_dataset(DCAT.keyword, "dcat:keyword")),
    (Metric(_FINDABILITY, "dcat:theme", 30), _theme),
    (Metric(_FINDABILITY, "dct:spatial", 20), _on_dataset(DCTERMS.spatial, "dct:spatial")),
    (Metric(_FINDABILITY, "dct:temporal", 20), _on_dataset(DCTERMS.temporal, "dct:temporal")),
    (Metric(_INTEROPERABILITY, "DCAT-AP compliance", 30), _shacl_compliance),
    (Metric(_REUSABILITY, "dct:accessRights", 10), _on_dataset(DCTERMS.accessRights, "dct:accessRights")),
    (Metric(_REUSABILITY, "dct:accessRights from vocabulary", 5), _access_rights_known),
    (Metric(_REUSABILITY, "dcat:contactPoint", 20), _on_dataset(DCAT.contactPoint, "dcat:contactPoint")),
    (Metric(_REUSABILITY, "dct:publisher", 10), _on_dataset(DCTERMS.publisher, "dct:publisher")),
)

ON_DISTRIBUTION: tuple[tuple[Metric, DistributionCheck], ...] = (
    (Metric(_ACCESSIBILITY, "dcat:accessURL answers", 50), _access_answers),
    (Metric(_ACCESSIBILITY, "dcat:downloadURL", 20), _on_distribution(DCAT.downloadURL, "dcat:downloadURL")),
    (Metric(_ACCESSIBILITY, "dcat:downloadURL answers", 30), _download_answers),
    (Metric(_INTEROPERABILITY, "dct:format", 20), _on_distribution(DCTERMS.format, "dct:format")),
    (Metric(_INTEROPERABILITY, "dcat:mediaType", 10), _on_distribution(DCAT.mediaType, "dcat:mediaType")),
    (Metric(_INTEROPERABILITY, "dct:format/dcat:mediaType from vocabulary", 10), _types_known),
    (Metric(_INTEROPERABILITY, "dct:format non-proprietary", 20), _format_judged("non_proprietary")),
    (Metric(_INTEROPERABILITY, "dct:format machine-readable", 20), _format_judged("machine_readable")),
    (Metric(_REUSABILITY, "dct:license", 20), _licence),
    (Metric(_REUSABILITY, "dct:license from vocabulary", 10), _licence_known),
    (Metric(_CONTEXTUALITY, "dct:rights", 5), _on_distribution(DCTERMS.rights, "dct:rights")),
    (Metric(_CONTEXTUALITY, "dcat:byteSize", 5), _on_distribution(DCAT.byteSize, "dcat:byteSize")),
)

ON_EITHER: tuple[tuple[Metric, EitherCheck], ...] = (
    (Metric(_CONTEXTUALITY, "dct:issued", 5), _on_either(DCTERMS.issued, "dct:issued")),
    (Metric(_CONTEXTUALITY, "dct:modified", 5), _on_either(DCTERMS.modified, "dct:modified")),
)


def _in_order() -> Iterator[Metric]:
    """Yield the metrics dimension by dimension, in each those of the distribution first."""
    every = [metric for metric, _ in (*ON_DISTRIBUTION, *ON_DATASET, *ON_EITHER)]
    for dimension in (_FINDABILITY, _ACCESSIBILITY, _INTEROPERABILITY, _REUSABILITY, _CONTEXTUALITY):
        yield from (metric for metric in every if metric.dimension == dimension)


METRICS: tuple[Metric, ...] = tuple(_in_order())
"""The 23 metrics, in the order in which the method lists them."""
