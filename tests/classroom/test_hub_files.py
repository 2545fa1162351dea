"""The hub's configuration for every way to log in and to run servers, the learners' kit, and the Kubernetes files."""

import ast
import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import folders
import jupyterhub
import pytest
import yaml
from nbgrader.exchange.default import ExchangeCollect
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader
from traitlets.utils.importstring import import_item

from autograder.kit import kit_folder, labs
from autograder.nbgrader_collecting import CheckedCollect, account_number

# imports of the authenticators, which are older than the newest JupyterHub
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated in JupyterHub:DeprecationWarning")

HUB = kit_folder() / "binder/jupyterhub"
APPLICATIONS = {
    "JupyterHub": "jupyterhub.app.JupyterHub",
    "ConfigurableHTTPProxy": "jupyterhub.proxy.ConfigurableHTTPProxy",
    "LocalAuthenticator": "jupyterhub.auth.LocalAuthenticator",
    "Authenticator": "jupyterhub.auth.Authenticator",
    "Spawner": "jupyterhub.spawner.Spawner",
    "SimpleLocalProcessSpawner": "jupyterhub.spawner.SimpleLocalProcessSpawner",
    "SystemdSpawner": "systemdspawner.SystemdSpawner",
    "DockerSpawner": "dockerspawner.DockerSpawner",
    "GenericOAuthenticator": "oauthenticator.generic.GenericOAuthenticator",
    "LTI13Authenticator": "ltiauthenticator.lti13.auth.LTI13Authenticator",
    "HashAuthenticator": "hashauthenticator.HashAuthenticator",
}


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Read the hub's configuration with the given variables, without laying out a classroom."""

    def read(*, accounts: bool = False, **variables: str) -> Config:
        room = folders.Classroom(tmp_path, folders.GRADER if accounts else None, tmp_path / "kit")
        monkeypatch.setattr(folders, "lay_out", lambda _root: room)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return PyFileConfigLoader("jupyterhub_config.py", str(HUB)).load_config()

    return read


@pytest.mark.parametrize("authenticator", ["native", "oauth", "lti", "demo"])
@pytest.mark.parametrize("spawner", ["systemd", "docker", "local"])
@pytest.mark.parametrize("accounts", [True, False])
def test_every_setting_is_one_that_its_class_knows(
    configured, authenticator: str, spawner: str, accounts: bool
) -> None:
    config = configured(
        accounts=accounts, ACADEMY_AUTHENTICATOR=authenticator, ACADEMY_SPAWNER=spawner, ACADEMY_IMAGE="image"
    )
    assert set(config) <= set(APPLICATIONS)
    for name in config:
        known = import_item(APPLICATIONS[name]).class_trait_names(config=True)
        assert set(config[name]) <= set(known), name
    spawner_class = import_item(config.JupyterHub.spawner_class)
    assert issubclass(spawner_class, jupyterhub.spawner.Spawner)
    assert issubclass(config.JupyterHub.authenticator_class, jupyterhub.auth.Authenticator)
    assert issubclass(config.JupyterHub.authenticator_class, jupyterhub.auth.LocalAuthenticator) == accounts


def test_nobody_is_let_in_by_an_oauth_provider_who_is_not_named(configured) -> None:
    assert not configured(ACADEMY_AUTHENTICATOR="oauth").Authenticator.allow_all
    named = configured(ACADEMY_AUTHENTICATOR="oauth", ACADEMY_LEARNERS="ada", ACADEMY_INSTRUCTORS="ines").Authenticator
    assert not named.allow_all
    assert named.allowed_users == {"ada", "ines"}


def test_nobody_can_log_in_as_root_or_as_the_graders(configured) -> None:
    config = configured(accounts=True, ACADEMY_AUTHENTICATOR="lti").Authenticator
    assert config.blocked_users >= {"root", "nobody", folders.GRADER}
    for name in ("-o", "a:b", "root/../x", "", "a" * 40, "ada\n"):
        assert not re.match(config.username_pattern, name), name  # as JupyterHub does it
    assert re.match(config.username_pattern, "ada.l-1")


def test_services_and_servers_have_no_more_rights_than_they_need(configured) -> None:
    config = configured(accounts=True)
    scopes = {role["name"]: set(role["scopes"]) for role in config.JupyterHub.load_roles}
    assert scopes["learner"] == set()
    assert not any(scope.startswith("admin") for role in scopes.values() for scope in role)
    users = {service["name"]: service["user"] for service in config.JupyterHub.services}
    assert users == {"ai-skills-academy": folders.GRADER, "idle-culler": "nobody"}


