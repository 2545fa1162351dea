"""Report a grading run: as JSON for programs, and as one HTML page with the scores' distribution for people."""

import base64
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autograder.batch.grading_run import Outcome

_FIELDS = ("student", "lab", "score", "max_score", "status", "reason")
"""What `academy autograde --json` says of each submission."""


@dataclass(frozen=True)
class RunReport:
    """A finished or interrupted run."""

    started: datetime
    seconds: float
    outcomes: Sequence[Outcome]
    protections: str
    """which protections were on, in one sentence"""

    def counts(self) -> dict[str, int]:
        """Status -> number of submissions."""
        found = Counter(outcome.status for outcome in self.outcomes)
        return {status: found[status] for status in ("graded", "failed", "unchanged")}

    def summary(self) -> dict[str, object]:
        """Return what `academy autograde --json` prints."""
        submissions = [{name: getattr(outcome, name) for name in _FIELDS} for outcome in self.outcomes]
        return {**self.counts(), "seconds": round(self.seconds, 3), "submissions": submissions}

    def save(self, folder: Path) -> Path:
        """Write `run-<time>.json`, with every question, and `run-<time>.html`; return the path of the page."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"run-{self.started:%Y%m%d-%H%M%S}"
        details = self.summary() | {"submissions": [asdict(outcome) for outcome in self.outcomes]}
        text = json.dumps(details, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text, encoding="utf-8", errors="replace")
        page = folder / f"{name}.html"
        page.write_text(self._page(), encoding="utf-8", errors="replace")
        return page

    def _page(self) -> str:
        templates = Environment(loader=PackageLoader("autograder.batch"), autoescape=True)
        labs = sorted({outcome.lab for outcome in self.outcomes} - {""})  # a refused zip file belongs to none
        return templates.get_template("run_report.html.j2").render(
            started=f"{self.started:%Y-%m-%d %H:%M}",
            seconds=self.seconds,
            counts=self.counts(),
            protections=self.protections,
            charts=[_chart(lab, [o for o in self.outcomes if o.lab == lab]) for lab in labs],
            look=[outcome for outcome in self.outcomes if outcome.reason or outcome.oddities],
            outcomes=sorted(self.outcomes, key=lambda outcome: (outcome.lab, outcome.student)),
        )


def _chart(lab: str, outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Draw how many submissions of a lab have each score, and say it in words."""
    scores = [outcome.score for outcome in outcomes if outcome.status != "failed"]
    most = max((outcome.max_score for outcome in outcomes), default=1.0)
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.hist(scores, bins=[n - 0.5 for n in range(int(most) + 2)], color="#2a6f97")
    axes.set(title=f"{lab}: automatic points of {len(scores)} submissions", xlabel="points", ylabel="submissions")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    middle = sorted(scores)[len(scores) // 2] if scores else 0
    words = f"{lab}: {len(scores)} submissions, from {min(scores, default=0):g} to {max(scores, default=0):g} points"
    return {
        "png": base64.b64encode(picture.getvalue()).decode(),
        "words": f"{words}, the middle one {middle:g} of {most:g}",
    }


def now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)
