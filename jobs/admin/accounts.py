"""Admin pages of users and groups."""

from __future__ import annotations

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401
import django_rq.admin  # noqa: F401  these three register the models that are unregistered below
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django_rq.models import Dashboard
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from jobs.admin.base import AuditedAdmin

# Hide the queues' own pages: the dashboard shows the queues, and emptying a queue there would bypass the database,
# which stores every job's state. Users manage their own e-mail addresses and second factors; staff set passwords and
# deactivate users on the user's page.
for model in (User, Group, EmailAddress, Authenticator, Dashboard):
    admin.site.unregister(model)


@admin.register(User)
class PeopleAdmin(AuditedAdmin, UserAdmin):
    """Admin pages of users.

    A user cannot be deleted, only deactivated, so that jobs keep the name of their user.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Group)
class RoleAdmin(AuditedAdmin, GroupAdmin):
    """Admin pages of groups.

    The site itself creates the groups Operator, Auditor and Team manager (see `jobs.teams.roles`).
    """
