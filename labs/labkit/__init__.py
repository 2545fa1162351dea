"""What lessons and labs import: open data, its quality, and the pieces that teach it.

One module, one job: `portal` finds data sets, `quality` and `shacl` judge their records, `eurostat` reads statistics,
`plots` draws them, `exercises` checks answers inside a lesson. Data that travels with the kit lies in `labkit/data`.
"""

from importlib.metadata import version

__version__ = version("ai-skills-academy")
"""Version of the installed distribution, e.g. "0.1.0"."""
