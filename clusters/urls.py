from django.urls import path

from clusters.api import figures, people, registry
from clusters.api import grants as api_grants
from clusters.api import tokens as api_tokens
from clusters.api.identity import Identity, IdentityCheck, IdentityManifest
from clusters.api.manifest import Manifest
from clusters.views import (
    cluster,
    fleet,
    grants,
    identity,
    kinds,
    manifest,
    registration,
    tokens,
)

urlpatterns = [
    path("", fleet.fleet, name="fleet"),
    path("clusters/", fleet.clusters, name="clusters"),
    path("clusters/register/", registration.register, name="cluster-register"),
    path("clusters/manifest/", manifest.manifest, name="cluster-manifest"),
    path("clusters/<uuid:pk>/", cluster.detail, name="cluster-detail"),
    path("clusters/<uuid:pk>/edit/", registration.edit, name="cluster-edit"),
    path("clusters/<uuid:pk>/credentials/", registration.credentials, name="cluster-credentials"),
    path("clusters/<uuid:pk>/kinds/", kinds.kinds, name="cluster-kinds"),
    path("clusters/<uuid:pk>/identity/", identity.identity, name="cluster-identity"),
    path("clusters/<uuid:pk>/identity/mode/", identity.mode, name="cluster-identity-mode"),
    path("clusters/<uuid:pk>/identity/check/", identity.check, name="cluster-identity-check"),
    path("clusters/<uuid:pk>/grants/new/", grants.grant, name="cluster-grant"),
    path("grants/<int:pk>/revoke/", grants.revoke, name="grant-revoke"),
    path("clusters/<uuid:pk>/delete/", registration.delete, name="cluster-delete"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/new/", tokens.create, name="token-create"),
    path("tokens/<uuid:pk>/revoke/", tokens.revoke, name="token-revoke"),
    path("teams/<int:pk>/tokens/", tokens.team_tokens, name="team-tokens"),
    path("teams/<int:pk>/tokens/new/", tokens.create_robot, name="team-token-create"),
    path("api/v1/clusters", registry.ClusterList.as_view(), name="api-clusters"),
    path("api/v1/clusters/manifest", Manifest.as_view(), name="api-cluster-manifest"),
    path("api/v1/clusters/<uuid:pk>", registry.ClusterDetail.as_view(), name="api-cluster"),
    path("api/v1/clusters/<uuid:pk>/identity", Identity.as_view(), name="api-identity"),
    path(
        "api/v1/clusters/<uuid:pk>/identity/manifest",
        IdentityManifest.as_view(),
        name="api-identity-manifest",
    ),
    path(
        "api/v1/clusters/<uuid:pk>/identity/check",
        IdentityCheck.as_view(),
        name="api-identity-check",
    ),
    path("api/v1/clusters/<uuid:pk>/stats", figures.ClusterStats.as_view(), name="api-stats"),
    path(
        "api/v1/clusters/<uuid:pk>/resources",
        figures.ClusterResources.as_view(),
        name="api-resources",
    ),
    path("api/v1/clusters/<uuid:pk>/usage", figures.ClusterUsage.as_view(), name="api-usage"),
    path(
        "api/v1/clusters/<uuid:pk>/grants",
        api_grants.ClusterGrants.as_view(),
        name="api-cluster-grants",
    ),
    path(
        "api/v1/clusters/<uuid:pk>/grants/preview",
        api_grants.GrantPreview.as_view(),
        name="api-grant-preview",
    ),
    path(
        "api/v1/clusters/<uuid:pk>/people",
        api_grants.ClusterPeople.as_view(),
        name="api-cluster-people",
    ),
    path("api/v1/grants/<int:pk>", api_grants.GrantDetail.as_view(), name="api-grant"),
    path("api/v1/grants/<int:pk>/effects", api_grants.GrantEffects.as_view(), name="api-effects"),
    path("api/v1/people/me", people.Me.as_view(), name="api-me"),
    path("api/v1/people/<int:pk>", people.Person.as_view(), name="api-person"),
    path("api/v1/tokens", api_tokens.TokenList.as_view(), name="api-tokens"),
    path("api/v1/tokens/<uuid:pk>", api_tokens.TokenDetail.as_view(), name="api-token"),
    path("api/v1/teams/<int:pk>/tokens", api_tokens.TeamTokens.as_view(), name="api-team-tokens"),
]
