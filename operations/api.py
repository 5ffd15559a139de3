"""`/api/v1/operations`."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.models import Cluster
from operations import services, store
from operations.models import Operation, Status, Step
from teams import access
from teams.access import Who
from teams.api import caller
from teams.models import User
from teams.roles import Action


class StepShape(serializers.Serializer[Any]):
    """Of `step_json`, for the schema."""

    cluster = serializers.CharField()
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    uid = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    message = serializers.CharField(help_text="How far it is, what was done, or why it was not.")
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class OperationShape(serializers.Serializer[Any]):
    """Of `operation_json`, for the schema."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    error = serializers.CharField()
    cluster = serializers.CharField(help_text="Empty for work in several clusters.")
    namespace = serializers.CharField()
    release = serializers.CharField()
    created = serializers.DateTimeField()
    finished = serializers.DateTimeField(allow_null=True)
    log = serializers.CharField()
    result = serializers.JSONField(allow_null=True)
    steps = StepShape(many=True)


class OperationIdShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()


class AcceptedShape(serializers.Serializer[Any]):
    """The work that was queued."""

    operation = OperationIdShape()


class OperationDetail(APIView):
    @extend_schema(responses=OperationShape)
    def get(self, request: Request, pk: UUID) -> Response:
        operation = access.get_or_404(caller(request), Operation, pk)
        return Response(operation_json(operation, caller(request)))


class OperationCancel(APIView):
    @extend_schema(request=None, responses={202: OperationShape})
    def post(self, request: Request, pk: UUID) -> Response:
        operation = access.get_or_404(caller(request), Operation, pk, Action.OPERATE)
        services.cancel(operation, by=caller(request))
        return Response(operation_json(operation, caller(request)), status=status.HTTP_202_ACCEPTED)


def operation_json(operation: Operation, who: User) -> dict[str, Any]:
    """An operation with its log and steps, as far as the person sees them; never its input."""
    return {
        "id": str(operation.pk),
        "kind": operation.kind,
        "status": operation.status,
        "error": operation.error,
        "cluster": operation.cluster.name if operation.cluster else "",
        "namespace": operation.namespace,
        "release": operation.target,
        "created": operation.created.isoformat(),
        "finished": operation.finished.isoformat() if operation.finished else None,
        "log": store.log(who, operation),
        "result": operation.result,
        "steps": [step_json(step) for step in store.steps(who, operation)],
    }


def step_json(step: Step) -> dict[str, Any]:
    """What an operation does to one object."""
    return {
        "cluster": step.cluster.name,
        "kind": step.kind,
        "namespace": step.namespace,
        "name": step.name,
        "uid": step.uid,
        "status": step.status,
        "message": step.told,
        "done": step.done,
        "total": step.total,
        "before": step.result.get("before"),
        "after": step.result.get("after"),
    }


def held_answer(held: services.Held) -> Response:
    """409 with the operation that holds the target."""
    return Response(
        {
            "error": str(held),
            "fields": {},
            "operation": {"id": str(held.operation.pk), "status": held.operation.status},
        },
        status=status.HTTP_409_CONFLICT,
    )


def accepted(operation: Operation) -> Response:
    """202 with the id of the work that was queued."""
    return Response({"operation": {"id": str(operation.pk)}}, status=status.HTTP_202_ACCEPTED)


def named_cluster(who: Who, key: str) -> Cluster:
    """A cluster by its id or name; Http404 when it is not there or not to be seen."""
    held = access.holdings(who)
    found = access.visible(held, Cluster).filter(name=key).first()
    return found if found is not None else access.get_or_404(held, Cluster, key)
