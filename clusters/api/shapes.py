"""The shapes of answers about clusters, for the schema."""

from typing import Any

from rest_framework import serializers

from clusters.models import Environment, Freshness, IdentityMode, Status
from teams.roles import Action, Level, Role


class ClusterShape(serializers.Serializer[Any]):
    """Of `cluster_json`."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    environment = serializers.ChoiceField(choices=Environment.choices)
    region = serializers.CharField()
    version = serializers.CharField()
    nodeCount = serializers.IntegerField()  # noqa: N815 (its name)
    identityMode = serializers.ChoiceField(choices=IdentityMode.choices)  # noqa: N815 (its name)
    status = serializers.ChoiceField(choices=Status.choices)
    statusReason = serializers.CharField()  # noqa: N815 (its name)
    freshness = serializers.ChoiceField(choices=Freshness.choices)
    observedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)


class ClustersShape(serializers.Serializer[Any]):
    clusters = ClusterShape(many=True)
    total = serializers.IntegerField()


class MessageShape(serializers.Serializer[Any]):
    message = serializers.CharField()


class StatsShape(serializers.Serializer[Any]):
    nodeCount = serializers.IntegerField()  # noqa: N815 (its name)
    podCount = serializers.IntegerField()  # noqa: N815 (its name)
    namespaceCount = serializers.IntegerField()  # noqa: N815 (its name)
    runningPods = serializers.IntegerField()  # noqa: N815 (its name)
    pendingPods = serializers.IntegerField()  # noqa: N815 (its name)
    failedPods = serializers.IntegerField()  # noqa: N815 (its name)
    succeededPods = serializers.IntegerField()  # noqa: N815 (its name)
    freshness = serializers.ChoiceField(choices=Freshness.choices)
    observedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)


class NodeUseShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    cpu = serializers.IntegerField(help_text="Millicores.")
    memory = serializers.IntegerField(help_text="MiB.")


class PodUseShape(NodeUseShape):
    namespace = serializers.CharField()


class ResourcesShape(serializers.Serializer[Any]):
    nodes = NodeUseShape(many=True)
    pods = PodUseShape(many=True)


class UsageShape(serializers.Serializer[Any]):
    scope = serializers.ChoiceField(choices=["cluster", "node", "namespace", "pod"])
    namespace = serializers.CharField()
    name = serializers.CharField()
    hours = serializers.IntegerField()
    times = serializers.ListField(child=serializers.IntegerField(), help_text="Unix seconds.")
    cpu = serializers.ListField(
        child=serializers.IntegerField(allow_null=True), help_text="Millicores; null: not known."
    )
    memory = serializers.ListField(
        child=serializers.IntegerField(allow_null=True), help_text="MiB; null: not known."
    )
    cpuAllocatable = serializers.IntegerField(allow_null=True)  # noqa: N815 (its name)
    memoryAllocatable = serializers.IntegerField(allow_null=True)  # noqa: N815 (its name)


class WhyShape(serializers.Serializer[Any]):
    """Of `why_json`."""

    id = serializers.IntegerField()
    team = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    ends = serializers.DateTimeField(allow_null=True)


class GrantShape(WhyShape):
    cluster = serializers.CharField()
    clusterId = serializers.UUIDField()  # noqa: N815 (its name)
    namespace = serializers.CharField(help_text="Empty: the whole cluster.")
    created = serializers.DateTimeField()


class GrantsShape(serializers.Serializer[Any]):
    grants = GrantShape(many=True)
    total = serializers.IntegerField()


class ActionsShape(serializers.Serializer[Any]):
    user = serializers.CharField()
    actions = serializers.ListField(child=serializers.ChoiceField(choices=Action.choices))


class EffectShape(ActionsShape):
    gained = serializers.ListField(child=serializers.ChoiceField(choices=Action.choices))
    lost = serializers.ListField(child=serializers.ChoiceField(choices=Action.choices))


class EffectsShape(serializers.Serializer[Any]):
    effects = EffectShape(many=True)


class ClusterPersonShape(ActionsShape):
    userId = serializers.IntegerField()  # noqa: N815 (its name)
    namespace = serializers.CharField(help_text="Empty: the whole cluster.")
    grants = WhyShape(many=True)
    mayRevoke = serializers.BooleanField()  # noqa: N815 (its name)


class ClusterPeopleShape(serializers.Serializer[Any]):
    people = ClusterPersonShape(many=True)
    total = serializers.IntegerField()
    platformAdmins = serializers.ListField(child=serializers.CharField())  # noqa: N815 (its name)


class HoldingShape(serializers.Serializer[Any]):
    cluster = serializers.CharField()
    clusterId = serializers.UUIDField()  # noqa: N815 (its name)
    namespace = serializers.CharField(help_text="Empty: the whole cluster.")
    actions = serializers.ListField(child=serializers.ChoiceField(choices=Action.choices))
    grants = WhyShape(many=True)


class PersonTeamShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    manager = serializers.BooleanField()


class PersonShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.CharField()
    active = serializers.BooleanField()
    platformAdmin = serializers.BooleanField()  # noqa: N815 (its name)
    teams = PersonTeamShape(many=True)
    holdings = HoldingShape(many=True)


class TokenShape(serializers.Serializer[Any]):
    """Of `token_json`."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(choices=Level.choices)
    clusters = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="null: all that its owner sees."
    )
    created = serializers.DateTimeField()
    expires = serializers.DateTimeField(allow_null=True)
    lastUsed = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)
    lastAddress = serializers.IPAddressField(allow_null=True)  # noqa: N815 (its name)


class TokensShape(serializers.Serializer[Any]):
    tokens = TokenShape(many=True)
    total = serializers.IntegerField()


class NewTokenShape(TokenShape):
    token = serializers.CharField(help_text="The token itself, never told again.")
