"""The command line, as tests run it."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from kith.cli.main import run

PROGRAM = "from kith.cli.main import main; main()"


@dataclass(frozen=True)
class Answer:
    """What came of a command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def kith(*arguments: str | Path) -> Answer:
    """Run a command in this process, which saves a second."""
    out, err = io.StringIO(), io.StringIO()
    with patch.object(sys, "argv", words("kith", *arguments)), redirect_stdout(out), redirect_stderr(err):
        code = run()
    return Answer(code, out.getvalue(), err.getvalue())


def kith_process(
    *arguments: str | Path, program: str = PROGRAM, prefix: tuple[str, ...] = (), **environment: str
) -> Answer:
    """Run a command in a process of its own."""
    return finish(start(*arguments, program=program, prefix=prefix, **environment))


def start(
    *arguments: str | Path, program: str = PROGRAM, prefix: tuple[str, ...] = (), **environment: str
) -> "subprocess.Popen[str]":
    """Begin a command in a process of its own."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", program, *words(*arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="surrogateescape",
        env=os.environ | environment,
    )


def finish(process: "subprocess.Popen[str]") -> Answer:
    """Wait for a process; unlike `communicate`, also where lines were read from it before."""
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = process.stdout.read(), process.stderr.read()
    return Answer(process.returncode, out, err)


def words(*arguments: str | Path) -> list[str]:
    return [str(argument) for argument in arguments]
