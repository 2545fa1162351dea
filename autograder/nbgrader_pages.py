"""Clean what answers and names show, for formgrader and feedback: nothing may act in the browser of whoever reads it.

nbgrader renders written answers as they are, scripts included, and writes names into its pages without escaping them;
`nbgrader_config.py` puts these filters in the place of nbconvert's, and turns escaping on.
"""

import base64
import sys
from copy import deepcopy
from functools import cache
from html import escape
from typing import Any

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

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


class EscapeNames(Preprocessor):
    """Escape what formgrader's page of a submission takes from the gradebook: names of the learner, lab and file."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook as it is, and the resources escaped."""
        named = {key: escape(resources[key]) for key in _NAMES if isinstance(resources.get(key), str)}
        return nb, resources | named


_NAMES = ("student", "first_name", "last_name", "assignment_id", "notebook_id", "notebook_path")


def escape_formgraders_pages() -> None:
    """Make formgrader escape what it writes into its other pages. Calling this twice has no further effect.

    It makes its templates without escaping, and has no setting for it, so the one method that makes them is wrapped.
    Other programs than formgrader read the configuration, too; they need not load all of it for this.
    """
    module = sys.modules.get("nbgrader.server_extensions.formgrader.formgrader")
    if module is None or getattr(module.FormgradeExtension.init_tornado_settings, "escapes", False):
        return
    original = module.FormgradeExtension.init_tornado_settings

    def init_tornado_settings(self: Any, webapp: Any) -> None:
        """Initialise the settings, with templates that escape."""
        original(self, webapp)
        webapp.settings["nbgrader_jinja2_env"].autoescape = True

    init_tornado_settings.escapes = True  # type: ignore[attr-defined]
    module.FormgradeExtension.init_tornado_settings = init_tornado_settings


@cache
def _exporter() -> HTMLExporter:
    return HTMLExporter()


def _allowed(tag: str, name: str, value: str) -> str | None:
    """Keep an attribute, unless it has data that are no picture."""
    is_picture = tag == "img" and name == "src" and value.startswith(_PICTURES)
    bare = "".join(character for character in value if character > " ").lower()  # browsers skip the others, too
    return value if is_picture or not bare.startswith("data:") else None
