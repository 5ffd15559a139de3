"""`/api/v1/objects/{id}/logs`."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from clusters import vault
from clusters.kube import errors
from clusters.kube.client import Client
from clusters.models import Object
from clusters.services.waiting import let_others_query
from clusters.store import identity
from explorer.access import Caller
from explorer.api.shapes import refuse_unknown
from explorer.filters.logs import LogQuery, eyes, text
from teams import access
from teams.api import BadGateway, Conflict, GatewayTimeout, caller
from teams.models import User
from teams.roles import Action
from teams.throttles import Costly, Throttle

DEADLINE = 5.0
KNOWN = ("container", "follow", "previous", "since", "tail", "timestamps", "prefix")


class LogsSerializer(serializers.Serializer[Any]):
    """The parameters, for the schema."""

    container = serializers.CharField(
        required=False, help_text="Of this container; without, of all but init containers."
    )
    follow = serializers.BooleanField(default=False, help_text="Goes on as long as the log does.")
    previous = serializers.BooleanField(default=False, help_text="Of the container's last run.")
    since = serializers.CharField(
        required=False, help_text="A time, or how long ago: `30s`, `15m`, `6h`, `2d`."
    )
    tail = serializers.IntegerField(
        required=False, help_text="So many lines of the end of each container's log."
    )
    timestamps = serializers.BooleanField(default=False)
    prefix = serializers.BooleanField(
        required=False, help_text="Each line begins with its source; so it is where there are more."
    )


class ObjectLogs(APIView):
    throttle_classes = (Throttle, Costly)
    costly = ("GET",)

    @extend_schema(
        summary="Logs of a pod, or of all pods of a workload",
        parameters=[LogsSerializer],
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Text, as it comes; of several containers merged by time.

        Without `follow` it ends after 50 MiB, which its last line says. What is told about a log
        and is not of it stands in lines that begin with `# MCM: `.
        """
        user = caller(request)
        found = access.get_or_404(user, Object, pk, Action.OPERATE)
        refuse_unknown(request.query_params, KNOWN)
        given = request.query_params.copy()
        flags = {name: _flag(given.pop(name, [""])[-1], name) for name in ("timestamps", "prefix")}
        given["object"] = str(pk)
        query = LogQuery.of(given, follow=False, tail=None)
        if query.problems:
            raise ValidationError(query.problems)
        if found.kind == "Pod":
            _try(user, found, query.options.container)
        return text.answer(
            query.options,
            eyes(Caller.of_request(request._request), user, query),
            timestamps=bool(flags["timestamps"]),
            prefix=found.kind != "Pod" if flags["prefix"] is None else flags["prefix"],
        )


def _flag(value: str, name: str) -> bool | None:
    if value not in {"", "true", "false"}:
        raise ValidationError({name: [_("Say true or false.")]})
    return value == "true" if value else None


def _try(user: User, pod: Object, container: str) -> None:
    """Tells by a status why a pod cannot be read, while that is still possible."""
    try:
        who, connection = identity.for_reading(user, pod.cluster), pod.cluster.connection
        let_others_query()
        with Client(connection, who, deadline=DEADLINE, budget=DEADLINE) as client:
            seen = client.get(f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}")
    except errors.NotFound as error:
        raise NotFound from error
    except errors.Forbidden as error:
        raise PermissionDenied(_(str(error))) from error
    except errors.TimedOut as error:
        raise GatewayTimeout(_(str(error))) from error
    except errors.KubeError as error:
        raise BadGateway(_(str(error))) from error
    except vault.CannotOpen as error:
        raise BadGateway(_("The stored credentials cannot be opened.")) from error
    names = _names(seen)
    if container and container not in names:
        said = _("The pod has no such container, but: %(names)s") % {"names": ", ".join(names)}
        raise ValidationError({"container": [errors.safe_text(said)]})
    if not names:
        raise Conflict(_("The pod has no containers."))


def _names(pod: Any) -> list[str]:
    spec = pod.get("spec") if isinstance(pod, dict) else None
    parts = ("containers", "initContainers", "ephemeralContainers")
    return [str(each.get("name", "")) for part in parts for each in (spec or {}).get(part) or ()]
