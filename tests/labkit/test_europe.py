"""The European AI map: complete, sourced, inside its country, and drawn without overlaps."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from itertools import combinations
from typing import TYPE_CHECKING

import matplotlib as mpl
import pytest
from matplotlib.path import Path
from matplotlib.text import Annotation

from labkit import europe, europe_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from matplotlib.figure import Figure

TABLES: list[Callable[[], pd.DataFrame]] = [getattr(europe, name) for name in europe.__all__]
ROWS = {
    "ai_factories": 19,
    "antennas": 13,
    "member_states": 27,
    "ai_office_units": 6,
    "action_plan_domains": 5,
    "initiatives": 10,
    "openeurollm_partners": 17,
}


@pytest.mark.parametrize("table", TABLES, ids=europe.__all__)
def test_every_row_has_a_source_a_date_and_a_trust_mark(table: Callable[[], pd.DataFrame]) -> None:
    rows = table()
    assert len(rows) == ROWS[table.__name__]
    assert rows["source"].str.len().min() > 5
    assert rows["checked"].between("2026-10-01", "2026-11-21").all()
    assert set(rows["trust"]) <= {"confirmed", "reported"}
    texts: pd.DataFrame = rows.select_dtypes("str")
    assert (texts == texts.apply(lambda column: column.str.strip())).all(axis=None)
    assert texts.ne("").all(axis=None)


def test_the_numbers_that_the_announcements_give() -> None:
    factories, antennas = europe.ai_factories(), europe.antennas()
    assert factories["round"].value_counts().to_dict() == {1: 7, 2: 6, 3: 6}
    assert factories.groupby("round")["selected"].nunique().eq(1).all()
    assert factories["country_code"].nunique() == 16
    assert int(antennas["eu_member"].sum()) == 7
    assert set(antennas.loc[antennas["eu_member"], "country_code"]) <= set(europe.member_states()["country_code"])
    assert set(factories["country_code"]) <= set(europe.member_states()["country_code"])
    assert not set(factories["country_code"]) & set(antennas["country_code"])


def test_host_city_and_machine_of_a_factory_are_reported_with_a_source_and_a_date_of_their_own() -> None:
    factories = europe.ai_factories()
    for part in ("site", "state"):
        assert set(factories[f"{part}_trust"]) == {"reported"}
        assert factories[f"{part}_source"].str.len().min() > 5
        assert factories[f"{part}_checked"].between("2026-10-01", "2026-11-21").all()
    elsewhere = factories["site_source"].str.contains("; city: ", regex=False)
    assert set(factories.loc[elsewhere, "city"]) == {
        *("Athens", "Bissen", "Bruyères-le-Châtel", "Santiago de Compostela"),
    }


def test_partners_are_no_more_than_the_launch_article_counts() -> None:
    kinds = europe.openeurollm_partners()["kind"].value_counts()
    assert kinds.to_dict() == {"university or research": 8, "company": 5, "EuroHPC centre": 4}


def test_the_unknown_closing_date_of_the_gigafactory_call_is_not_given() -> None:
    gigafactories = europe.initiatives().set_index("name").loc["AI Gigafactories"]
    assert "November 2026" not in gigafactories["in_plain_words"]
    assert "December 2026" not in gigafactories["in_plain_words"]


def _shapes() -> dict[str, list[list[list[list[float]]]]]:
    text = (files("labkit") / "data" / "europe" / "country_shapes.geojson").read_text(encoding="utf-8")
    return {one["properties"]["code"]: one["geometry"]["coordinates"] for one in json.loads(text)["features"]}


def test_every_factory_stands_in_its_country() -> None:
    shapes = _shapes()
    for row in europe.ai_factories().to_dict("records"):
        outer = [Path(polygon[0]) for polygon in shapes[row["country_code"]]]
        # shapes are simplified, so a city at a border may lie a little outside: 0.1 degrees is about 10 km
        spots = [(row["longitude"] + dx, row["latitude"] + dy) for dx in (0, 0.1, -0.1) for dy in (0, 0.1, -0.1)]
        assert any(path.contains_point(spot) for path in outer for spot in spots), row["factory"]


def test_the_projection_starts_at_its_centre_and_keeps_the_sides_of_the_world() -> None:
    assert europe_map.project(10, 52) == pytest.approx((0, 0), abs=1e-9)
    assert europe_map.project(9, 52)[0] < 0 < europe_map.project(11, 52)[0]
    assert europe_map.project(10, 51)[1] < 0 < europe_map.project(10, 53)[1]


def test_the_projection_keeps_areas() -> None:
    radius, step = 6371.0, 0.01
    for longitude, latitude in [(10.0, 52.0), (-9.0, 38.0), (27.0, 66.0)]:
        x0, y0 = europe_map.project(longitude, latitude)
        x1, y1 = europe_map.project(longitude + step, latitude)
        x2, y2 = europe_map.project(longitude, latitude + step)
        drawn = abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
        real = (radius * math.radians(step)) ** 2 * math.cos(math.radians(latitude))
        assert drawn == pytest.approx(real, rel=1e-3)


@pytest.fixture
def figure() -> Iterator[Figure]:
    import matplotlib.pyplot as plt

    with mpl.rc_context({"figure.constrained_layout.use": True}):
        plt.switch_backend("agg")
        drawn = europe_map.draw(europe.ai_factories(), europe.antennas())
        drawn.canvas.draw()
        yield drawn
        plt.close(drawn)


def test_labels_do_not_overlap_and_stay_on_the_page(figure: Figure) -> None:
    ax = figure.axes[0]
    labels = [text for text in ax.texts if isinstance(text, Annotation)]
    assert len(labels) == 2 * 19 + 13
    boxes = [(label.get_text(), label.get_window_extent()) for label in labels]
    for name, box in boxes:
        assert ax.bbox.contains(box.x0, box.y0), name
        assert ax.bbox.contains(box.x1, box.y1), name
    for (left, one), (right, other) in combinations(boxes, 2):
        width = min(one.x1, other.x1) - max(one.x0, other.x0)
        height = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert width <= 0 or height <= 2, f"{left} overlaps {right}"
    legend = ax.get_legend()
    assert legend is not None
    assert not any(legend.get_window_extent().overlaps(box) for _, box in boxes)


def test_rounds_differ_by_shape_and_not_by_colour_alone(figure: Figure) -> None:
    markers = {(line.get_marker(), line.get_color()) for line in figure.axes[0].lines}
    assert len({marker for marker, _ in markers}) == len(markers) == 4


def test_a_part_of_the_data_can_be_drawn_alone() -> None:
    import matplotlib.pyplot as plt

    factories = europe.ai_factories()
    drawn = europe_map.draw(factories[factories["round"] == 2], europe.antennas().head(0))
    assert len(drawn.axes[0].lines) == 6
    plt.close(drawn)
