"""Logs as a text, written while they are read."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import partial

from django.http import StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clusters.kube import logs
from explorer.access import Ended
from explorer.collector import Batch, Eyes, Gathering, Options, Source, State

# More bytes than these are in no file; it says so at its end. What is followed has no end.
MOST = 50 * 1024 * 1024
# What is told about the logs, and is not of them, begins so.
TOLD = "# MCM: "


def answer(
    options: Options, eyes: Eyes, *, timestamps: bool, prefix: bool, name: str = ""
) -> StreamingHttpResponse:
    """The text, as a file where it has a name. `prefix`: each line begins with its source."""
    lines = _encoded(_text(options, eyes, timestamps, prefix), translation.get_language() or "en")
    response = StreamingHttpResponse(lines, content_type="text/plain; charset=utf-8")
    # What containers write must never be taken for a page of MCM's.
    response["X-Content-Type-Options"] = "nosniff"
    if name:
        file = f"{name}-{timezone.localtime().strftime('%Y-%m-%d-%H%M')}.log"
        response["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


async def _encoded(texts: AsyncGenerator[Callable[[], str]], language: str) -> AsyncIterator[bytes]:
    """Each text in the language that was asked for: the view is long over by then."""
    async with aclosing(texts):
        async for text in texts:
            with translation.override(language):
                said = text()
            yield said.encode()


async def _text(
    options: Options, eyes: Eyes, timestamps: bool, prefix: bool
) -> AsyncGenerator[Callable[[], str]]:
    many: set[int] = set()
    told: dict[int, str] = {}
    written = left_out = 0

    def write(batch: Batch) -> str:
        each = prefix or len(many) > 1
        lines = [_line(source, line, timestamps, each) for source, line in batch.lines]
        return "".join([*lines, *(_state(source, told) for source in batch.sources)])

    try:
        async with Gathering(options, eyes) as gathering:
            while (batch := await gathering.next()) is not None:
                left_out = batch.left_out
                many.update(source.number for source in batch.sources)
                yield partial(write, batch)
                written += sum(len(line.text) + len(line.at) for _source, line in batch.lines)
                if written > MOST and not options.follow:
                    yield lambda: _told(_("Only the first %d MiB are in this file.") % (MOST >> 20))
                    return
        if left_out:
            yield lambda: _told(_("%d more logs are left out.") % left_out)
    except Ended as ended:
        why = str(ended)
        yield lambda: _told(_(why))


def _line(source: Source, line: logs.Line, timestamps: bool, prefix: bool) -> str:
    begin = f"[{label(source)}] " if prefix else ""
    begin += f"{line.at} " if timestamps and line.at else ""
    if line.note:
        return f"{TOLD}{label(source)}: {said(line)}\n"
    return f"{begin}{logs.plain(line.text)}\n"


def _state(source: Source, told: dict[int, str]) -> str:
    """Why a source is not read, once for each reason."""
    if source.state not in (State.FAILED, State.WAITING) or not source.why:
        return ""
    if told.get(source.number) == source.why:
        return ""
    told[source.number] = source.why
    return f"{TOLD}{label(source)}: {_(source.why)}\n"


def label(source: Source) -> str:
    pod = source.pod
    parts = (pod.cluster_name, pod.namespace, pod.name, source.container)
    return "/".join(part for part in parts if part)


def said(line: logs.Line) -> str:
    """What a note tells, in the active language."""
    if line.text:
        return _(line.text)
    return {"joined": _("The log joins in."), "again": _("The log goes on.")}.get(line.note, "")


def _told(text: str) -> str:
    return f"{TOLD}{text}\n"
