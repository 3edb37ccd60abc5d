"""Sign-in with the name and password of an LDAP directory: `search` queries it, `backend` adds it to the sign-in form.

This is a separate application, because allauth finds the `provider` of an account by its application. Without
MATTING_LDAP_URL nothing of it is used, and python-ldap need not be installed.
"""
