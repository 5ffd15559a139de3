"""The look of the admin site, as django-unfold reads it; see mcm/administration.py."""

UNFOLD = {
    "SITE_TITLE": "MCM",
    "SITE_HEADER": "MCM",
    "SITE_SYMBOL": "hub",
    "SHOW_LANGUAGES": True,
    "STYLES": ["/static/admin.css"],
    "SCRIPTS": ["/static/admin.js"],
}
