"""`/api/v1/objects/{id}/edit` and `/api/v1/apply`: objects written as YAML."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.kube.edited import documents
from clusters.kube.edited.contents import Line
from clusters.kube.edited.merging import GONE, Overlap
from clusters.kube.opened.text import written
from clusters.models import Cluster, Namespace, Object
from explorer.api.acting import KEY, key_of, queued
from explorer.api.details import refused
from explorer.services import applying, editing
from explorer.services.applying import Asked, Planned
from explorer.services.clashes import Clash, Draft
from explorer.services.editing import Problem
from operations.api import AcceptedShape
from teams import access
from teams.api import caller
from teams.roles import Action
from teams.serializers import StrictSerializer
from teams.throttles import Costly, Throttle


def _yaml(**more: Any) -> serializers.CharField:
    return serializers.CharField(max_length=documents.LARGEST, trim_whitespace=False, **more)


class EditableShape(serializers.Serializer[Any]):
    """An object as it may be edited."""

    yaml = serializers.CharField(help_text="Without status; values of Secrets are hidden.")
    resourceVersion = serializers.CharField()  # noqa: N815 (its name)
    readAt = serializers.DateTimeField()  # noqa: N815


class EditSerializer(StrictSerializer):
    """The body of `PUT /api/v1/objects/{id}/edit`."""

    yaml = _yaml()
    base = _yaml(
        required=False,
        help_text="The YAML that was edited, as the GET gave it: by it changes of others are told"
        " from one's own.",
    )
    resourceVersion = serializers.CharField(max_length=64)  # noqa: N815
    dryRun = serializers.BooleanField(default=False)  # noqa: N815


class PreviewShape(serializers.Serializer[Any]):
    """What would become of an object."""

    changed = serializers.ListField(child=serializers.CharField(), help_text="Fields.")
    diff = serializers.CharField(help_text="By line; values of Secrets are hidden.")


class ClashShape(serializers.Serializer[Any]):
    """Others have changed the object: the three documents and what fits together of them."""

    error = serializers.CharField()
    base = serializers.CharField(allow_null=True)
    mine = serializers.CharField()
    theirs = serializers.CharField()
    resourceVersion = serializers.CharField(help_text="Of theirs.")  # noqa: N815
    merged = serializers.CharField(allow_null=True, help_text="Theirs where both changed a field.")
    overlaps = serializers.ListField(child=serializers.DictField())


class ApplySerializer(StrictSerializer):
    """The body of `POST /api/v1/apply`."""

    clusters = serializers.ListField(
        child=serializers.CharField(max_length=63), min_length=1, max_length=200, help_text="Names."
    )
    yaml = _yaml()
    namespace = serializers.CharField(default="", allow_blank=True, max_length=63)
    force = serializers.BooleanField(
        default=False, help_text="Fields that others manage are taken over."
    )
    # DRF takes declared fields out of the class, so its own `partial` stays.
    partial = serializers.BooleanField(  # type: ignore[assignment]
        default=False, help_text="What cannot be applied is left out; without it nothing is."
    )
    dryRun = serializers.BooleanField(default=False)  # noqa: N815


class WrittenProblemShape(serializers.Serializer[Any]):
    """Something that is wrong with what was written."""

    document = serializers.IntegerField()
    line = serializers.IntegerField(help_text="0 where no line is to blame.")
    field = serializers.CharField()
    text = serializers.CharField()


class PlannedShape(serializers.Serializer[Any]):
    """What would become of one object."""

    cluster = serializers.CharField()
    document = serializers.IntegerField()
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField(
        help_text="created, changed, unchanged; or held, refused, forbidden, late."
    )
    diff = serializers.CharField()
    problems = WrittenProblemShape(many=True)
    owners = serializers.ListField(child=serializers.DictField())


class PlanShape(serializers.Serializer[Any]):
    """What would become of each."""

    objects = PlannedShape(many=True)


class _Writing(APIView):
    """Asks the cluster, as the person."""

    throttle_classes = (Throttle, Costly)
    costly = ("GET", "PUT", "POST")


class ObjectEdit(_Writing):
    @extend_schema(summary="An object to edit", responses=EditableShape)
    def get(self, request: Request, pk: int) -> Response:
        """As it stands in the cluster now."""
        user = caller(request)
        choice = editing.choice(user, access.get_or_404(user, Object, pk))
        try:
            opened = editing.opened(user, choice)
        except editing.FAILURES as error:
            raise refused(error) from error
        draft = opened.draft
        return Response(
            {"yaml": draft.text, "resourceVersion": draft.version, "readAt": opened.at.isoformat()}
        )

    @extend_schema(
        summary="Edit an object",
        request=EditSerializer,
        parameters=[KEY],
        responses={200: PreviewShape, 202: AcceptedShape, 409: ClashShape},
    )
    def put(self, request: Request, pk: int) -> Response:
        """Replaces it, or with `dryRun` tells what would become of it; 409 where others have
        changed it since.
        """
        user = caller(request)
        choice = editing.choice(user, access.get_or_404(user, Object, pk))
        body = EditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        draft = _draft(user, choice, given)
        try:
            found = editing.look(user, choice, draft)
        except editing.Refused as wrong:
            return _wrong(wrong.problems)
        except editing.FAILURES as error:
            raise refused(error) from error
        if isinstance(found, Clash):
            return _clash(found, "base" in given)
        if given["dryRun"]:
            return Response({"changed": found.fields, "diff": _diff(found.lines)})
        return queued(lambda: editing.request(user, choice, found, key_of(request)))


def _draft(user: Any, choice: Any, given: dict[str, Any]) -> Draft:
    """What is sent. Without its base only the version says what was seen."""
    if "base" in given:
        try:
            base = documents.only(given["base"]).data
        except documents.Wrong as wrong:
            raise ValidationError({"base": [_(wrong.reason)]}) from wrong
        return Draft(given["yaml"], base, given["resourceVersion"])
    try:
        now = editing.opened(user, choice).draft
    except editing.FAILURES as error:
        raise refused(error) from error
    seen = now.base if now.version == given["resourceVersion"] else {"metadata": {}}
    return Draft(given["yaml"], seen, given["resourceVersion"])


def _diff(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines)


def _wrong(found: list[Problem]) -> Response:
    """400 with what is wrong, by line and field."""
    text = _("This cannot be stored as it is. Nothing was changed.")
    told = [_problem(each) for each in found]
    body = {"error": text, "fields": {"yaml": [each.text for each in found]}, "problems": told}
    return Response(body, status=status.HTTP_400_BAD_REQUEST)


def _problem(each: Problem) -> dict[str, Any]:
    return {
        "document": each.document, "line": each.line, "field": each.field, "text": each.text
    }  # fmt: skip


def _clash(found: Clash, has_base: bool) -> Response:
    text = _("Others have changed it since you opened it")
    body: dict[str, Any] = {
        "error": text,
        "fields": {},
        "base": written(found.draft.base) if has_base else None,
        "mine": found.draft.text,
        "theirs": found.theirs.text,
        "resourceVersion": found.theirs.version,
        "merged": found.merged if has_base else None,
        "overlaps": [_overlap(each) for each in found.overlaps] if has_base else [],
    }
    return Response(body, status=status.HTTP_409_CONFLICT)


def _overlap(each: Overlap) -> dict[str, Any]:
    """Fields that are not there are left out."""
    sides = {"base": each.base, "mine": each.mine, "theirs": each.theirs}
    return {"path": each.path} | {key: side for key, side in sides.items() if side is not GONE}


class Apply(_Writing):
    @extend_schema(
        summary="Apply YAML to clusters",
        request=ApplySerializer,
        parameters=[KEY],
        responses={200: PlanShape, 202: AcceptedShape},
    )
    def post(self, request: Request) -> Response:
        """Queues one operation with a step for each object in each cluster, or with `dryRun` tells
        what would become of each.
        """
        user = caller(request)
        access.require_anywhere(user, Action.OPERATE, Cluster, Namespace)
        body = ApplySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        planned = _planned(user, given)
        if given["dryRun"]:
            return Response({"objects": [_told(each) for each in planned]})
        good = [each for each in planned if each.good]
        if not good or (len(good) < len(planned) and not given["partial"]):
            text = _("Some of this cannot be applied. Nothing was changed.")
            told = {"error": text, "fields": {}, "objects": [_told(each) for each in planned]}
            return Response(told, status=status.HTTP_400_BAD_REQUEST)
        return queued(lambda: applying.request(user, planned, key_of(request)))


def _planned(user: Any, given: dict[str, Any]) -> list[Planned]:
    names = list(dict.fromkeys(given["clusters"]))
    rows = {each.name: each for each in applying.offered(user).filter(name__in=names)}
    if gone := [name for name in names if name not in rows]:
        text = _("There is no cluster %(name)s in which you may change anything.")
        raise ValidationError({"clusters": [text % {"name": name} for name in gone[:10]]})
    forced = frozenset({"*"} if given["force"] else ())
    asked = Asked(given["yaml"], [rows[name] for name in names], given["namespace"], forced)
    try:
        return applying.plan(user, asked)
    except applying.Unreadable as wrong:
        told = [f"{each.document}:{each.line} {each.field} {each.text}" for each in wrong.problems]
        raise ValidationError({"yaml": told}) from wrong


def _told(each: Planned) -> dict[str, Any]:
    step = each.step
    return {
        "cluster": step.cluster.name,
        "document": each.document,
        "kind": step.kind,
        "namespace": step.namespace,
        "name": step.name,
        "state": each.state,
        "diff": _diff(each.lines),
        "problems": [_problem(one) for one in each.problems],
        "owners": [{"field": name, "text": said} for name, said in each.owners],
    }
