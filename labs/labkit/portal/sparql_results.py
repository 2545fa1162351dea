"""Turns SPARQL 1.1 Query Results JSON into a table.

Source of the form: W3C Recommendation "SPARQL 1.1 Query Results JSON Format", 21 March 2013.
"""

from __future__ import annotations

import pandas as pd

from labkit.portal.model import OFFLINE, PortalError
from labkit.portal.response import decode_json

MOST_SPARQL_BYTES = 20 * 2**20
"""The largest answer to a query that is read."""

_XSD = "http://www.w3.org/2001/XMLSchema#"
_WHOLE = frozenset(
    _XSD + name
    for name in ("integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "unsignedInt")
)
_REAL = frozenset(_XSD + name for name in ("decimal", "double", "float"))
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def table(body: bytes) -> pd.DataFrame:
    """Return the results as a DataFrame: a row a solution, a column a variable, None where a variable is unbound.

    Numbers and booleans become Python's; everything else stays text. An ASK query gives one cell, column "boolean".
    Raises PortalError if the body is not such a result.
    """
    document = decode_json(body, what="The answer to the query", most_bytes=MOST_SPARQL_BYTES)
    if not isinstance(document, dict):
        raise _wrong("it is not an object")
    if isinstance(document.get("boolean"), bool):
        return pd.DataFrame({"boolean": [document["boolean"]]})
    variables = _variables(document.get("head"))
    results = document.get("results")
    bindings = results.get("bindings") if isinstance(results, dict) else None
    if not isinstance(bindings, list) or not all(isinstance(solution, dict) for solution in bindings):
        raise _wrong("results.bindings is not a list of objects")
    columns = {name: _column([_value(solution.get(name)) for solution in bindings]) for name in variables}
    return pd.DataFrame(columns, columns=pd.Index(variables, dtype=object), index=pd.RangeIndex(len(bindings)))


def _variables(head: object) -> list[str]:
    names = head.get("vars") if isinstance(head, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _wrong("head.vars is not a list of names")
    return list(dict.fromkeys(names))


def _column(values: list[object]) -> pd.Series:
    # pandas would turn None into NaN; an unbound variable stays None, so only full columns get a narrower type.
    column = pd.Series(values, dtype=object)
    return column if any(value is None for value in values) else column.infer_objects()


def _value(term: object) -> object:
    if term is None:
        return None
    text = term.get("value") if isinstance(term, dict) else None
    if not isinstance(term, dict) or not isinstance(text, str):
        raise _wrong("a value is not an object with a text")
    if term.get("type") == "bnode":
        return f"_:{text}"
    return _literal(text, term.get("datatype"))


def _literal(text: str, datatype: object) -> object:
    """Return a number or a boolean where the datatype says so and the text agrees, else the text."""
    try:
        if datatype in _WHOLE:
            return int(text)
        if datatype in _REAL:
            return float(text)
    except ValueError:
        return text
    return _BOOLEANS.get(text, text) if datatype == _XSD + "boolean" else text


def _wrong(what: str) -> PortalError:
    return PortalError(f"The answer to the query is not in the known form ({what}): {OFFLINE}")
