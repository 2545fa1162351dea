"""A JupyterHub for one shared course on one machine; binder/jupyterhub/README.md explains it and lists the variables.

Four parts: the classroom's folders, who may log in, how their servers run, and the services beside them.
"""
# mypy: ignore-errors

import os
import pwd
import sys
from pathlib import Path

from jupyterhub.auth import LocalAuthenticator
from traitlets.utils.importstring import import_item

sys.path.insert(0, str(Path(__file__).parent))
from folders import ADD_ACCOUNT, COURSE, GRADER, lay_out

c = get_config()  # noqa: F821 - traitlets defines it while it reads this file


def names(variable: str) -> set[str]:
    """Names of people from a variable, with spaces between them."""
    return set(os.environ.get(variable, "").split())


def user_and_group(name: str) -> str:
    """Numbers of an account, as Docker wants them."""
    account = pwd.getpwnam(name)
    return f"{account.pw_uid}:{account.pw_gid}"


# --- the folders, and the hub's own addresses -------------------------------------------------------------------------
room = lay_out(Path(os.environ.get("ACADEMY_CLASSROOM", "/srv/ai-skills-academy")))
address = os.environ.get("ACADEMY_ADDRESS", "127.0.0.1")
port = int(os.environ.get("ACADEMY_PORT", "8000"))

