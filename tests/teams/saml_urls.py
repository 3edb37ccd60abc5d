"""URL configuration for the SAML tests: the site's routes and the SAML routes.

The site itself adds the SAML routes only if a SAML provider is configured.
"""

from __future__ import annotations

from django.urls import include, path

from mattingsite.urls import handler404
from mattingsite.urls import urlpatterns as of_site

__all__ = ["handler404", "urlpatterns"]

urlpatterns = [path("accounts/", include("allauth.socialaccount.providers.saml.urls")), *of_site]
