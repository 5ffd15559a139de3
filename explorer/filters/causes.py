"""Causes of trouble in the reader's language."""

from datetime import UTC, datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from clusters.kube.why.around import Unknown
from clusters.kube.why.cause import WAITING, Cause, Evidence


class Said(NamedTuple):
    """What said so; times are None where it does not say."""

    source: str
    place: str
    text: str
    since: datetime | None
    at: datetime | None
    times: int


class Told(NamedTuple):
    """A cause in words. `urgent`: it does not mend itself by waiting."""

    code: str
    kind: str
    namespace: str
    name: str
    container: str
    text: str
    advice: str
    since: datetime | None
    urgent: bool
    pods: int
    facts: dict[str, str]
    evidence: list[Said]


def told(found: Cause) -> Told:
    return Told(
        code=found.code,
        kind=found.kind,
        namespace=found.namespace,
        name=found.name,
        container=found.container,
        text=_(found.words) % found.facts,
        advice=_(found.advice) % found.facts if found.advice else "",
        since=moment(found.since),
        urgent=found.rank < WAITING,
        pods=found.pods,
        facts=found.facts,
        evidence=[_said(each) for each in found.evidence],
    )


def _said(found: Evidence) -> Said:
    since, at = moment(found.since), moment(found.at)
    return Said(found.source, found.place, found.text, since, at, found.times)


def unknown(found: Unknown) -> tuple[str, str]:
    """What could not be known, and why."""
    return _(found.words), _(found.reason)


def moment(seconds: int) -> datetime | None:
    """Seconds since 1970; None for 0."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
