"""Tests of the page's list of qualities. Its entries depend on the role: a role may have its own fine model, or none.

A role is what a model cuts out, for example subjects or people.
"""

from __future__ import annotations

import json
import re

import pytest

from jobs.models import Job, JobImage, ModelVersion, Role, Status, Tier
from tests.cast import Person

pytestmark = pytest.mark.django_db


def activate(role: Role) -> None:
    ModelVersion.objects.create(role=role, tier=Tier.FINE, name="large", path="l.onnx", sha256="1", is_active=True)


def options_of(page: str) -> dict[str, tuple[str, bool]]:
    """Return for each quality in the page's list its roles, and whether the page disables it."""
    found = re.findall(r'<option\s+value="(fast|fine|auto)"\s+data-roles="([^"]*)"([^>]*)>', page)
    return {value: (roles, "disabled" in rest) for value, roles, rest in found}


@pytest.mark.parametrize(
    ("role", "is_disabled"), [(Role.SUBJECT, False), (Role.PEOPLE, True)], ids=["subject", "people"]
)
def test_each_quality_names_the_roles_that_offer_it(alice: Person, role: Role, is_disabled: bool) -> None:
    activate(role)

    choices = options_of(alice.browser().get("/").content.decode())

    assert choices == {
        "fast": ("subject prompts people", False),
        "fine": (role, is_disabled),
        "auto": (role, is_disabled),
    }


def test_the_editor_knows_which_roles_have_a_fine_model(alice: Person) -> None:
    activate(Role.SUBJECT)
    job = Job.objects.create(team=alice.team, dialect=Job.Dialect.WEB, options={}, images_total=1)
    JobImage.objects.create(job=job, status=Status.SUCCEEDED)

    page = alice.browser().get(f"/jobs/{job.id}/").content.decode()

    found = re.search(r'id="fine-roles" type="application/json">(.*?)</script>', page)
    assert found is not None
    assert json.loads(found[1]) == ["subject"]
