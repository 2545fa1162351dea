"""The learner's desk, a Jupyter server extension: welcome page, "Grade my work", saving and restoring own work.

Follow a request: `app` has the addresses, `course_map` reads the progress, `grading_job` runs `academy grade`, `hints`
says more after failed attempts, `own_work` packs and unpacks what a learner made, `due` asks nbgrader's exchange. The
button in a notebook is in `jupyter_settings/labextensions`.
"""


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Tell Jupyter's server where the extension is."""
    from autograder.desk.app import Desk  # noqa: PLC0415  only where a server asks for it

    return [{"module": "autograder.desk", "app": Desk}]
