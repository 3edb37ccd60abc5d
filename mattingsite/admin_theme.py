"""The admin site's theme: name, colours and side bar. django-unfold reads them from settings.UNFOLD."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def _may(*permissions: str) -> Callable[[HttpRequest], bool]:
    return lambda request: any(request.user.has_perm(permission) for permission in permissions)


def _item(title: str | Promise, icon: str, page: str, permission: str) -> dict[str, object]:
    link = reverse_lazy(f"admin:{page}")
    return {"title": title, "icon": icon, "link": link, "permission": _may(permission)}


# The site's accent, #0a7657, as a scale from light to dark.
_GREEN = {
    "50": "oklch(97.5% .018 166)",
    "100": "oklch(94% .04 166)",
    "200": "oklch(88.5% .072 165)",
    "300": "oklch(81% .105 164)",
    "400": "oklch(71% .125 163)",
    "500": "oklch(60% .12 164)",
    "600": "oklch(50.5% .105 165)",
    "700": "oklch(44% .09 166)",
    "800": "oklch(37% .072 167)",
    "900": "oklch(31% .058 168)",
    "950": "oklch(22% .042 170)",
}

# Greys with a little of the same green, so that the theme and the site match in light and dark.
_GRAY = {
    "50": "oklch(98.4% .003 165)",
    "100": "oklch(96.6% .004 165)",
    "200": "oklch(92.4% .006 165)",
    "300": "oklch(87% .008 165)",
    "400": "oklch(71% .012 165)",
    "500": "oklch(52% .013 165)",
    "600": "oklch(45% .013 165)",
    "700": "oklch(37.5% .012 165)",
    "800": "oklch(28% .01 165)",
    "900": "oklch(21% .008 165)",
    "950": "oklch(14% .006 165)",
}

UNFOLD = {
    "SITE_TITLE": "Keyline",
    "SITE_HEADER": "Keyline",
    "SITE_SUBHEADER": _("Administration"),
    "SITE_ICON": lambda request: static("mark.svg"),
    "SITE_URL": "/",
    "SHOW_HISTORY": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "COLORS": {"base": _GRAY, "primary": _GREEN},
    "STYLES": [lambda request: static("admin/keyline.css")],
    "SCRIPTS": [lambda request: static("admin/accessible.js")],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("mark.svg")},
    ],
    "DASHBOARD_CALLBACK": "jobs.admin.dashboard.dashboard",
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    {"title": _("Dashboard"), "icon": "monitoring", "link": reverse_lazy("admin:index")},
                    _item(_("Jobs"), "photo_library", "jobs_job_changelist", "jobs.view_job"),
                    _item(_("Failed pictures"), "report", "jobs_failedpicture_changelist", "jobs.view_jobimage"),
                    _item(_("Audit trail"), "fact_check", "jobs_auditentry_changelist", "jobs.view_auditentry"),
                ]
            },
            {
                "title": _("Teams"),
                "separator": True,
                "items": [
                    _item(_("Teams and quotas"), "groups", "jobs_team_changelist", "jobs.view_team"),
                    _item(_("Keys"), "key", "jobs_apikey_changelist", "jobs.view_apikey"),
                    _item(_("Invitations"), "mail", "jobs_invitation_changelist", "jobs.view_invitation"),
                    _item(_("Usage"), "receipt_long", "jobs_usageentry_changelist", "jobs.view_usageentry"),
                ],
            },
            {
                "title": _("Delivery"),
                "separator": True,
                "items": [
                    _item(
                        _("Watched folders"), "folder_eye", "jobs_watchedfolder_changelist", "jobs.view_watchedfolder"
                    ),
                    _item(_("Webhooks"), "webhook", "jobs_webhook_changelist", "jobs.view_webhook"),
                    _item(_("Messages"), "outbox", "jobs_webhookdelivery_changelist", "jobs.view_webhookdelivery"),
                    _item(_("Models"), "neurology", "jobs_modelversion_changelist", "jobs.view_modelversion"),
                ],
            },
            {
                "title": _("People"),
                "separator": True,
                "items": [
                    _item(_("Users"), "person", "auth_user_changelist", "auth.view_user"),
                    _item(_("Roles"), "badge", "auth_group_changelist", "auth.view_group"),
                ],
            },
        ],
    },
}
