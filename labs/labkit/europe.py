"""The European AI map as tables: institutions, AI Factories, antennas, strategies and OpenEuroLLM.

Every row says where it comes from (`source`), when that was last looked at (`checked`) and how far it can be trusted
(`trust`: "confirmed" = read in the publisher's own text or in two sources that agree; "reported" = read in one other
source, so repeat it with "as reported by"). The tables are CSV files in `labkit/data/europe`; its README is the data
card.
"""

from __future__ import annotations

from importlib.resources import files

import pandas as pd

__all__ = [
    "action_plan_domains",
    "ai_factories",
    "ai_office_units",
    "antennas",
    "initiatives",
    "member_states",
    "openeurollm_partners",
]


def ai_factories() -> pd.DataFrame:
    """Return the 19 AI Factories, one row each, in the order of the three selection rounds.

    Country codes are those of the European Union (ISO 3166-1 alpha-2, but EL for Greece). `latitude` and `longitude`
    are degrees (WGS 84) of the `city`, not of a building, from GeoNames; `city_means` says what stands there. `source`,
    `checked` and `trust` are about the selection. `host` and `city` have a source, a date and a trust mark of their own
    (`site_source`, `site_checked`, `site_trust`), and so have `system` and `system_state` (`state_...`).
    """
    return _read("ai_factories", dates=("selected", "checked", "site_checked", "state_checked"))


def antennas() -> pd.DataFrame:
    """Return the 13 countries with an AI Factory Antenna; `eu_member` is True for the seven Member States."""
    table = _read("antennas", dates=("selected", "checked"))
    return table.assign(eu_member=table["eu_member"] == "yes")


def member_states() -> pd.DataFrame:
    """Return the 27 Member States of the European Union: `country_code` and English short name `country`."""
    return _read("member_states")


def ai_office_units() -> pd.DataFrame:
    """Return the six units of the AI Office, one row each."""
    return _read("ai_office_units")


def action_plan_domains() -> pd.DataFrame:
    """Return the five domains of the AI Continent Action Plan, with one line each `in_plain_words`."""
    return _read("action_plan_domains")


def initiatives() -> pd.DataFrame:
    """Return institutions, strategies, networks and projects, oldest first; `since` is the day each was decided."""
    return _read("initiatives", dates=("since", "checked")).sort_values("since", kind="stable", ignore_index=True)


def openeurollm_partners() -> pd.DataFrame:
    """Return the OpenEuroLLM partners whose names could be checked: 17 of 20.

    The launch article counts 11 universities and research organisations, 5 companies and 4 EuroHPC centres; three of
    the 11 are missing here.
    """
    return _read("openeurollm_partners")


def _read(name: str, *, dates: tuple[str, ...] = ("checked",)) -> pd.DataFrame:
    """Read one bundled table; an empty cell stays an empty text, because nothing here is a missing number."""
    with (files("labkit") / "data" / "europe" / f"{name}.csv").open(encoding="utf-8") as lines:
        return pd.read_csv(lines, keep_default_na=False, parse_dates=list(dates))
