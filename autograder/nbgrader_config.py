"""nbgrader's configuration for this repository: `labs/` is the source, all else lies in the git-ignored `classroom/`.

Works for every nbgrader command, and for formgrader, started at the repository's root.
"""
# mypy: ignore-errors

import os
import sys
from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    GetGrades,
    SaveAutoGrades,
)  # fmt: skip

from autograder import nbgrader_preprocessors as steps
from autograder.handing_in import ZIP_PATTERN
from autograder.nbgrader_listing import list_only_labs
from autograder.nbgrader_pages import EscapeNames, escape_formgraders_pages, page_filters
from autograder.nbgrader_validation import validate_isolated
from autograder.nbgrader_zips import LimitedExtractor
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
# Zip files from `academy hand-in`; nbgrader's own extractor knows no limits.
c.ZipCollectApp.downloaded_directory = str(classroom / "downloaded")
c.ZipCollectApp.extractor_plugin = LimitedExtractor
c.FileNameCollectorPlugin.named_regexp = ZIP_PATTERN
c.ExportApp.plugin_class = "nbgrader.plugins.export.CsvExportPlugin"
c.CsvExportPlugin.to = str(classroom / "grades.csv")

# Grading goes through the isolated engine; its limits stand in each lab's metadata.
c.Autograde.sanitize_preprocessors = [steps.RebuildFromSource]
c.Autograde.autograde_preprocessors = [steps.IsolatedExecute, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata]
validate_isolated()
c.ClearSolutions.enforce_metadata = True
release_config(c)
# Learners get neither marking schemes nor hidden tests to see.
c.GenerateFeedback.preprocessors = [
    GetGrades, steps.OnlyForLearners, ClearHiddenTests, ClearMarkScheme, CSSHTMLHeaderPreprocessor,
]  # fmt: skip

# What answers and names show must not act in the browser of whoever marks them, nor in feedback.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = page_filters()
c.HTMLExporter.preprocessors = [EscapeNames]
escape_formgraders_pages()

# nbgrader makes folders inside the exchange, but not the exchange itself, and wants it open to all who hand in.
exchange = classroom / "exchange"
if not exchange.exists():
    exchange.mkdir(parents=True)
    exchange.chmod(0o777)

list_only_labs()
