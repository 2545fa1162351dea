"""Eurostat's statistics as tidy tables: read JSON-stat and SDMX-CSV, from the live service or from the kit's own data.

from labkit import eurostat
cube = eurostat.fetch("isoc_eb_ai", geo=["EU27_2020", "MT"])
cube.to_frame()
"""

from labkit.eurostat import jsonstat, sdmx_csv
from labkit.eurostat.api import EurostatError, fetch
from labkit.eurostat.bundle import BUNDLED, bundled
from labkit.eurostat.cube import Cube, Dimension
from labkit.eurostat.jsonstat import JsonStatError
from labkit.eurostat.sdmx_csv import SdmxCsvError

__all__ = [
    "BUNDLED",
    "Cube",
    "Dimension",
    "EurostatError",
    "JsonStatError",
    "SdmxCsvError",
    "bundled",
    "fetch",
    "jsonstat",
    "sdmx_csv",
]
