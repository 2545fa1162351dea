"""Which two-letter id the portal's country facet has for a country of the EU authority table.

Source: ISO 3166-1, alpha-3 to alpha-2, in lower case (so Greece is "gr", not Eurostat's "EL"); the authority table's
EUR, which stands for the EU institutions, is "eu". The EU, EFTA and candidate countries, and the United Kingdom.
"""

from __future__ import annotations

COUNTRY_PREFIX = "http://publications.europa.eu/resource/authority/country/"

COUNTRIES = {
    "ALB": ("al", "Albania"),
    "AUT": ("at", "Austria"),
    "BEL": ("be", "Belgium"),
    "BGR": ("bg", "Bulgaria"),
    "BIH": ("ba", "Bosnia and Herzegovina"),
    "CHE": ("ch", "Switzerland"),
    "CYP": ("cy", "Cyprus"),
    "CZE": ("cz", "Czechia"),
    "DEU": ("de", "Germany"),
    "DNK": ("dk", "Denmark"),
    "ESP": ("es", "Spain"),
    "EST": ("ee", "Estonia"),
    "EUR": ("eu", "European Union"),
    "FIN": ("fi", "Finland"),
    "FRA": ("fr", "France"),
    "GBR": ("gb", "United Kingdom"),
    "GEO": ("ge", "Georgia"),
    "GRC": ("gr", "Greece"),
    "HRV": ("hr", "Croatia"),
    "HUN": ("hu", "Hungary"),
    "IRL": ("ie", "Ireland"),
    "ISL": ("is", "Iceland"),
    "ITA": ("it", "Italy"),
    "LIE": ("li", "Liechtenstein"),
    "LTU": ("lt", "Lithuania"),
    "LUX": ("lu", "Luxembourg"),
    "LVA": ("lv", "Latvia"),
    "MDA": ("md", "Moldova"),
    "MKD": ("mk", "North Macedonia"),
    "MLT": ("mt", "Malta"),
    "MNE": ("me", "Montenegro"),
    "NLD": ("nl", "Netherlands"),
    "NOR": ("no", "Norway"),
    "POL": ("pl", "Poland"),
    "PRT": ("pt", "Portugal"),
    "ROU": ("ro", "Romania"),
    "SRB": ("rs", "Serbia"),
    "SVK": ("sk", "Slovakia"),
    "SVN": ("si", "Slovenia"),
    "SWE": ("se", "Sweden"),
    "TUR": ("tr", "Türkiye"),
    "UKR": ("ua", "Ukraine"),
}
"""Authority code → (portal id, English name)."""
