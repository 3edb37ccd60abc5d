"""The translated texts of the JavaScript files, which the site serves as a script.

The texts come from locale/*/LC_MESSAGES/djangojs.po. Because the script comes from the site itself, the content
security policy needs no exception. `makemessages -d djangojs` finds each text in the JavaScript file that uses it.
"""

from __future__ import annotations

from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from django.views.i18n import JavaScriptCatalog

# Pages request it again, because the language may have changed; with the ETag the response is usually 304.
catalogue = cache_control(no_cache=True)(conditional_page(JavaScriptCatalog.as_view(packages=["jobs"])))
