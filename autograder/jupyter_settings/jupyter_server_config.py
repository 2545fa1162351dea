"""Jupyter's configuration for learners: the server opens on the welcome page, and notebooks have the desk's button."""
# mypy: ignore-errors

from pathlib import Path

c = get_config()  # noqa: F821 - traitlets defines it while it reads this file

c.LabServerApp.extra_labextensions_path = [str(Path(__file__).resolve().parent / "labextensions")]
for app in (c.ServerApp, c.LabApp, c.JupyterNotebookApp):
    app.default_url = "/academy"
