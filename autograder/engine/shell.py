"""An IPython shell in this process whose outputs are those of a notebook, of limited size."""

import base64
import io
import os
import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

Output = dict[str, Any]
"""An output of nbformat 4, as a dictionary."""

KEPT_TYPES = (
    "text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "image/svg+xml",
)  # fmt: skip
"""Media types that are kept of what a cell shows, all of them texts; what only an extension can draw is not."""


_OUTPUT_BYTES = 100
"""What an output costs beside its content."""

_KEPT_ERRORS = 10


class Recorder:
    """Collects the outputs of one cell, up to a number of bytes; what comes after is counted and let go."""

    def __init__(self, max_bytes: int) -> None:
        self.outputs: list[Output] = []
        self._left = max_bytes
        self._lost = 0
        self._errors = 0
        self._named: dict[str, Output] = {}

    def stream(self, name: str, text: str) -> None:
        """Keep a piece of text printed to `stdout` or `stderr`."""
        last = self.outputs[-1] if self.outputs else {}
        goes_on = last.get("output_type") == "stream" and last["name"] == name
        room = max(self._left - (0 if goes_on else _OUTPUT_BYTES), 0)
        kept = readable(text[:room])
        self._lost += len(text) - len(kept)
        if not kept:
            return
        if goes_on:
            self._left -= len(kept) + 1
            last["parts"].append(kept)
        else:
            self._left -= len(kept) + _OUTPUT_BYTES
            self.outputs.append({"output_type": "stream", "name": name, "parts": [kept]})

    def show(self, bundle: dict[str, Any], metadata: dict[str, Any], *, name: str | None, update: bool) -> None:
        """Keep something shown under a `name`, or in the place of what has that name."""
        shown = self._named.get(name) if update and name else None
        self.data("display_data", bundle, metadata)
        if shown is not None and self.outputs[-1] is not shown and shown in self.outputs:
            shown.update(self.outputs.pop())
        elif name and self.outputs:
            self._named[name] = self.outputs[-1]

    def data(self, kind: str, bundle: dict[str, Any], metadata: dict[str, Any], number: int | None = None) -> None:
        """Keep something shown (`display_data`) or the value of the cell's last line (`execute_result`)."""
        texts = {media: _as_text(content) for media, content in bundle.items() if media in KEPT_TYPES}
        kept = {media: text for media, text in texts.items() if text is not None}
        size = sum(map(len, kept.values())) + _OUTPUT_BYTES
        if size > self._left:
            self._lost += size
            if kind != "execute_result":
                return
            # A value at the end says something to whoever reads the cell, so that there was one must not get lost.
            kept = {"text/plain": f"{kept.get('text/plain', '')[:100]} … cut"}
        self._left -= size
        output: Output = {"output_type": kind, "data": kept, "metadata": plain_metadata(metadata)}
        if kind == "execute_result":
            output["execution_count"] = number
        self.outputs.append(output)

    def error(self, name: str, message: str, traceback: list[str]) -> None:
        """Keep an error; always, since nothing counts as passed where its error is lost, but not all of its text."""
        self._errors += 1
        if self._errors > _KEPT_ERRORS:
            return
        room = 20_000
        lines = [readable(line[:room]) for line in traceback[-50:]]
        texts = {"ename": readable(name[:200]), "evalue": readable(message[:room])}
        self.outputs.append({"output_type": "error", **texts, "traceback": lines})

    @property
    def failed(self) -> bool:
        """Whether there was an error."""
        return self._errors > 0

    def clear(self) -> None:
        """Forget what the cell has shown so far, but not its errors."""
        self.outputs = [output for output in self.outputs if output["output_type"] == "error"]

    def finished(self) -> list[Output]:
        """Return the outputs, with a plain line at the end where some were cut."""
        if self._lost:
            cut = f"\n… cut here: {self._lost:,} more characters of output"
            self.outputs.append({"output_type": "stream", "name": "stdout", "parts": [cut]})
        for output in self.outputs:
            if "parts" in output:
                output["text"] = "".join(output.pop("parts"))
        finished, self.outputs = self.outputs, []
        return finished


