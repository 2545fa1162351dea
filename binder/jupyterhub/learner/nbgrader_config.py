"""nbgrader for learners on a hub: where to fetch and hand in, and a Validate button that runs as grading will."""
# mypy: ignore-errors

import os
from pathlib import Path

from nbgrader.auth import JupyterHubAuthPlugin

from autograder.nbgrader_validation import validate_isolated

c = get_config()  # noqa: F821 - traitlets defines it while it reads this file

c.Authenticator.plugin_class = JupyterHubAuthPlugin
c.CourseDirectory.course_id = "ai-skills-academy"
c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
c.Exchange.root = os.environ["ACADEMY_EXCHANGE"]
c.Exchange.assignment_dir = str(Path.home() / "academy" / "labs")  # where the lessons look for them
validate_isolated()