c.JupyterHub.bind_url = f"http://{address}:{port}"  # the only port that the outside needs; put TLS before it
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{port + 1}"
c.ConfigurableHTTPProxy.command = [os.environ.get("ACADEMY_PROXY", "configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = str(room.hub / "proxy.pid")
c.JupyterHub.hub_port = port + 2
formgrader_port = port + 3
c.JupyterHub.db_url = f"sqlite:///{room.hub / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(room.hub / "cookie_secret")

# --- who may log in, and as what --------------------------------------------------------------------------------------
instructors, operators = names("ACADEMY_INSTRUCTORS"), names("ACADEMY_OPERATORS")
authenticator = import_item(
    {
        "native": "nativeauthenticator.NativeAuthenticator",  # people sign up, an operator lets them in
        "oauth": "oauthenticator.generic.GenericOAuthenticator",  # reads OAUTH_CLIENT_ID and so on from the environment
        "lti": "ltiauthenticator.lti13.auth.LTI13Authenticator",  # from a learning platform such as Moodle
        "demo": "hashauthenticator.HashAuthenticator",  # a password for each name, made from a secret
    }[os.environ.get("ACADEMY_AUTHENTICATOR", "native")]
)


class AccountsAuthenticator(LocalAuthenticator, authenticator):
    """As chosen above; makes an account of the system for each person who is let in."""


def groups(_authenticator, _handler, model: dict) -> dict:
    """Put each person into the group that nbgrader and the roles below go by; renewed at each login."""
    name = model["name"]
    model["groups"] = (
        [f"{'formgrade' if name in instructors else 'nbgrader'}-{COURSE}"] if name not in operators else []
    )
    return model


c.JupyterHub.authenticator_class = AccountsAuthenticator if room.accounts else authenticator
c.LocalAuthenticator.create_system_users = True
c.LocalAuthenticator.add_user_cmd = [*ADD_ACCOUNT, "--base-dir", str(room.homes)]
c.Authenticator.manage_groups = True
c.Authenticator.post_auth_hook = groups
c.Authenticator.admin_users = operators
# A name becomes an account: never one that is there for something else, root and the graders' above all.
c.Authenticator.username_pattern = r"[a-z][a-z0-9_.-]{0,30}\Z"
c.Authenticator.blocked_users = {GRADER} | (
    {account.pw_name for account in pwd.getpwall() if Path(account.pw_dir).parent != room.homes}
    if room.accounts
    else set()
)
# Without a list of learners: all whom the platform sends (lti) or an operator lets in (native). OAuth wants a list.
c.Authenticator.allowed_users = (
    names("ACADEMY_LEARNERS") | instructors | operators if names("ACADEMY_LEARNERS") else set()
)
c.Authenticator.allow_all = not names("ACADEMY_LEARNERS") and authenticator.__name__.startswith(("Native", "LTI"))
c.GenericOAuthenticator.username_claim = os.environ.get("OAUTH_USERNAME_CLAIM", "preferred_username")
c.LTI13Authenticator.issuer = os.environ.get("LTI13_ISSUER", "")
c.LTI13Authenticator.authorize_url = os.environ.get("LTI13_AUTHORIZE_URL", "")
c.LTI13Authenticator.jwks_endpoint = os.environ.get("LTI13_JWKS_ENDPOINT", "")
c.LTI13Authenticator.client_id = names("LTI13_CLIENT_ID")
c.LTI13Authenticator.username_key = os.environ.get("LTI13_USERNAME_KEY", "custom_username")
c.HashAuthenticator.secret_key = os.environ.get("ACADEMY_DEMO_SECRET", "")
c.HashAuthenticator.password_length = 12
c.HashAuthenticator.show_logins = True  # to operators, at /hub/login_list

# --- how a person's server runs ---------------------------------------------------------------------------------------
systemd = room.accounts and Path("/run/systemd/system").is_dir()
spawner = os.environ.get("ACADEMY_SPAWNER", "systemd" if systemd else "local")
c.JupyterHub.spawner_class = {
    "systemd": "systemdspawner.SystemdSpawner",
    "docker": "dockerspawner.DockerSpawner",
    "local": "jupyterhub.spawner.LocalProcessSpawner"
    if room.accounts
    else "jupyterhub.spawner.SimpleLocalProcessSpawner",
}[spawner]
c.Spawner.cmd = [str(room.kit / "binder/jupyterhub/start-learner"), "jupyterhub-singleuser"]
c.Spawner.default_url = "/academy"
c.Spawner.environment = room.environment()
c.Spawner.mem_limit = os.environ.get("ACADEMY_MEMORY", "2G")  # kept by systemd and Docker; `local` only tells it
c.Spawner.cpu_limit = float(os.environ.get("ACADEMY_CPUS", "2"))
c.Spawner.start_timeout = c.Spawner.http_timeout = 180  # seconds; a whole class may start at once
c.JupyterHub.active_server_limit = int(os.environ.get("ACADEMY_SERVERS", "0"))  # 0: as many as people
c.SimpleLocalProcessSpawner.home_dir_template = str(room.homes / "{username}")
c.SystemdSpawner.user_workingdir = str(room.homes / "{USERNAME}")
c.SystemdSpawner.isolate_tmp = True
c.SystemdSpawner.isolate_devices = True
c.SystemdSpawner.disable_user_sudo = True
if spawner == "docker":
    del c.Spawner.environment["PATH"]  # the image has its own
    c.Spawner.environment["HOME"] = lambda spawner: str(room.homes / spawner.user.name)
    c.JupyterHub.hub_ip = os.environ.get("ACADEMY_HUB_ADDRESS", "172.17.0.1")  # Docker's bridge, as containers see it
    c.DockerSpawner.image = os.environ["ACADEMY_IMAGE"]  # Python with the kit's packages, see the README
    c.DockerSpawner.remove = True
    c.DockerSpawner.volumes = {str(folder): str(folder) for folder in (room.homes / "{username}", room.exchange)}
    c.DockerSpawner.read_only_volumes = {str(folder): str(folder) for folder in (room.kit, room.cache)}
    # As the person's own account, so that the exchange sees in a container who hands in, as it does outside.
    c.DockerSpawner.extra_create_kwargs = lambda spawner: {"user": user_and_group(spawner.user.name)}

# --- services, each with no more rights than its work needs -----------------------------------------------------------
c.JupyterHub.services = [
    {
        "name": COURSE,
        "display": True,
        "url": f"http://127.0.0.1:{formgrader_port}",
        "command": [str(Path(sys.executable).parent / "jupyterhub-singleuser")],
        "cwd": str(room.course),
        "environment": room.environment()
        | {
            "JUPYTERHUB_DEFAULT_URL": "/lab?formgrader=true",
            "JUPYTER_CONFIG_PATH": str(room.kit / "binder/jupyterhub/grader/jupyter_settings"),
        },
        "oauth_no_confirm": True,
    }
    | ({"user": GRADER} if room.accounts else {}),
    {
        "name": "idle-culler",
        "command": [
            sys.executable, "-m", "jupyterhub_idle_culler", "--timeout", os.environ.get("ACADEMY_IDLE_SECONDS", "3600"),
        ],
    }
    | ({"user": "nobody"} if room.accounts else {}),
]  # fmt: skip
c.JupyterHub.load_roles = [
    {"name": "instructor", "groups": [f"formgrade-{COURSE}"], "scopes": [f"access:services!service={COURSE}"]},
    {"name": "learner", "groups": [f"nbgrader-{COURSE}"], "scopes": []},
    # nbgrader, in a person's own server, asks for that person's groups
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", "read:users:groups!user"]},
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
]


def first_page(handler) -> str:
    """Instructors start in formgrader, operators at the list of people, all others in their own server."""
    name = handler.current_user.name if handler.current_user else None
    pages = {f"/services/{COURSE}/": instructors, f"{handler.hub.base_url}admin": operators}
    return next((page for page, people in pages.items() if name in people), "")


c.JupyterHub.default_url = first_page
