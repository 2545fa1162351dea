"""nbgrader's configuration for this repository: `labs/` is the source, all else lies in the git-ignored `classroom/`.

Works for every nbgrader command, and for formgrader, started at the repository's root.
"""
# mypy: ignore-errors

import os
import sys
from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import ClearMarkScheme, GetGrades

from autograder.nbgrader_listing import list_only_labs
from autograder.release import release_config

c = get_config()  # noqa: F821 - traitlets defines it while it reads this file

# nbgrader calls the program `alembic`, which lies beside Python; found so without an activated environment, too.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

classroom = Path("classroom")

c.CourseDirectory.course_id = "ai-skills-academy"
c.CourseDirectory.source_directory = "labs"
for step in ("release", "submitted", "autograded", "feedback", "solution", "source_with_tests"):
    setattr(c.CourseDirectory, f"{step}_directory", str(classroom / step))
c.CourseDirectory.db_url = f"sqlite:///{(classroom / 'gradebook.db').resolve()}"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".academy"]

c.Exchange.root = str((classroom / "exchange").resolve())
c.ExportApp.plugin_class = "nbgrader.plugins.export.CsvExportPlugin"
c.CsvExportPlugin.to = str(classroom / "grades.csv")

c.Execute.timeout = 300
c.ClearSolutions.enforce_metadata = True
release_config(c)
c.GenerateFeedback.preprocessors = [GetGrades, ClearMarkScheme, CSSHTMLHeaderPreprocessor]  # no schemes for learners

# nbgrader makes folders inside the exchange, but not the exchange itself, and wants it open to all who hand in.
exchange = classroom / "exchange"
if not exchange.exists():
    exchange.mkdir(parents=True)
    exchange.chmod(0o777)

list_only_labs()
