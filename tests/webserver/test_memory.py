"""Tests that only one process of the machine at a time parses a request body completely in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

from tests.stack import ROOT
from webserver.memory import MachineSlot

HOLDER = """
import sys
from webserver.memory import MachineSlot
with MachineSlot(int(sys.argv[1])).taken():
    print("taken", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("ending", ["leaves", "is killed"])
def test_a_process_waits_for_another_ones_slot(ending: str) -> None:
    with tempfile.TemporaryFile() as file:
        number = file.fileno()
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(number)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(number,),
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"taken\n"
        with pytest.raises(BlockingIOError):
            os.lockf(number, os.F_TLOCK, 0)

        holder.kill() if ending == "is killed" else holder.communicate()

        with MachineSlot(number).taken():
            holder.wait()
