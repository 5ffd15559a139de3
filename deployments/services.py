"""Uploading charts and asking for Helm's work."""

from dataclasses import dataclass

import msgspec
from django.db import transaction
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from clusters.models import Cluster
from deployments import executor, helm
from deployments.helm import charts, names, values
from deployments.models import Chart, Release
from operations import services as operations
from operations.models import Operation
from teams import audit
from teams.models import User

_RULES = {
    "name": gettext_lazy(
        "At most 53 lower-case letters, digits, dashes and dots; no dash at either end."
    ),
    "namespace": gettext_lazy(
        "At most 63 lower-case letters, digits and dashes; no dash at either end."
    ),
}


def explain(error: helm.HelmError) -> str:
    """What is wrong with an input, in the reader's language where that is known."""
    match error:
        case helm.InvalidName(field=field) if field in _RULES:
            return str(_RULES[field])
        case helm.BadValues(line=line, column=column) if line:
            place = _("line %(line)s, column %(column)s") % {"line": line, "column": column}
            return f"{gettext(error.reason)} ({place})"
        case helm.BadChart():
            return _("This chart is not accepted: %(reason)s") % {"reason": gettext(error.reason)}
        case _:
            return gettext(str(error))


@dataclass(frozen=True)
class InstallRequest:
    """What a person fills in. Names and values are checked by `request_install`."""

    cluster: Cluster
    namespace: str
    name: str
    chart: Chart
    values: str = ""
    wait: bool = True
    timeout: int = 300
    atomic: bool = False


@transaction.atomic
def upload_chart(data: bytes, *, by: User) -> Chart:
    """Stores a chart archive after it was checked; the same archive again is the same chart.

    Raises helm.BadChart.
    """
    info = charts.inspect(data)
    chart, created = Chart.objects.get_or_create(
        digest=info.digest,
        defaults={
            "name": info.name,
            "version": info.version,
            "app_version": info.app_version,
            "description": info.description,
            "archive": data,
            "size": info.size,
            "values": info.values,
            "uploaded_by": by,
        },
    )
    if created:
        audit.record(by, "chart.upload", chart, after={"digest": info.digest, "size": info.size})
    return chart


def request_install(wanted: InstallRequest, *, by: User) -> Operation:
    """Queues an install.

    Raises helm.InvalidName, helm.BadValues, operations.Held and PermissionDenied.
    """
    place = operations.Place(
        wanted.cluster,
        names.namespace(wanted.namespace),
        names.release(wanted.name),
    )
    told = {
        "chart": str(wanted.chart),
        "values": values.check(wanted.values),
        "wait": wanted.wait,
        "timeout": wanted.timeout,
        "atomic": wanted.atomic,
    }
    given = executor.InstallInput(
        chart=wanted.chart.pk,
        values=wanted.values,
        wait=wanted.wait,
        timeout=wanted.timeout,
        atomic=wanted.atomic,
    )
    payload = msgspec.json.encode(given)
    return operations.request(executor.INSTALL, place, payload, by=by, told=told)


def request_uninstall(release: Release, *, keep_history: bool = False, by: User) -> Operation:
    """Queues an uninstall. Raises operations.Held and PermissionDenied."""
    place = operations.Place(release.cluster, release.namespace, release.name)
    given = executor.UninstallInput(keep_history=keep_history)
    told = {"chart": release.chart, "revision": release.revision, "keep_history": keep_history}
    payload = msgspec.json.encode(given)
    return operations.request(executor.UNINSTALL, place, payload, by=by, told=told)