def test_the_learners_kit_holds_no_solution_and_no_test(tmp_path: Path) -> None:
    folders.write_learner_kit(tmp_path / "kit")
    assert not list((tmp_path / "kit/labs").rglob("*.ipynb"))
    hidden = [
        cell.source for lab in labs().values() for cell in lab.notebook().cells if "BEGIN SOLUTION" in cell.source
    ]
    assert len(hidden) > 20
    for path in (tmp_path / "kit").rglob("*"):
        if path.suffix in {".py", ".md", ".ipynb", ".toml", ".json"}:
            text = path.read_text(encoding="utf-8")
            shown = text if path.suffix != ".ipynb" else "\n".join(
                "".join(cell["source"]) for cell in json.loads(text)["cells"]
            )  # fmt: skip
            assert not [solution for solution in hidden if solution in shown], path


def test_nbgrader_still_collects_the_way_that_is_checked_here() -> None:
    """The methods that `CheckedCollect` replaces; a new nbgrader may have others."""
    for method in ("_path_to_record", "init_src", "do_copy"):
        assert hasattr(ExchangeCollect, method)
        assert method in vars(CheckedCollect)


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, HUB / "demo.py", "--folder", tmp_path, "--port", str(port)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"classroom: port {port} is taken;")
    assert done.stderr.count("\n") == 1


def kubernetes(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((HUB / name).read_text()))


def test_the_python_in_the_chart_values_compiles_and_gives_people_the_numbers_that_collecting_expects() -> None:
    (values,) = kubernetes("values.yaml")
    for code in values["hub"]["extraConfig"].values():
        ast.parse(code)
    people = values["hub"]["extraConfig"]["10-people"]
    formula = re.search(r"return (2\*\*20 .*)", people).group(1)

    class Spawner:
        class user:  # noqa: N801
            name = "ada"

    import hashlib

    assert eval(formula, {"hashlib": hashlib, "int": int, "spawner": Spawner}) == account_number("ada")  # noqa: S307
    assert account_number("ada") < 2**31


ANYTHING = object
CHART: dict[str, Any] = {
    "hub": {
        "config": ANYTHING,
        "extraConfig": ANYTHING,
        "networkPolicy": {"enabled": bool},
        "resources": ANYTHING,
    },
    "custom": ANYTHING,
    "proxy": {
        "service": {"type": str},
        "https": {"enabled": bool, "hosts": list, "letsencrypt": {"contactEmail": str}},
    },
    "singleuser": {
        "image": {"name": str, "tag": str},
        "cmd": list,
        "defaultUrl": str,
        "startTimeout": int,
        "fsGid": int,
        "storage": {"type": str, "capacity": str, "homeMountPath": str},
        "extraEnv": ANYTHING,
        "memory": {"guarantee": str, "limit": str},
        "cpu": {"guarantee": float, "limit": int},
        "cloudMetadata": {"blockWithIptables": bool},
        "networkPolicy": {
            "enabled": bool,
            "egressAllowRules": {
                "cloudMetadataServer": bool,
                "nonPrivateIPs": bool,
                "privateIPs": bool,
                "dnsPortsPrivateIPs": bool,
            },
        },
        "profileList": list,
    },
    "cull": {"enabled": bool, "timeout": int, "every": int},
    "scheduling": {"userScheduler": {"enabled": bool}},
    "prePuller": {"continuous": {"enabled": bool}},
}
"""What was compared with the chart's values.schema.yaml (commit 02dd73d of zero-to-jupyterhub-k8s, read 2026-11-22)."""


def test_the_chart_values_have_no_name_that_was_not_compared_with_the_charts_schema() -> None:
    def compare(values: Any, known: Any, place: str) -> None:
        if isinstance(known, dict):
            assert set(values) <= set(known), place
            for name, value in values.items():
                compare(value, known[name], f"{place}.{name}")
        else:
            assert isinstance(values, known), place

    (values,) = kubernetes("values.yaml")
    compare(values, CHART, "values")


def test_pods_of_learners_and_graders_have_no_root_no_token_and_a_closed_network() -> None:
    (values,) = kubernetes("values.yaml")
    assert values["singleuser"]["networkPolicy"]["enabled"]
    assert not values["singleuser"]["networkPolicy"]["egressAllowRules"]["privateIPs"]
    assert not values["hub"]["config"]["KubeSpawner"]["allow_privilege_escalation"]
    assert [p["kubespawner_override"]["mem_limit"] for p in values["singleuser"]["profileList"]] == ["1G", "2G", "8G"]
    (job,) = kubernetes("grading-job.yaml")
    pod = job["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == account_number(folders.GRADER)
    assert not pod["automountServiceAccountToken"]
    claim, _job = kubernetes("volume-job.yaml")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
