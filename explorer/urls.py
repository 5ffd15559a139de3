from django.urls import path

from explorer.api import acting as acting_api
from explorer.api import completion, files, logs, objects, search, views
from explorer.api import details as api
from explorer.views import acting, details, lists, looking, menu, saved, selection
from explorer.views import logs as log_views
from explorer.views import terminal as terminals

urlpatterns = [
    path("pods/", lists.pods, name="pods"),
    path("pods/rows/", lists.PodRows.as_view(), name="pod-rows"),
    path("pods/<int:pk>/", details.pod, name="pod-detail"),
    path("objects/", menu.kinds, name="objects"),
    path("objects/rows/", lists.ObjectRows.as_view(), name="object-rows"),
    path("objects/<int:pk>/", details.detail, name="object-detail"),
    path("objects/<int:pk>/why/", looking.why, name="object-why"),
    path("objects/<int:pk>/related/", looking.related, name="object-related"),
    path("objects/<int:pk>/yaml/", looking.yaml, name="object-yaml"),
    path("objects/<int:pk>/reveal/", looking.reveal, name="object-reveal"),
    path("objects/<str:kind>/", lists.objects, name="object-list"),
    path("objects/<str:kind>/columns/", saved.choose_columns, name="object-columns"),
    path("objects/<str:kind>/keys/", selection.keys, name="object-keys"),
    path("objects/<str:kind>/csv/", selection.as_csv, name="object-csv"),
    path("actions/<str:name>/", acting.act, name="object-act"),
    path("operations/<uuid:pk>/undo/", acting.undo, name="operation-undo"),
    path("views/new/", saved.create, name="view-create"),
    path("views/<int:pk>/edit/", saved.edit, name="view-edit"),
    path("views/<int:pk>/delete/", saved.delete, name="view-delete"),
    path("logs/", log_views.logs, name="logs"),
    path("logs/file/", log_views.log_file, name="log-file"),
    path("terminal/<int:pk>/", terminals.terminal, name="terminal"),
    path("terminal/<int:pk>/containers/", terminals.containers, name="terminal-containers"),
    path("api/v1/objects", objects.ObjectList.as_view(), name="api-objects"),
    path("api/v1/objects/complete", completion.Complete.as_view(), name="api-objects-complete"),
    path("api/v1/objects/export.csv", files.Export.as_view(), name="api-objects-csv"),
    path("api/v1/objects/<int:pk>", api.ObjectDetail.as_view(), name="api-object"),
    path("api/v1/objects/<int:pk>/why", api.ObjectWhy.as_view(), name="api-object-why"),
    path("api/v1/objects/<int:pk>/yaml", api.ObjectYaml.as_view(), name="api-object-yaml"),
    path("api/v1/objects/<int:pk>/related", api.ObjectRelated.as_view(), name="api-object-related"),
    path("api/v1/objects/<int:pk>/events", api.ObjectEvents.as_view(), name="api-object-events"),
    path("api/v1/objects/<int:pk>/reveal", api.ObjectReveal.as_view(), name="api-object-reveal"),
    path("api/v1/search", search.Search.as_view(), name="api-search"),
    path(
        "api/v1/objects/<int:pk>/actions",
        acting_api.ObjectActions.as_view(),
        name="api-object-actions",
    ),
    path("api/v1/actions", acting_api.Actions.as_view(), name="api-actions"),
    path("api/v1/objects/<int:pk>/logs", logs.ObjectLogs.as_view(), name="api-object-logs"),
    path("api/v1/views", views.ViewList.as_view(), name="api-views"),
    path("api/v1/views/<int:pk>", views.ViewDetail.as_view(), name="api-view"),
]