class _Stream(io.TextIOBase):
    """Stands for `sys.stdout` or `sys.stderr`."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str, shell: "NotebookShell") -> None:
        super().__init__()
        self.name = f"<{name}>"
        self._kind = name
        self._shell = shell

    def writable(self) -> bool:
        """Whether one can write to it."""
        return True

    def write(self, text: str) -> int:
        """Keep the text as output of the cell."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._shell.recorder.stream(self._kind, text)
        return len(text)


class _Publisher(DisplayPublisher):
    """Takes what `display` shows."""

    shell: "NotebookShell"

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: object = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: object,
    ) -> None:
        """Keep what is shown; what updates an earlier display takes its place."""
        name = (transient or {}).get("display_id")
        self.shell.recorder.show(data, metadata or {}, name=name, update=update)

    def clear_output(self, wait: bool = False) -> None:
        """Forget what is shown so far."""
        self.shell.recorder.clear()


class _Results(DisplayHook):
    """Takes the value of a cell's last line."""

    shell: "NotebookShell"

    def start_displayhook(self) -> None:
        """Print nothing before it."""

    def write_output_prompt(self) -> None:
        """Print no prompt."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Keep the value."""
        self.shell.recorder.data("execute_result", format_dict, md_dict or {}, self.prompt_count)

    def finish_displayhook(self) -> None:
        """Print nothing after it."""


class NotebookShell(InteractiveShell):
    """IPython without a terminal, history or threads; figures are shown as pictures, as in a notebook."""

    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Results)
    recorder = AnyTrait(Recorder(0))
    last_error: BaseException | None = None
    last_result: object = None

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.recorder.error(name_of(etype), text_of(evalue), list(stb))

    def ask_exit(self) -> None:
        """End the cell, and no more than that, at `exit`."""
        raise SystemExit("exit ends the notebook's process")

    def enable_gui(self, gui: str | None = None) -> None:
        """Have no window system."""

    def run(self, number: int, source: str, max_bytes: int) -> list[Output]:
        """Run a cell as the one with this number, and return its outputs. An interrupt is an error like any other."""
        self.recorder = Recorder(max_bytes)
        self.execution_count = number
        self.last_error = self.last_result = None
        try:
            result = self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
            self.last_error, self.last_result = result.error_in_exec, result.result
            if self.last_error is not None and not self.recorder.failed:  # it could not be shown, for want of files
                self.recorder.error(name_of(type(self.last_error)), text_of(self.last_error), [])
        except KeyboardInterrupt:
            self.recorder.error("KeyboardInterrupt", "", [])
        return self.recorder.finished()


def _as_text(content: object) -> str | None:
    """Content of a media type as nbformat stores it: text, with bytes as Base64."""
    if isinstance(content, bytes):
        return base64.b64encode(content).decode()
    return readable(content) if isinstance(content, str) else None


def plain_metadata(metadata: dict[str, Any]) -> dict[str, dict[str, str | int | float]]:
    """Metadata of what is shown (a picture's size and its words), without anything that is not plain."""
    return {
        media: {
            str(key)[:100]: readable(value[:1000]) if type(value) is str else value
            for key, value in list(entries.items())[:20]
            if type(value) in (str, int, float)
        }
        for media, entries in metadata.items()
        if media in KEPT_TYPES and isinstance(entries, dict)
    }


def text_of(error: BaseException) -> str:
    """What an error says; that is code of the learner, which may fail in its turn."""
    try:
        return readable(str(error))
    except BaseException:  # noqa: BLE001  a broken __str__ is no reason to lose the error itself
        return ""


def readable(text: str) -> str:
    """Return a text without halves of characters, which no file could hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def name_of(kind: type) -> str:
    """Name of a type, whatever its own type says it is."""
    return readable(str(type.__dict__["__name__"].__get__(kind)))[:100]


def new_shell() -> NotebookShell:
    """Make the one shell of this process, with figures as pictures and the streams of `sys` captured."""
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Context"
    shell: NotebookShell = NotebookShell.instance(config=config)
    shell.enable_matplotlib("inline")  # type: ignore[no-untyped-call]
    # It is there by now. At the top it would be imported by every program that only starts servers.
    from matplotlib import pyplot as plt  # noqa: PLC0415

    plt.uninstall_repl_displayhook()  # or each figure would be drawn when its cell ends, and again to be kept
    sys.stdout = _Stream("stdout", shell)
    sys.stderr = _Stream("stderr", shell)
    return shell
