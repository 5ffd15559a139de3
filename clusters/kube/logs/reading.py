"""One container's log as it comes."""

from collections.abc import AsyncGenerator

from clusters.kube import stream
from clusters.kube.logs.asking import SECONDS, Wanted
from clusters.kube.logs.lines import Line, Splitter

# What is read ahead of who takes the lines; then the API server has to wait.
AHEAD = 64 * 1024
# Of a log that is not followed.
SILENCE = 30.0
# A kubelet answers with the first line: a log that stays silent so long is taken as open.
QUIET = 2.0


async def read(to: stream.Link, wanted: Wanted) -> AsyncGenerator[list[Line]]:
    """The lines in portions, first an empty one when the log is open; KubeError when it breaks.

    Ends when the log does: a followed one with its container. Close it (`aclosing`), or its
    connection stays.
    """
    splitter = Splitter()
    wait = None if wanted.follow else SILENCE
    async with stream.ask(to, wanted.target, "*/*", deadline=SECONDS, enough=AHEAD) as asked:
        if not await asked.heard(QUIET) and wanted.follow:
            yield []
        response = await asked.answer(wait)
        yield []
        while data := await response.read(wait):
            if lines := splitter.feed(data):
                yield lines
    if lines := splitter.end():
        yield lines
