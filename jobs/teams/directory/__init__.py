"""Sign-in with the user name and password of an LDAP directory.

`search` queries the directory. `backend` checks the password that the sign-in form sends. This package is a Django app,
because allauth imports `provider` only from installed apps. If MATTING_LDAP_URL is not set, python-ldap is not needed.
"""
