"""What the admin site calls things, in the reader's language.

Models name what pages show; what only the admin site shows has Django's own names for it, made of
the names in the code. Here these, the names of other packages' models and the words of the theme
become texts that can be translated, without a migration for each word.
"""

from django.apps import apps
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_noop as _

FIELDS = (
    _("actor"),
    _("app version"),
    _("at"),
    _("cancel requested"),
    _("certificate expires"),
    _("chart"),
    _("chart version"),
    _("cluster"),
    _("connection version"),
    _("content type"),
    _("cpu"),
    _("cpu allocatable"),
    _("cpu requested"),
    _("cpu used"),
    _("created"),
    _("created by"),
    _("credential kind"),
    _("description"),
    _("detail"),
    _("due"),
    _("epoch"),
    _("error"),
    _("expires"),
    _("expiry"),
    _("facts"),
    _("fence"),
    _("finished"),
    _("group"),
    _("has metrics"),
    _("health"),
    _("heartbeat"),
    _("images"),
    _("kind"),
    _("labels"),
    _("memory"),
    _("memory allocatable"),
    _("memory requested"),
    _("memory used"),
    _("metrics reason"),
    _("n"),
    _("namespace"),
    _("namespaced"),
    _("node"),
    _("object id"),
    _("observed at"),
    _("operation"),
    _("owner"),
    _("owner kind"),
    _("owner name"),
    _("permission"),
    _("plural"),
    _("pods"),
    _("polled at"),
    _("ready"),
    _("reason"),
    _("requested by"),
    _("resource version"),
    _("restarts"),
    _("result"),
    _("revision"),
    _("rights"),
    _("sampled at"),
    _("scope"),
    _("scope id"),
    _("scope type"),
    _("since"),
    _("size"),
    _("started"),
    _("state"),
    _("status"),
    _("status reason"),
    _("status since"),
    _("system uid"),
    _("target"),
    _("text"),
    _("uid"),
    _("updated"),
    _("uploaded by"),
    _("user"),
    _("version"),
    _("wanted"),
    _("worker"),
)

# One row, and many.
MODELS = {
    _("auth token"): _("auth tokens"),
    _("capacity"): _("capacities"),
    _("custom resource"): _("custom resources"),
    _("group object permission"): _("group object permissions"),
    _("image"): _("images"),
    _("kind state"): _("kind states"),
    _("lease"): _("leases"),
    _("log line"): _("log lines"),
    _("object"): _("objects"),
    _("poll due"): _("next polls"),
    _("release list"): _("release lists"),
    _("tally"): _("tallies"),
    _("user object permission"): _("user object permissions"),
    _("watcher"): _("watchers"),
}
APPS = {
    "guardian": _("Object permissions"),
    "knox": _("API tokens"),
}
# django-unfold has no translations.
THEME = (
    _("Add new item"),
    _("Add row"),
    _("All applications"),
    _("Apply Filters"),
    _("Change History"),
    _("Collapse"),
    _("Dark"),
    _("Date from"),
    _("Date to"),
    _("Expand row"),
    _("False"),
    _("From"),
    _("General"),
    _("Go back"),
    _("Group permissions"),
    _("Light"),
    _("Loading more results..."),
    _("More actions"),
    _("New"),
    _("Next"),
    _("No results found"),
    _("No results matching your query"),
    _("Previous"),
    _("Reset filters"),
    _("Return to site"),
    _("Run"),
    _("Search apps and models..."),
    _("Select action"),
    _("Select action to run"),
    _("Select all rows"),
    _("Select record"),
    _("Select value"),
    _("System"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("To"),
    _("True"),
    _("Type to search"),
    _("User permissions"),
    _("Value"),
)


def make_translatable() -> None:
    """Called once, when all models are there."""
    for model in apps.get_models():
        meta = model._meta
        if meta.verbose_name in MODELS:
            meta.verbose_name_plural = gettext_lazy(MODELS[str(meta.verbose_name)])
            meta.verbose_name = gettext_lazy(str(meta.verbose_name))
        for field in meta.local_fields:
            if field.verbose_name in FIELDS:
                field.verbose_name = gettext_lazy(str(field.verbose_name))
    for label, name in APPS.items():
        apps.get_app_config(label).verbose_name = gettext_lazy(name)
