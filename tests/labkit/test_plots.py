"""The style is set, the source line is there, and the description reaches the reader in HTML and in JupyterLab."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image

from labkit import plots

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = 'Bars for 27 countries: Denmark leads with 42.03 %, "Romania" is last & far behind (5.21 %).'

CODE = f"""
import matplotlib.pyplot as plt
from labkit import plots
plots.use_style()
fig, ax = plt.subplots()
ax.plot([1, 2], [3, 4])
plots.source_line(ax, "Eurostat, table isoc_eb_ai")
plots.describe(fig, {WORDS!r})
"""


@pytest.fixture(autouse=True)
def fresh_matplotlib() -> Iterator[None]:
    with mpl.rc_context():
        mpl.use("agg")
        yield
        plt.close("all")


@pytest.fixture(scope="module")
def executed() -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return NotebookClient(notebook, timeout=60).execute()


def luminance(code: str) -> float:
    """Relative luminance of a hex colour (WCAG 2.2)."""
    channels = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_style_draws_in_okabe_ito_colours_with_blue_first() -> None:
    plots.use_style()
    drawn = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert drawn[0] == "#0072B2"
    assert len(drawn) == len(set(drawn)) == 8
    assert plots.COLOURS["grey"] not in drawn
    assert plt.figure().get_layout_engine() is not None


def test_style_font_has_the_letters_of_the_24_languages() -> None:
    plots.use_style()
    fig, ax = plt.subplots()
    ax.set_title("Ελληνικά Български āčģķļņšž ąęėįųū őű ħġċż ășțâî łńśź ďľĺŕť ůě ß øåæ àçé ñ õ §")
    fig.savefig(io.BytesIO(), format="png")  # a missing glyph is a warning, and warnings are errors here


def test_grey_text_is_readable_on_white() -> None:
    assert 1.05 / (luminance(plots.COLOURS["grey"]) + 0.05) >= 4.5


def test_source_line_is_found_replaced_and_does_not_touch_the_axes() -> None:
    plots.use_style()
    fig, ax = plt.subplots()
    ax.set_xlabel("Year")
    plots.source_line(fig, "first")
    line = plots.source_line(ax, "Source: Eurostat, " + "a long note, " * 30)
    found = [text for text in fig.texts if text.get_gid() == plots.SOURCE_GID]
    assert found == [line]
    fig.draw_without_rendering()
    assert "\n" in line.get_text()
    assert line.get_window_extent().width <= fig.bbox.width * 1.02
    assert line.get_window_extent().y1 <= ax.xaxis.label.get_window_extent().y0


def test_source_line_is_inside_the_saved_picture() -> None:
    plots.use_style()
    heights = []
    for text in (None, "Eurostat"):
        fig, ax = plt.subplots()
        ax.plot([1, 2])
        if text:
            plots.source_line(fig, text)
        picture = io.BytesIO()
        fig.savefig(picture, format="png")
        heights.append(Image.open(picture).height)
    assert heights[1] > heights[0]


@pytest.mark.parametrize("empty", ["", "  \n "])
def test_empty_words_are_refused(empty: str) -> None:
    fig, _ = plt.subplots()
    with pytest.raises(ValueError, match="who published"):
        plots.source_line(fig, empty)
    with pytest.raises(ValueError, match="what the picture shows"):
        plots.describe(fig, empty)


def test_outside_a_notebook_the_figure_stays_open(capsys: pytest.CaptureFixture[str]) -> None:
    fig, _ = plt.subplots()
    plots.describe(fig, WORDS)
    assert plt.fignum_exists(fig.number)
    assert capsys.readouterr().out == ""


def test_one_output_with_the_words_in_every_form(executed: nbformat.NotebookNode) -> None:
    nbformat.validate(executed)
    (output,) = executed.cells[0].outputs
    assert set(output.data) == {"text/html", "image/png", "text/plain"}
    assert output.data["text/plain"] == WORDS
    assert output.metadata["image/png"]["alt"] == WORDS
    picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
    assert picture.info["Description"] == WORDS
    assert picture.width > 800


def test_same_picture_and_words_when_run_again(executed: nbformat.NotebookNode) -> None:
    again = NotebookClient(nbformat.from_dict(executed), timeout=60).execute()
    assert again.cells[0].outputs == executed.cells[0].outputs


@pytest.mark.parametrize("template", ["lab", "classic"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_alt_text_comes_out_of_nbconvert(executed: nbformat.NotebookNode, template: str) -> None:
    page, _ = HTMLExporter(template_name=template).from_notebook_node(executed)
    pictures = re.findall(r"<img[^>]*data:image/png[^>]*>", page)
    assert len(pictures) == 1
    assert BeautifulSoup(pictures[0], "html.parser").img["alt"] == WORDS
