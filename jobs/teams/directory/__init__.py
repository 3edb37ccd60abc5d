"""Sign-in with the name and password of an LDAP directory: `search` asks it, `backend` adds it to the site's sign-in.

An application of its own, because allauth finds the `provider` of an account by its application. Without
MATTING_LDAP_URL nothing of it is used, and python-ldap need not be installed.
"""
