from django.urls import path

from clusters.api import figures, registry
from clusters.api.identity import Identity, IdentityCheck, IdentityManifest
from clusters.api.manifest import Manifest
from clusters.views import cluster, fleet, grants, identity, kinds, manifest, registration

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
]
