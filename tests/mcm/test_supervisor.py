"""The supervisor alone, keeping a small program."""

import asyncio
import errno
import sys
from pathlib import Path
from typing import Any

import pytest

from mcm.embedded import supervisor
from mcm.embedded.processes import Program
from mcm.embedded.supervisor import Supervisor


async def test_a_program_that_cannot_start_now_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_FIRST_DELAY", 0.01)
    (tmp_path / "logs").mkdir()
    said: list[str] = []
    kept = Supervisor(tmp_path, said.append)
    sleeper = (sys.executable, "-c", "import time; time.sleep(60)")
    first = await kept.keep(Program(name="web", arguments=sleeper))
    spawn: Any = asyncio.create_subprocess_exec
    refusals = [OSError(errno.EAGAIN, "no more processes"), OSError(errno.ENOSPC, "disk full")]

    async def refuse(*arguments: Any, **options: Any) -> Any:
        if refusals:
            raise refusals.pop(0)
        return await spawn(*arguments, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
    try:
        kept.kill("web")
        async with asyncio.timeout(20):
            while kept._running.get("web") in {None, first}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert len([line for line in said if "could not start" in line]) == 2
    finally:
        await kept.stop()
    assert kept._running == {}


async def test_a_program_writes_what_its_threads_do_when_asked(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    kept = Supervisor(tmp_path, print)
    text = """
import faulthandler, signal, time
faulthandler.register(signal.SIGUSR1)
def stands_still():
    print("ready", flush=True)
    time.sleep(60)
stands_still()
"""
    await kept.keep(Program(name="web", arguments=(sys.executable, "-c", text)))
    try:
        async with asyncio.timeout(20):
            while "ready" not in kept.log("web").read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            kept.ask_for_traces("web")
            while "in stands_still" not in kept.log("web").read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        await kept.stop()
