"""The app configuration of the admin site.

It names the class of the admin site, because this class cannot be imported before the apps are loaded.
"""

from django.contrib.admin.apps import AdminConfig


class KeylineAdminConfig(AdminConfig):
    default_site = "mattingsite.admin_site.KeylineAdminSite"
