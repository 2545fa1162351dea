"""The portal's metadata quality assessment (MQA) of one record, metric by metric, each with the reason for its points.

The method is that of data.europa.eu: 405 points in five dimensions (findability 100, accessibility 100,
interoperability 110, reusability 75, contextuality 20). It judges the *description* of data, never the data.
Source, read on 2026-11-21: the method as given, with a worked example, in the README of `mjanez/ckan-mqa`, which names
data.europa.eu/mqa/methodology; for the portal's lists of formats see the card in `data/vocabularies`.

Four things that the short method leaves open, and what is done here:

- *Several distributions.* The method takes them to hold the same content, so for interoperability only the one with the
  most points counts. The portal's own scorer is reported to choose one distribution for everything that is measured on
  distributions (links, licence, rights and size as well): the one with the most points in sum. That is done here.
  Other tools differ: ckan-mqa gives points in proportion to all distributions.
- *A link answers* when its status is 200 to 399, as the portal's scorer is reported to count. A link that was not
  checked has not answered.
- *Format and media type from the vocabulary* asks for both. ckan-mqa counts each as one half.
- *Release date and date of change* count on the data set or on the chosen distribution.

"Reported": a public reading note on the scorer's source code (piveau-metrics-score), not the portal's documentation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
from rdflib import Graph, URIRef
from rdflib.term import Node

from labkit.quality.metrics import METRICS, ON_DATASET, ON_DISTRIBUTION, ON_EITHER, Finding, Metric
from labkit.quality.record import LinkStatus, Record, RecordError, cut_out

__all__ = [
    "MAX_POINTS",
    "METRICS",
    "RATINGS",
    "Assessment",
    "LinkStatus",
    "Metric",
    "RecordError",
    "Summary",
    "assess",
    "points_of_shares",
    "rating",
    "summarise",
]

MAX_POINTS = 405
"""Points of a record that gets them all."""

RATINGS = (("Excellent", 351), ("Good", 221), ("Sufficient", 121), ("Bad", 0))
"""Ratings, best first, each with the points from which it is given."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """The result for one record.

    `table` has one row a metric: dimension, metric, points, max_points, why (plain words). `score` is the sum of the
    points, `rating` the word for it, `dimensions` the points of each dimension. `dataset` is the address of the data
    set; `distribution` that of the distribution that counted, None without a distribution.
    """

    dataset: str
    distribution: str | None
    table: pd.DataFrame

    @property
    def score(self) -> int:
        """Sum of the points, 0 to 405."""
        return int(self.table["points"].sum())

    @property
    def rating(self) -> str:
        """Excellent, Good, Sufficient or Bad."""
        return rating(self.score)

    @property
    def dimensions(self) -> dict[str, int]:
        """Points of each dimension."""
        sums = self.table.groupby("dimension", sort=False)["points"].sum()
        return {str(dimension): int(points) for dimension, points in sums.items()}


@dataclass(frozen=True, eq=False)
class Summary:
    """The result for a whole catalogue.

    `table` has one row a metric: dimension, metric, share (of the records that got its points, 0 to 1), points (share
    times max_points), max_points. `score` is the mean score of the records, `rating` the word for it.
    """

    records: int
    table: pd.DataFrame
    score: float

    @property
    def rating(self) -> str:
        """Excellent, Good, Sufficient or Bad."""
        return rating(self.score)


def rating(score: float) -> str:
    """Word for a score: 351 to 405 Excellent, 221 to 350 Good, 121 to 220 Sufficient, 0 to 120 Bad.

    A mean between two bands, such as 350.5, has not reached the higher one. Raises ValueError outside 0 to 405.
    """
    if not 0 <= score <= MAX_POINTS:
        raise ValueError(f"a score lies between 0 and {MAX_POINTS}, this is {score}")
    return next(word for word, least in RATINGS if score >= least)


def assess(record: Graph, dataset: URIRef | None = None, *, link_status: LinkStatus) -> Assessment:
    """Assess one data set of a graph.

    `dataset` names it; it may be left out when the graph describes only one. `link_status` is asked for the status of
    each web address, for example `Portal.link_status`. Raises RecordError when the record is no graph, when it has no
    data set, several and none is named, or not the one named, when it cannot be checked with SHACL or is too large for
    that, and when `link_status` is no function or gives neither a number nor None.
    """
    cut = cut_out(record, dataset, link_status)
    findings = {metric: check(cut) for metric, check in ON_DATASET}
    chosen, on_distribution = _best_distribution(cut)
    findings |= on_distribution
    table = pd.DataFrame([_row(metric, findings[metric]) for metric in METRICS])
    return Assessment(dataset=str(cut.dataset), distribution=None if chosen is None else str(chosen), table=table)


def summarise(assessments: Iterable[Assessment]) -> Summary:
    """Sum up a catalogue: for each metric the share of records that got its points, and the mean score.

    Raises ValueError when there is no assessment.
    """
    tables = [assessment.table for assessment in assessments]
    if not tables:
        raise ValueError("nothing to sum up: give at least one assessment")
    every = pd.concat(tables, ignore_index=True)
    shares = (every["points"] > 0).groupby(every["metric"]).mean()
    table = points_of_shares({str(metric): float(share) for metric, share in shares.items()})
    return Summary(records=len(tables), table=table, score=float(table["points"].sum()))


def points_of_shares(shares: Mapping[str, float]) -> pd.DataFrame:
    """Points of each metric when this share of the records (0 to 1) passes it; rows in the order of METRICS.

    A catalogue's score is the sum of the points. Raises ValueError for a missing or unknown metric or a share outside
    0 to 1.
    """
    names = [metric.name for metric in METRICS]
    wrong = sorted(set(names) ^ set(shares)) or sorted(name for name in names if not 0 <= shares[name] <= 1)
    if wrong:
        raise ValueError(f"each metric needs one share between 0 and 1; look at: {', '.join(wrong)}")
    rows = [
        (metric.dimension, metric.name, shares[metric.name], shares[metric.name] * metric.max_points, metric.max_points)
        for metric in METRICS
    ]
    return pd.DataFrame(rows, columns=["dimension", "metric", "share", "points", "max_points"])


def _row(metric: Metric, finding: Finding) -> dict[str, str | int]:
    return {
        "dimension": metric.dimension,
        "metric": metric.name,
        "points": metric.max_points * finding.passed,
        "max_points": metric.max_points,
        "why": finding.why,
    }


def _best_distribution(record: Record) -> tuple[Node | None, dict[Metric, Finding]]:
    """Distribution with the most points, and its findings; among equals the first in the order of their addresses."""
    best: Node | None = None
    best_findings = _on_distribution(record, None)
    best_key: tuple[int, ...] = ()
    for node in record.distributions():
        findings = _on_distribution(record, node)
        points = [metric.max_points * finding.passed for metric, finding in findings.items()]
        key = (sum(points), *points)
        if best is None or key > best_key:
            best, best_findings, best_key = node, findings, key
    return best, best_findings


def _on_distribution(record: Record, node: Node | None) -> dict[Metric, Finding]:
    """Findings of everything that depends on which distribution is chosen."""
    if node is None:
        nothing = Finding(passed=False, why="the data set has no distribution")
        findings = {metric: nothing for metric, _ in ON_DISTRIBUTION}
    else:
        findings = {metric: check(record, node) for metric, check in ON_DISTRIBUTION}
    return findings | {metric: check(record, node) for metric, check in ON_EITHER}
