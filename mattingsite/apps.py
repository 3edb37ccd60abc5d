"""The application of the admin site. It names the site's class, which cannot be imported before the apps are loaded."""

from django.contrib.admin.apps import AdminConfig


class KeylineAdminConfig(AdminConfig):
    default_site = "mattingsite.admin_site.KeylineAdminSite"
