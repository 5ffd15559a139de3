"""The shapes of what the REST API tells of one object, for the schema."""

from typing import Any

from rest_framework import serializers

from clusters.models import Freshness
from explorer.api.shapes import OwnerSerializer
from explorer.filters.relations import RELATIONS
from explorer.filters.words import HEALTH


class EventShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    type = serializers.CharField(help_text="`Normal` or `Warning`.")
    reason = serializers.CharField()
    message = serializers.CharField()
    count = serializers.IntegerField()
    # DRF takes declared fields out of the class, so its own `source` stays.
    source = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField(help_text="Of the object that it is about.")
    name = serializers.CharField()
    namespace = serializers.CharField(help_text="Of the event.")
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()


class EventsShape(serializers.Serializer[Any]):
    events = EventShape(many=True)


class EvidenceShape(serializers.Serializer[Any]):
    # As above.
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=["field", "condition", "container", "event", "answer"]
    )
    place = serializers.CharField(help_text="The path in the object, or the event's reason.")
    text = serializers.CharField(help_text="In the cluster's own words.")
    since = serializers.DateTimeField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    times = serializers.IntegerField()


class CauseShape(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="A stable word for the cause, such as `image_unknown`.")
    kind = serializers.CharField(help_text="Of the object that it is true of.")
    namespace = serializers.CharField()
    name = serializers.CharField()
    container = serializers.CharField(help_text="Empty where all of the object is meant.")
    text = serializers.CharField(help_text="What is wrong, in the caller's language.")
    advice = serializers.CharField(help_text="What to do about it.")
    since = serializers.DateTimeField(allow_null=True)
    urgent = serializers.BooleanField(help_text="Waiting does not mend it.")
    pods = serializers.IntegerField(help_text="Of how many pods of a workload it is true.")
    facts = serializers.DictField(child=serializers.CharField())
    evidence = EvidenceShape(many=True)


class UnknownShape(serializers.Serializer[Any]):
    part = serializers.CharField()
    name = serializers.CharField()
    text = serializers.CharField()
    reason = serializers.CharField()


class ConditionShape(serializers.Serializer[Any]):
    type = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    message = serializers.CharField()
    health = serializers.ChoiceField(choices=list(HEALTH.items()))
    since = serializers.DateTimeField(allow_null=True)


class LastRunShape(serializers.Serializer[Any]):
    reason = serializers.CharField()
    exitCode = serializers.IntegerField()  # noqa: N815 (its name)
    signal = serializers.IntegerField()
    message = serializers.CharField()
    started = serializers.DateTimeField(allow_null=True)
    finished = serializers.DateTimeField(allow_null=True)


class ContainerShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["container", "init", "sidecar", "ephemeral"])
    image = serializers.CharField()
    state = serializers.CharField()
    message = serializers.CharField()
    health = serializers.ChoiceField(choices=list(HEALTH.items()))
    ready = serializers.BooleanField()
    restarts = serializers.IntegerField()
    since = serializers.DateTimeField(allow_null=True)
    exitCode = serializers.IntegerField(allow_null=True)  # noqa: N815 (its name)
    requests = serializers.DictField(child=serializers.CharField())
    limits = serializers.DictField(child=serializers.CharField())
    lastRun = LastRunShape(allow_null=True)  # noqa: N815 (its name)


class ImagesShape(serializers.Serializer[Any]):
    old = serializers.CharField()
    new = serializers.CharField()


class ChangeShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    name = serializers.CharField()
    revision = serializers.CharField()
    at = serializers.DateTimeField()
    first = serializers.BooleanField()
    images = ImagesShape(many=True)


class ObjectWhyShape(serializers.Serializer[Any]):
    causes = CauseShape(many=True, help_text="None: nothing is wrong with it.")
    unknown = UnknownShape(many=True, help_text="What could not be looked at, and why.")
    owner = OwnerSerializer(allow_null=True, help_text="In what its template stands.")
    conditions = ConditionShape(many=True)
    containers = ContainerShape(many=True)
    deletedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)
    finalizers = serializers.ListField(child=serializers.CharField())
    change = ChangeShape(allow_null=True, help_text="The newest revision of its Deployment.")
    readAt = serializers.DateTimeField()  # noqa: N815 (its name)


class YamlShape(serializers.Serializer[Any]):
    yaml = serializers.CharField()
    managedFields = serializers.CharField(help_text="As YAML; kept out of it.")  # noqa: N815
    hidden = serializers.IntegerField(help_text="How many values of a Secret are hidden.")
    resourceVersion = serializers.CharField()  # noqa: N815 (its name)
    readAt = serializers.DateTimeField()  # noqa: N815 (its name)


class RelativeShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    id = serializers.IntegerField(allow_null=True, help_text="null: not stored, or not to see.")
    status = serializers.CharField()
    health = serializers.ChoiceField(choices=list(HEALTH.items()))
    freshness = serializers.ChoiceField(choices=Freshness.choices, allow_null=True)
    observedAt = serializers.DateTimeField(  # noqa: N815 (its name)
        allow_null=True, help_text="Until when this was known to be the cluster's state."
    )


class GroupShape(serializers.Serializer[Any]):
    relation = serializers.ChoiceField(choices=list(RELATIONS.items()))
    # DRF takes declared fields out of the class, so its own `label` stays.
    label = serializers.CharField()  # type: ignore[assignment]
    objects = RelativeShape(many=True)
    more = serializers.IntegerField(help_text="How many are not told of.")


class ListedShape(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    url = serializers.CharField()
    n = serializers.IntegerField()


class UnreadShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    text = serializers.CharField()
    reason = serializers.CharField()


class ProblemShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()
    advice = serializers.CharField()


class RelatedShape(serializers.Serializer[Any]):
    groups = GroupShape(many=True)
    ownsMore = serializers.BooleanField()  # noqa: N815 (its name)
    lists = ListedShape(many=True, help_text="Of what is on a node, or in a namespace.")
    unread = UnreadShape(many=True)
    problem = ProblemShape(allow_null=True)
    readAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)


class ValueShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    text = serializers.CharField(allow_null=True, help_text="null for what is no text.")
    base64 = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")


class RevealedShape(serializers.Serializer[Any]):
    values = ValueShape(many=True)
