"""Run the snippets of a page of the documentation against a running site, as a reader would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.stack import Stack

# The addresses that the pages write, and that a test replaces.
SITE, PICTURES = "http://localhost:8000", "https://example.com"
LANGUAGES = ("sh", "python", "js")


@dataclass(frozen=True)
class Reader:
    """Hold what a reader has: a running site, a key, a server with pictures, and a folder with `photo.jpg`."""

    stack: Stack
    key_id: str
    key: str
    pictures: str
    folder: Path

    def run(self, snippet: str, language: str) -> str:
        """Run one snippet in the folder; return what it prints. Fails with its errors unless it ends with 0."""
        text = snippet.replace(SITE, self.stack.base_url).replace(PICTURES, self.pictures)
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
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout


def snippets_of(page: str) -> list[tuple[str, str]]:
    """Return the snippets of a page in their order, each with its language."""
    found = re.findall(rf"^```({'|'.join(LANGUAGES)})\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return [(text, language) for language, text in found]
