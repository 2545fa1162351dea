"""The ways to log in that an operator chooses from: people sign up, or come from a provider or a learning platform."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hub_process import hub_command, stop, wait_until_open
from playwright.sync_api import Browser, Page, expect

from .conftest import PROXY, free_port

PASSWORD = "forty-two-learners"  # noqa: S105  of a hub that lives for a minute
LTI = "https://purl.imsglobal.org/spec/lti/claim/"

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def hub(run_classroom, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start a hub as a service would, in namespaces of its own; returns its address."""
    running: list[subprocess.Popen[bytes]] = []

    def start(authenticator: str, **settings: str) -> str:
        port = int(settings.get("ACADEMY_PORT", free_port()))
        room = tmp_path / "classroom"
        (room / "hub").mkdir(parents=True)
        environment = os.environ | settings | {
            "ACADEMY_AUTHENTICATOR": authenticator, "ACADEMY_CLASSROOM": str(room), "ACADEMY_PORT": str(port),
            "ACADEMY_PROXY": str(PROXY), "ACADEMY_SPAWNER": "local", "ACADEMY_OPERATORS": "olga",
            "ACADEMY_INSTRUCTORS": "ines",
        }  # fmt: skip
        log = room / "hub/hub.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                hub_command(room, as_root=True),
                env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        running.append(process)
        wait_until_open(process, port, log)
        return f"http://127.0.0.1:{port}"

    yield start
    for process in running:
        stop(process)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def filled_in(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.locator("input[name=username]").fill(name)
    for place in page.locator("input[type=password]").all():
        place.fill(PASSWORD)
    page.locator("[type=submit]").first.click()


def test_people_sign_up_and_an_operator_lets_them_in(hub, page: Page) -> None:
    address = hub("native")
    for name in ("olga", "anna"):
        filled_in(page, f"{address}/hub/signup", name)
        expect(page.locator(".alert")).to_be_visible()
    filled_in(page, f"{address}/hub/login", "anna")
    expect(page.get_by_text("has not been authorized by an administrator yet")).to_be_visible()
    filled_in(page, f"{address}/hub/login", "olga")
    page.wait_for_url("**/hub/admin")
    page.goto(f"{address}/hub/authorize/anna")
    page.context.clear_cookies()
    filled_in(page, f"{address}/hub/login", "anna")
    page.wait_for_url("**/user/anna/academy", timeout=120_000)


@dataclass
class Platform:
    """An OpenID Connect provider and LTI 1.3 platform on loopback that vouches for whomever it is told to."""

    address: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    published: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    signing: rsa.RSAPrivateKey | None = None
    """the published one, unless somebody else signs"""

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, str, str]:
        """Status, media type and body; for a redirect the address in the place of the type."""
        if path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.published.public_key())) | {
                "kid": "1",
                "use": "sig",
            }
            return 200, "application/json", json.dumps({"keys": [public]})
        if path == "/authorize":
            return 302, f"{query['redirect_uri']}?{urlencode({'code': 'c', 'state': query['state']})}", ""
        if path == "/token":
            return 200, "application/json", json.dumps({"access_token": "t", "token_type": "bearer"})
        if path == "/userinfo":
            return 200, "application/json", json.dumps(self.claims)
        if path != "/lti":
            return 404, "text/plain", ""
        token = self.claims | {"nonce": query["nonce"], "iat": int(time.time()), "exp": int(time.time()) + 60}
        signed = jwt.encode(token, self.signing or self.published, "RS256", headers={"kid": "1"})
        form = "".join(
            f"<input name={name} value='{value}'>" for name, value in (("id_token", signed), ("state", query["state"]))
        )
        return 200, "text/html", f"<form method=post action='{query['redirect_uri']}'>{form}<button>Go</button></form>"


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            status, kind, body = made.answer(
                asked.path, {name: value for name, (value,) in parse_qs(asked.query).items()}
            )
            self.send_response(status)
            self.send_header("Location" if status == 302 else "Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def test_a_provider_vouches_for_the_people_on_the_list(hub, platform: Platform, page: Page) -> None:
    port = free_port()
    address = hub(
        "oauth", ACADEMY_PORT=str(port), ACADEMY_LEARNERS="anna",
        OAUTH_CLIENT_ID="academy", OAUTH_CLIENT_SECRET="s",  # noqa: S106  of the provider above
        OAUTH_CALLBACK_URL=f"http://127.0.0.1:{port}/hub/oauth_callback",
        OAUTH2_AUTHORIZE_URL=f"{platform.address}/authorize", OAUTH2_TOKEN_URL=f"{platform.address}/token",
        OAUTH2_USERDATA_URL=f"{platform.address}/userinfo",
    )  # fmt: skip
    for name, status in (("mallory", 403), ("root", 403), ("anna", 200)):
        page.context.clear_cookies()
        platform.claims = {"preferred_username": name}
        found = page.goto(f"{address}/hub/oauth_login?next=/hub/home")
        assert (found.status, name) == (status, name)
    expect(page.get_by_text("anna").first).to_be_visible()


def test_a_learning_platform_sends_its_learners(hub, platform: Platform, page: Page) -> None:
    address = hub(
        "lti", LTI13_ISSUER=platform.address, LTI13_CLIENT_ID="academy",
        LTI13_AUTHORIZE_URL=f"{platform.address}/lti", LTI13_JWKS_ENDPOINT=f"{platform.address}/keys",
    )  # fmt: skip
    sent = {"iss": platform.address, "login_hint": "7", "target_link_uri": f"{address}/hub", "client_id": "academy"}
    launch = {
        "iss": platform.address, "aud": "academy", "sub": "7", "email": "anna@school.example.org",
        f"{LTI}version": "1.3.0", f"{LTI}message_type": "LtiResourceLinkRequest", f"{LTI}deployment_id": "1",
        f"{LTI}target_link_uri": f"{address}/hub", f"{LTI}resource_link": {"id": "1"}, f"{LTI}roles": [],
    }  # fmt: skip

    def launched(claims: dict[str, Any]) -> Page:
        page.context.clear_cookies()
        platform.claims = claims
        page.goto(f"{address}/hub/lti13/oauth_login?{urlencode(sent | {'next': '/hub/home'})}")
        page.get_by_role("button", name="Go").click()
        page.wait_for_load_state("networkidle")
        return page

    assert "/hub/home" not in launched(launch).url, "an address cannot be an account"
    assert "/hub/home" not in launched(launch | {f"{LTI}custom": {"username": "root"}}).url
    assert "/hub/home" not in launched(launch | {"aud": "another", f"{LTI}custom": {"username": "anna"}}).url
    assert "/hub/home" in launched(launch | {f"{LTI}custom": {"username": "anna"}}).url
    expect(page.get_by_text("anna").first).to_be_visible()
    platform.signing = rsa.generate_private_key(65537, 2048)
    assert "/hub/home" not in launched(launch | {f"{LTI}custom": {"username": "berta"}}).url
