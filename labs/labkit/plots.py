"""Draw pictures that everybody can read: one style, a source line, and a description in words.

Colours are the Okabe-Ito set, which people with the common kinds of colour blindness can tell apart
(M. Okabe and K. Ito, "Color Universal Design", https://jfly.uni-koeln.de/color/, 2008).
"""

from __future__ import annotations

import base64
import html
import io
import textwrap
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import matplotlib.style
from cycler import cycler
from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

COLOURS: dict[str, str] = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "black": "#000000",
    "yellow": "#F0E442",
    "grey": "#767676",
}
"""Colour names and their hex codes: the eight of Okabe and Ito, and a grey for what is only background.

Yellow is hard to see on white, so it comes last in the order of drawing; grey (4.5 : 1 on white) is not drawn unasked.
"""

SOURCE_GID = "source-line"
"""The `gid` of the text that `source_line` writes, so that a test or a reader's code can find it."""

_SOURCE_SIZE = 8.0  # points


def use_style() -> None:
    """Set matplotlib's defaults for this session: readable sizes, Okabe-Ito colours, a light grid, white ground.

    Call it once, before the first figure. Figures are 8 by 4.5 inches at 110 dots an inch and lay themselves out.
    """
    order = [code for name, code in COLOURS.items() if name != "grey"]
    style: dict[str, Any] = {
        "figure.figsize": (8.0, 4.5),
        "figure.dpi": 110,
        "figure.facecolor": "white",
        "figure.constrained_layout.use": True,
        "savefig.dpi": "figure",
        "savefig.bbox": "tight",  # the source line stands below the figure's own box
        "savefig.facecolor": "white",
        "axes.facecolor": "white",
        "axes.prop_cycle": cycler(color=order),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 13,
        "axes.titleweight": "bold",
        "axes.labelsize": 11,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#DDDDDD",
        "grid.linewidth": 0.7,
        "lines.linewidth": 2.0,
        "lines.markersize": 6,
        "font.family": ["DejaVu Sans"],  # ships with matplotlib and has the letters of all 24 languages
        "font.size": 11,
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
        "legend.fontsize": 10,
        "legend.frameon": False,
    }
    matplotlib.style.use(style)


def source_line(fig_or_ax: Figure | Axes, text: str) -> Text:
    """Write where the numbers come from, small and grey, below the picture; a second call replaces the first.

    Returns the text object (its `gid` is `SOURCE_GID`). Long text is broken to the figure's width.
    Raises ValueError if `text` is empty.
    """
    if not text.strip():
        raise ValueError("The source line is empty: say who published the numbers, the table code and the date.")
    fig = fig_or_ax.get_figure(root=True)
    if fig is None:
        raise ValueError("These axes belong to no figure: make them with plt.subplots().")
    for old in [artist for artist in fig.texts if artist.get_gid() == SOURCE_GID]:
        old.remove()
    # a letter of DejaVu Sans is about 0.6 of the font size wide
    width = max(20, int(fig.get_figwidth() * 72 / (0.6 * _SOURCE_SIZE)))
    line = fig.text(0.0, -0.01, textwrap.fill(text, width), ha="left", va="top", fontsize=_SOURCE_SIZE)
    line.set_color(COLOURS["grey"])
    line.set_gid(SOURCE_GID)
    return line


def describe(fig: Figure, alt_text: str) -> None:
    """Show the figure with its description in words, then close it so that it is not shown twice.

    The output is an HTML image with an `alt`, because JupyterLab 4.6 and nbconvert's "lab" pages ignore the `alt` of
    a PNG output. A PNG output goes with it for exports without HTML (PDF, Markdown), and the words are the output's
    plain text for tools that show no pictures. The words, unlike the pixels, are the same on every machine.

    Make it the last line of a cell. Outside a notebook the figure stays open and nothing is shown: use `savefig`.
    Raises ValueError if `alt_text` is empty.
    """
    words = " ".join(alt_text.split())
    if not words:
        raise ValueError("The description is empty: say in one or two sentences what the picture shows.")
    shell = get_ipython()
    if shell is None:
        return
    picture = io.BytesIO()
    fig.savefig(picture, format="png", metadata={"Description": words, "Software": None})
    pixels = base64.b64encode(picture.getvalue()).decode("ascii")
    page = f'<img alt="{html.escape(words)}" src="data:image/png;base64,{pixels}">'
    shell.display_pub.publish(
        data={"text/html": page, "image/png": pixels, "text/plain": words},
        metadata={"image/png": {"alt": words}},
    )
    plt.close(fig)
