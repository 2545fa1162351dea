"""nbgrader looks for its configuration here, at the course's root; the configuration itself is in `autograder/`."""

load_subconfig("autograder/nbgrader_config.py")  # noqa: F821 - traitlets defines it while it reads this file
