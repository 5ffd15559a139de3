"""How each fault is told."""

from testbed.replay import objects
from testbed.replay.faults import (
    Answer,
    Broken,
    Close,
    End,
    ErrorEvent,
    Hang,
    Refuse,
    Request,
)  # fmt: skip
from testbed.replay.http import Out


async def lie(answer: Answer, request: Request, out: Out) -> None:
    """Give this answer; ConnectionAbortedError when the connection must end after it."""
    match answer:
        case Refuse(status, message, retry_after):
            await out.refusal(status, message, retry_after)
        case ErrorEvent(status, message):
            out.stream()
            await out.say(objects.failure(status, message, protobuf=request.protobuf))
            await out.end()
        case Hang():
            await out.left()
        case Close():
            raise ConnectionAbortedError("closed without an answer")
        case End():
            out.stream()
            await out.end()
        case Broken(data):
            out.stream()
            await out.say(data)
            raise ConnectionAbortedError("broken off")
