"""Downloads one answer over HTTP: time-outs, patient retries, and a limit to what is read and for how long.

The rules are the same for every server: an overloaded one (429, 5xx) or one that cannot be reached is tried again,
after the pause that its Retry-After asks for or a growing random one. A silent one is not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from labkit import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

USER_AGENT = f"ai-skills-academy/{__version__}"
"""How the kit names itself to a server."""

ATTEMPTS = 4
"""How often a call is tried before it is given up."""

LONGEST_WAIT = 20.0
"""The longest pause between two tries, in seconds, whatever the server's Retry-After says."""

_back_off = wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.5)


class DownloadError(Exception):
    """There is no answer. The message says what the server did ("answers 503 (4 tries)"), `advice` what to do."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.advice = advice


class TooLargeError(DownloadError):
    """The server answers, but with more than is read."""


class _TryAgainError(Exception):
    """A fault that may pass; `wait` is what the server asks for, in seconds, or None."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


@dataclass(frozen=True)
class Call:
    """One HTTP call: a GET, or a POST if there is a `form`. At most `most_bytes` of the answer are read."""

    url: str
    most_bytes: int
    accept: str = "*/*"
    params: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    form: Mapping[str, str] | None = None


class Downloads:
    """Makes calls, one after the other, over one `client`.

    `timeout` is the seconds a server may stay silent (a whole answer may take three times as long), `connect` those
    it may take to be reached; a call is tried `attempts` times; `sleep` waits between tries.
    """

    def __init__(
        self,
        *,
        timeout: float = 20.0,
        connect: float = 5.0,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._longest = 3 * timeout
        self._attempts = attempts
        self._sleep = sleep
        self.client = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, connect)),
            headers={"User-Agent": USER_AGENT},
            follow_redirects=True,
            max_redirects=5,
        )

    def fetch(self, call: Call) -> tuple[int, bytes]:
        """Return the status and the body of the answer, whatever the status is unless a later try may mend it.

        Raises DownloadError if there is none, and TooLargeError if there is too much.
        """
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=_pause,
            retry=retry_if_exception_type(_TryAgainError),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._once, call)
        except _TryAgainError as error:
            raise DownloadError(f"{error} ({self._attempts} tries)", "try again later") from error

    def _once(self, call: Call) -> tuple[int, bytes]:
        method = "GET" if call.form is None else "POST"
        headers = {"Accept": call.accept}
        try:
            with self.client.stream(
                method, call.url, params=call.params or None, data=call.form, headers=headers
            ) as response:
                status = response.status_code
                if status == 429 or status >= 500:
                    raise _TryAgainError(f"answers {status}", _retry_after(response.headers.get("Retry-After", "")))
                return status, self._read(response, call.most_bytes)
        except httpx.ReadTimeout as error:
            # Not tried again: a question that is too much for the server once is too much four times.
            raise _too_slow() from error
        except httpx.TransportError as error:
            raise _TryAgainError(f"cannot be reached ({type(error).__name__})") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DownloadError(f"gave no usable answer ({type(error).__name__})", "check the address") from error

    def _read(self, response: httpx.Response, most_bytes: int) -> bytes:
        body = bytearray()
        give_up_at = time.monotonic() + self._longest
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > most_bytes:
                raise TooLargeError(f"sends more than {most_bytes:,} bytes", "ask for less at once")
            if time.monotonic() > give_up_at:
                raise _too_slow()
        return bytes(body)


def _too_slow() -> DownloadError:
    return DownloadError("took too long to answer", "ask for less at once")


def _pause(state: RetryCallState) -> float:
    """Return the seconds until the next try: what the server asks for, within reason, else a growing random pause."""
    fault = state.outcome.exception() if state.outcome is not None else None
    if isinstance(fault, _TryAgainError) and fault.wait is not None:
        return min(fault.wait, LONGEST_WAIT)
    return float(_back_off(state))


def _retry_after(value: str) -> float | None:
    """Return the seconds a Retry-After header asks for: it holds seconds or a date (RFC 9110, section 10.2.3)."""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    # A date without a zone is taken as UTC, as HTTP dates are.
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
