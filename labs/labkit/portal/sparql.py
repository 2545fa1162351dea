"""Runs a SPARQL query over graphs in memory, and over nothing else."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.parserutils import CompValue

from labkit.portal.model import PortalError
from labkit.portal.rdf import quiet_about_odd_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdflib import Dataset
    from rdflib.plugins.sparql.sparql import Query

_TAKEN = frozenset({"SelectQuery", "AskQuery"})


def run(dataset: Dataset, query: str) -> bytes:
    """Return the answer to a SELECT or ASK query as SPARQL 1.1 Query Results JSON. Raises PortalError."""
    prepared = _prepared(query)
    _refuse_outside_data(prepared)
    try:
        with warnings.catch_warnings(), quiet_about_odd_values():
            # rdflib 7.6 evaluates over a Dataset through names of its own that it calls deprecated.
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            answer = dataset.query(prepared).serialize(format="json")
    except Exception as error:  # rdflib's evaluator raises many kinds, none of them documented
        raise PortalError(f"The query could not be run ({_in_short(error)}): check its functions and types") from error
    if answer is None:
        raise PortalError("The query gave no answer: write a SELECT or an ASK query")
    return answer


def _prepared(query: str) -> Query:
    try:
        parsed = parseQuery(query)
        prepared = translateQuery(parsed)
    except Exception as error:  # the parser raises its own kind, a plain Exception (unknown prefix) and RecursionError
        raise PortalError(f"This is not a SPARQL query ({_in_short(error)}): check prefixes and brackets") from error
    if prepared.algebra.name == "SelectQuery" and not parsed[1].projection:
        # For SELECT * rdflib takes the columns from a set: put them in the order in which the query names them.
        named = [*re.findall(r"[?$](\w+)", query), *sorted(map(str, prepared.algebra.PV))]
        prepared.algebra["PV"] = sorted(prepared.algebra.PV, key=lambda name: named.index(str(name)))
    return prepared


def _refuse_outside_data(query: Query) -> None:
    """Raise PortalError unless the query reads nothing but the catalogue: rdflib would fetch what FROM names."""
    algebra = query.algebra
    if algebra.name not in _TAKEN:
        kind = algebra.name.removesuffix("Query").upper()
        raise PortalError(f"{kind} queries are not taken here: write a SELECT or an ASK query")
    for part in _parts(algebra):
        if part.name == "ServiceGraphPattern":
            raise PortalError("SERVICE is not taken here, since it calls another server: leave it out")
        if part.name == "DatasetClause":
            raise PortalError("FROM is not taken here: leave it out, the query already covers the whole catalogue")


def _parts(root: CompValue) -> Iterator[CompValue]:
    """Yield every node of a parsed query, however deep it lies."""
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, CompValue):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list | tuple | set):
            waiting.extend(node)


def _in_short(error: Exception) -> str:
    first = str(error).strip().split("\n", 1)[0]
    return first[:150] or type(error).__name__
