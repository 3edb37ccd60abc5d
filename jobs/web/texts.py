"""The translated texts of the scripts (locale/*/LC_MESSAGES/djangojs.po), served as a script.

A script from the site itself needs no exception in the content security policy, and `makemessages -d djangojs` finds
each text in the script that uses it.
"""

from __future__ import annotations

from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from django.views.i18n import JavaScriptCatalog

# Pages request it again, because the language may have changed; with the ETag the response is usually 304.
catalogue = cache_control(no_cache=True)(conditional_page(JavaScriptCatalog.as_view(packages=["jobs"])))
