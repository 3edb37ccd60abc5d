"""Placeholder, filled in below."""
from rest_framework.permissions import BasePermission as HasScope
from rest_framework.authentication import BaseAuthentication as KeyAuthentication, SessionAuthentication as BrowserSession
