"""Register the admin site by name, because it cannot be imported before the applications are loaded."""

from django.contrib.admin.apps import AdminConfig


class KeylineAdminConfig(AdminConfig):
    default_site = "mattingsite.admin_site.KeylineAdminSite"
