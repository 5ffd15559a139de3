"""Keeps programs running: restarts what dies, stops everything in order."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mcm.embedded import logs, processes
from mcm.embedded.processes import Program

# Stopped together, one row after the other, each row within its seconds: 18 in all.
STOP_ORDER: tuple[tuple[int, tuple[str, ...]], ...] = (
    (4, ("web", "beat")),
    (5, ("worker-ticks", "worker-poll", "worker-releases", "worker-operations", "watcher")),
    (5, ("fleet",)),
    (4, ("valkey", "postgres")),
)
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0
_HEALTHY_SECONDS = 60
# Celery's workers write what each thread does when they get it, and so do our other programs.
TRACES = signal.SIGUSR1


class Supervisor:
    def __init__(self, home: Path, say: Callable[[str], None]) -> None:
        self.home = home
        self.say = say
        self.stopping = asyncio.Event()
        self._programs: dict[str, Program] = {}
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}

    async def keep(self, program: Program) -> asyncio.subprocess.Process:
        """Starts it now and again whenever it ends; the first process, as a sign of its fate."""
        logs.rotate(self.log(program.name))
        self._programs[program.name] = program
        first = await self._start(program)
        self._keepers[program.name] = asyncio.create_task(self._keep(program, first))
        return first

    def log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def ask_for_traces(self, name: str) -> None:
        """A program that no longer does its work writes to its log what each thread does."""
        if process := self._running.get(name):
            _signal(process, TRACES)

    def kill(self, name: str) -> None:
        """Ends a program that no longer does its work; its keeper starts it again."""
        if process := self._running.get(name):
            _kill_group(process.pid)

    async def stop(self) -> None:
        """Asks in order, kills what takes too long, leaves nothing behind."""
        self.stopping.set()
        for seconds, names in STOP_ORDER:
            keepers = {self._keepers[name] for name in names if name in self._keepers}
            for name in names:
                if process := self._running.get(name):
                    _signal(process, self._programs[name].stop)
            if keepers and (await asyncio.wait(keepers, timeout=seconds))[1]:
                for name in names:
                    self.kill(name)
                await asyncio.wait(keepers)
        await asyncio.to_thread(processes.sweep, self.home, patience=0)

    def kill_all(self) -> None:
        for name in tuple(self._running):
            self.kill(name)

    async def _keep(self, program: Program, first: asyncio.subprocess.Process) -> None:
        delay = _FIRST_DELAY
        process: asyncio.subprocess.Process | None = first
        while process is not None:
            begun = time.monotonic()
            code = await process.wait()
            del self._running[program.name]
            # Its own children must not stay when it died without them.
            _kill_group(process.pid)
            if self.stopping.is_set():
                return
            if time.monotonic() - begun > _HEALTHY_SECONDS:
                delay = _FIRST_DELAY
            self.say(
                f"{program.name} ended ({_reason(code)}); again in {delay:g} s. Its last lines:"
            )
            self.say(logs.tail(self.log(program.name)))
            process, delay = await self._restart(program, delay)

    async def _restart(
        self, program: Program, delay: float
    ) -> tuple[asyncio.subprocess.Process | None, float]:
        """The next process and the delay before the one after it; None once all is stopping."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), delay)
            if self.stopping.is_set():
                return None, delay
            delay = min(delay * 2, _LONGEST_DELAY)
            try:
                return await self._start(program), delay
            except OSError as error:  # the disk is full, too many processes: that may pass
                if process := self._running.get(program.name):
                    return process, delay  # it runs, only its number could not be noted
                self.say(f"{program.name} could not start ({error}); again in {delay:g} s.")

    async def _start(self, program: Program) -> asyncio.subprocess.Process:
        with self.log(program.name).open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *program.command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._running[program.name] = process
        if self.stopping.is_set():
            _signal(process, program.stop)
        processes.record(self.home, {name: child.pid for name, child in self._running.items()})
        return process


def _reason(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
