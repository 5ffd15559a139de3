"""The steps of `run`: servers, tables, processes, ready; then watching over them until a signal."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from mcm import demo as demo_fleet
from mcm.embedded import (
    certificates,
    database,
    environment,
    logs,
    postgres,
    programs,
    readiness,
    state,
    valkey,
    watchdog,
)
from mcm.embedded.errors import StartError
from mcm.embedded.state import State
from mcm.embedded.supervisor import Supervisor

Say = Callable[[str], None]


def run(say: Say, *, demo: bool) -> None:
    """Until SIGINT, SIGTERM or SIGHUP. The environment must have been prepared."""
    asyncio.run(_run(state.home(), say, demo=demo))


async def _run(home: Path, say: Say, *, demo: bool) -> None:
    supervisor = Supervisor(home, say)

    def asked_to_stop() -> None:
        if supervisor.stopping.is_set():
            supervisor.kill_all()  # asked twice: no more patience
        supervisor.stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop)
    work = asyncio.create_task(_work(supervisor, demo=demo))
    stop = asyncio.create_task(supervisor.stopping.wait())
    try:
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
        say("Stopping")
    finally:
        work.cancel()
        await supervisor.stop()
        with suppress(asyncio.CancelledError, StartError):
            await work
    say("MCM stopped")


async def _work(supervisor: Supervisor, *, demo: bool) -> None:
    begun, say, port = time.monotonic(), supervisor.say, environment.web_port()
    if demo:
        demo_fleet.allow_addresses(supervisor.home / "fleet")
    fleet = await _start_fleet(supervisor) if demo else None
    await _start_servers(supervisor)
    given = os.environ.get("MCM_ADMIN_PASSWORD")
    if await asyncio.to_thread(database.migrate):
        say("Tables brought up to date")
    if given:
        await asyncio.to_thread(database.ensure_admin, given)
    known = _known(supervisor)
    await _start_processes(supervisor, port, known.https_port)
    await readiness.wait(port, say)
    # Not before: it takes as long to load as the others, and nothing waits for it.
    await supervisor.keep(programs.beat(supervisor.home))
    # A generated password is made at the last moment, since it is shown once, below.
    password = await asyncio.to_thread(database.ensure_admin, given)
    account = f"{database.ADMIN} / {password}" if password else database.ADMIN
    try:
        if fleet is not None:
            await fleet
    except asyncio.CancelledError:
        say(f"Stopped before all was ready; the account is {account}")
        raise
    say(f"Started in {time.monotonic() - begun:.1f} s; logs are in {supervisor.home / 'logs'}")
    authority = certificates.files(supervisor.home).authority
    say(f"HTTPS, for kubectl: https://127.0.0.1:{known.https_port} (authority: {authority})")
    say(f"MCM ready at http://127.0.0.1:{port} ({account})")
    await watchdog.watch(supervisor, port)


async def _start_fleet(supervisor: Supervisor) -> Coroutine[None, None, None]:
    """Starts the demo's clusters; what it returns waits until MCM shows them."""
    supervisor.say("Starting the demo's clusters")
    log = supervisor.log("fleet")
    logs.rotate(log)
    written = log.stat().st_size if log.exists() else 0
    await supervisor.keep(programs.fleet(supervisor.home))
    return demo_fleet.settle(supervisor.home / "fleet", log, written, supervisor.say)


async def _start_servers(supervisor: Supervisor) -> None:
    known = _known(supervisor)
    await asyncio.gather(_start_postgres(supervisor, known), _start_valkey(supervisor, known))


def _known(supervisor: Supervisor) -> State:
    known = state.read(supervisor.home)
    if known is None:
        raise StartError(f"{supervisor.home} holds no state")
    return known


async def _start_postgres(supervisor: Supervisor, known: State) -> None:
    if not known.embeds_postgres:
        supervisor.say("Using the PostgreSQL of DATABASE_URL")
        await asyncio.to_thread(postgres.wait_ready, known.database_url, lambda: False)
        return
    supervisor.say(f"Starting PostgreSQL on port {known.postgres_port}")
    place = postgres.site(supervisor.home / "postgres")
    await asyncio.to_thread(postgres.create, place, known.postgres_password)
    process = await supervisor.keep(postgres.program(place, known.postgres_port))
    await asyncio.to_thread(
        postgres.wait_ready, known.database_url, lambda: process.returncode is None
    )


async def _start_valkey(supervisor: Supervisor, known: State) -> None:
    if not known.embeds_valkey:
        supervisor.say("Using the Redis of REDIS_URL")
        await asyncio.to_thread(valkey.wait_ready, known.redis_url, lambda: False)
        return
    supervisor.say(f"Starting Valkey on port {known.valkey_port}")
    configuration = valkey.create(
        supervisor.home / "valkey", port=known.valkey_port, password=known.valkey_password
    )
    process = await supervisor.keep(valkey.program(configuration))
    await asyncio.to_thread(valkey.wait_ready, known.redis_url, lambda: process.returncode is None)


async def _start_processes(supervisor: Supervisor, port: int, https_port: int) -> None:
    supervisor.say("Starting web, workers and watcher")
    for program in (
        programs.web(supervisor.home, port, https_port),
        *map(programs.worker, programs.QUEUES),
        programs.watcher(),
    ):
        await supervisor.keep(program)
