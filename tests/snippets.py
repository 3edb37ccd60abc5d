"""Functions that run the snippets of a documentation page with a running site, as a reader of the page would do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.stack import ROOT, Stack

# The URLs on the pages, which a test replaces.
SITE, PICTURES = "http://localhost:8000", "https://example.com"
LANGUAGES = ("sh", "python", "js")


@dataclass(frozen=True)
class Reader:
    """The environment of a person who reads the page: a running site, a key, a server with pictures, and a folder.

    The folder contains `photo.jpg`. ports: a dict from ports in the page's text to the real ports of other servers.
    installed: the folder of the installed client package.
    """

    stack: Stack
    key_id: str
    key: str
    pictures: str
    folder: Path
    ports: Mapping[str, str] = field(default_factory=dict)
    installed: Path | None = None

    def run(self, snippet: str, language: str) -> str:
        """Run one snippet in the folder and return its output. Fail if the exit status is not 0."""
        text = snippet.replace(SITE, self.stack.base_url).replace(PICTURES, self.pictures)
        for written, port in self.ports.items():
            text = text.replace(f"localhost:{written}", f"127.0.0.1:{port}")
        known = {"URL": self.stack.base_url, "KEY": self.key, "KEY_ID": self.key_id, "KEY_SECRET": self.key}
        if language == "sh":
            command = ["sh", "-e", "-c", text]
        else:
            word = "const " if language == "js" else ""
            file = self.folder / f"snippet.{'mjs' if language == 'js' else 'py'}"
            file.write_text("".join(f"{word}{name} = {value!r}\n" for name, value in known.items()) + text)
            command = [str(shutil.which("node")) if language == "js" else sys.executable, file.name]
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, **known, "PATH": programs}
        if self.installed is not None:
            environment["PYTHONPATH"] = str(self.installed)
            environment["PATH"] = f"{self.installed / 'bin'}{os.pathsep}{programs}"
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout


def snippets_of(page: str) -> list[tuple[str, str]]:
    """Return the snippets of a page in order, each with its language."""
    found = re.findall(rf"^```({'|'.join(LANGUAGES)})\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return [(text, language) for language, text in found]


def client_installed(folder: Path) -> Path:
    """Install the client package into its own folder, as `pip install ./client` does; return the folder."""
    shutil.copytree(ROOT / "client", folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*command, str(folder / "installed"), str(folder / "source")], check=True, timeout=180)
    return folder / "installed"
