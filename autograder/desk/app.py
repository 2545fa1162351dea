"""The addresses of the learner's desk below `/academy`."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.extension.application import ExtensionApp, ExtensionAppJinjaMixin
from jupyter_server.extension.handler import ExtensionHandlerJinjaMixin, ExtensionHandlerMixin
from tornado import web
from tornado.escape import json_decode

from autograder import kit
from autograder.archives import UnusableArchiveError
from autograder.desk import course_map, due, own_work
from autograder.desk.grading_job import GradingJob
from autograder.warm_kernels import WarmProvisioner

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'"
)


def is_binder() -> bool:
    """Whether this session ends with all its files when it is left idle."""
    return "BINDER_LAUNCH_HOST" in os.environ


class _DeskHandler(ExtensionHandlerMixin):
    """What all addresses need: permissions as for notebooks, and the workspace."""

    auth_resource = "contents"
    settings: dict[str, Any]

    @property
    def workspace(self) -> Path:
        return Path(str(self.settings["academy_workspace"]))

    @property
    def job(self) -> GradingJob:
        job: GradingJob = self.settings["academy_job"]
        return job


class WelcomePage(_DeskHandler, ExtensionHandlerJinjaMixin, JupyterHandler):
    """`/academy`: the course map."""

    @property
    def content_security_policy(self) -> str:
        """Nothing but this server's own scripts and styles."""
        return f"{super().content_security_policy}; {_POLICY}"

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Show the page."""
        courses = course_map.read(self.workspace)
        self.set_header("Cache-Control", "no-store")
        self.finish(
            self.render_template(
                "welcome.html.j2",
                courses=courses,
                steps=course_map.next_steps(courses),
                binder=is_binder(),
                labs_from_instructor=kit.hidden_tests_are_elsewhere(),
                xsrf=self.xsrf_token.decode(),
                desk=f"{self.base_url}academy",
                lab=f"{self.base_url}lab",
                static=f"{self.base_url}static/academy",
            )
        )


class Due(_DeskHandler, APIHandler):
    """`/academy/api/due`: what nbgrader's exchange waits for."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with a list."""
        self.finish({"due": await due.due(self.workspace)})


class Grades(_DeskHandler, APIHandler):
    """`/academy/api/grades`: grade a notebook, and ask how far that is."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Answer with the state of the grading, and its result at the end."""
        self.finish(self.job.described())

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Begin to grade `{"path": …}`; 409 while something else is graded."""
        try:
            path = str(json_decode(self.request.body)["path"])
        except (ValueError, TypeError, KeyError):
            raise web.HTTPError(400, "say which notebook: {path: …}") from None
        wanted = (self.workspace / path).resolve()
        if wanted.suffix != ".ipynb" or not wanted.is_relative_to(self.workspace.resolve()) or not wanted.is_file():
            raise web.HTTPError(404, f"{path} is no notebook of the workspace")
        if self.job.state == "running":
            raise web.HTTPError(409, f"{self.job.path} is being graded; wait until that is done")
        self.job.start(wanted.relative_to(self.workspace.resolve()).as_posix())
        self.set_status(202)
        self.finish(self.job.described())


class Work(_DeskHandler, APIHandler):
    """`/academy/api/work`: the learner's own work as one file."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Send the file; 204 where there is no own work yet."""
        try:
            packed = own_work.pack(self.workspace)
        except UnusableArchiveError as error:
            raise web.HTTPError(409, f"{error}; rename that file or put it elsewhere, then save again") from None
        self.set_header("Cache-Control", "no-store")
        if not packed:
            self.set_status(204)
            self.finish()
            return
        now = datetime.now(UTC)
        self.set_header("Content-Disposition", f'attachment; filename="academy-work-{now:%Y%m%dT%H%M%SZ}.zip"')
        self.finish(packed, set_content_type="application/zip")

    @web.authenticated
    @authorized
    def post(self) -> None:
        """Restore from the file that is the body of the request."""
        try:
            report = own_work.restore(self.workspace, self.request.body)
        except UnusableArchiveError as error:
            raise web.HTTPError(400, str(error)) from None
        except OSError as error:
            raise web.HTTPError(
                507, f"a file could not be written ({error.strerror}); make room, then restore again"
            ) from None
        self.finish({"restored": report.restored, "beside": report.beside})


class Desk(ExtensionAppJinjaMixin, ExtensionApp):
    """The extension."""

    name = "academy"
    extension_url = "/academy"
    load_other_extensions = True
    static_paths = [str(_HERE / "static")]  # noqa: RUF012  traits of the class above
    template_paths = [str(_HERE / "templates")]  # noqa: RUF012

    def initialize_settings(self) -> None:
        """Take the folder that the server shows as the workspace."""
        if self.serverapp is None:
            raise RuntimeError("the desk is an extension of a server")
        workspace = Path(self.serverapp.root_dir)
        # read by the button in JupyterLab
        self.serverapp.web_app.settings.setdefault("page_config_data", {})["academyBinder"] = str(is_binder()).lower()
        self.settings.update({"academy_workspace": str(workspace), "academy_job": GradingJob(workspace)})
        kernels = self.serverapp.kernel_spec_manager
        if kernels is not None:
            with suppress(NoSuchKernel):
                name = self.serverapp.kernel_manager.default_kernel_name
                WarmProvisioner.warm_up(kernels.get_kernel_spec(name), self.serverapp)

    async def stop_extension(self) -> None:
        """End what is being graded when the server ends."""
        await self.settings["academy_job"].stop()

    def initialize_handlers(self) -> None:
        """Add the addresses."""
        self.handlers.extend(
            [
                (r"/academy/?", WelcomePage),
                (r"/academy/api/due", Due),
                (r"/academy/api/grades", Grades),
                (r"/academy/api/work", Work),
            ]
        )
