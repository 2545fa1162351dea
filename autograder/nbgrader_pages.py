"""Clean what answers show, for formgrader and feedback: it must not act in the browser of whoever reads it.

nbgrader renders written answers as they are, scripts included; `nbgrader_config.py` puts these filters in the place of
nbconvert's.
"""

import base64
from copy import deepcopy
from functools import cache
from typing import Any

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter

_ATTRIBUTES = deepcopy(nh3.ALLOWED_ATTRIBUTES) | {"*": {"class", "title", "lang", "dir"}}  # class: coloured code
_PICTURES = ("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/svg+xml;")


def clean(content: str | bytes) -> str:
    """Return HTML with its text, tables, pictures and links, and with nothing that acts.

    Bytes are an SVG picture, as nbconvert's templates have it; as the source of an image no script in it runs.
    """
    if isinstance(content, bytes):
        return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(content).decode()}">'
    return nh3.clean(
        content, attributes=_ATTRIBUTES, attribute_filter=_allowed, url_schemes={"data", "http", "https", "mailto"}
    )


@pass_context
def clean_markdown(context: Context, source: str) -> str:
    """Render Markdown as nbconvert does, and clean what comes of it."""
    return clean(_exporter().markdown2html(context, source))


def page_filters() -> dict[str, Any]:
    """Return the filters by the names that nbconvert's and nbgrader's templates call them by."""
    return {"clean_html": clean, "markdown2html": clean_markdown}


@cache
def _exporter() -> HTMLExporter:
    return HTMLExporter()


def _allowed(tag: str, name: str, value: str) -> str | None:
    """Keep an attribute, unless it has data that are no picture."""
    is_picture = tag == "img" and name == "src" and value.startswith(_PICTURES)
    bare = "".join(character for character in value if character > " ").lower()  # browsers skip the others, too
    return value if is_picture or not bare.startswith("data:") else None
