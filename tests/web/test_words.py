"""Tests that the names of roles, scopes, events, APIs, stages and notes are in the user's language."""

from __future__ import annotations

from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from jobs.models import Invitation, Job, JobImage, Membership, Scope, Webhook, WebhookDelivery
from jobs.teams.invitations import invitation_create
from jobs.web import words
from jobs.webhooks.endpoints import webhook_update
from tests.cast import Person
from tests.quota.actions import submit

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
CHOICES = [Membership.Role, Scope, Job.Dialect, Webhook.Event, WebhookDelivery.Status]


def read(person: Person, page: str, *args: object) -> str:
    return person.browser().get(reverse(page, args=args), headers=CHINESE).content.decode()


def test_every_name_that_pages_show_is_in_the_catalogue():
    catalogue = Path(settings.BASE_DIR) / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    known = {entry.msgid for entry in polib.pofile(str(catalogue))}

    with translation.override("en"):
        names = {str(label) for kind in CHOICES for label in kind.labels}
        names |= {str(name) for group in (words.STATUSES, words.SUBJECTS, words.STAGES) for name in group.values()}

    assert names | set(words.SENTENCES) <= known


@pytest.mark.parametrize("kind", CHOICES, ids=lambda kind: kind.__qualname__)
def test_the_names_of_choices_follow_the_reader(kind):
    with translation.override("en"):
        english = [str(label) for label in kind.labels]
    with translation.override("zh-hans"):
        chinese = [str(label) for label in kind.labels]

    assert chinese != english


def test_figures_of_a_note_survive_translation():
    with translation.override("zh-hans"):
        said = words.sentence_said("animated: first of 12 frames used")
        assert "12" in said
        assert "animated" not in said
        assert "6" in words.sentence_said("rotated: EXIF orientation 6")
        assert words.sentence_said("depth: 16-bit gray scaled to 8 bits").startswith("位深")
        assert words.sentence_said("100 % unheard of") == "100 % unheard of"
        assert words.sentence_said("") == ""
    with translation.override("en"):
        assert words.sentence_said("rotated: EXIF orientation 6") == "rotated: EXIF orientation 6"


@pytest.mark.django_db
def test_an_invitation_and_the_team_name_roles_in_chinese(alice: Person, bob: Person):
    invitation, token = invitation_create(actor=alice.actor, role="admin")

    assert "您被邀请的角色是 管理员。" in read(bob, "site:invitation", token)
    team = read(bob, "site:team")
    assert "所有者" in team
    assert "Owner" not in team
    assert Invitation.objects.get(pk=invitation.pk).role == "admin"


@pytest.mark.django_db
def test_keys_name_their_scopes_in_chinese(alice: Person):
    page = read(alice, "site:keys")

    assert "提交图片" in page
    assert "Submit pictures" not in page
    assert "submit, read" not in page
    assert "读取任务和结果、" in page or "、读取任务和结果" in page


@pytest.mark.django_db
def test_webhooks_name_events_states_and_reasons_in_chinese(alice: Person):
    webhook = Webhook.objects.create(
        team=alice.team, url="https://shop.example/", events=["job.failed"], secret="whsec_"
    )
    webhook_update(actor=alice.actor, webhook=webhook, is_enabled=False)
    WebhookDelivery.objects.create(
        webhook=webhook, event="job.failed", url=webhook.url, message_id="msg_1", status="succeeded"
    )

    page = read(alice, "site:webhooks")

    for word in ("任务失败", "已由团队停用。", "成功"):
        assert word in page
    for word in ("Job Failed", "Job Succeeded", "Switched off", "Succeeded<"):
        assert word not in page


@pytest.mark.django_db
def test_the_gallery_names_doors_in_chinese(alice: Person):
    page = read(alice, "site:gallery")

    assert "百度" in page
    assert "命令行" in page
    assert ">Native<" not in page


@pytest.mark.django_db
def test_the_facts_of_a_picture_are_named_in_chinese(alice: Person):
    job = submit(alice)
    JobImage.objects.filter(job=job).update(
        subject="object",
        timings_ms={"queue": 1.0, "decode": 2.0, "model": 3.0, "post": 4.0, "new": 5.0},
        notes=["rotated: EXIF orientation 6"],
    )

    page = read(alice, "site:job", job.id)

    for word in ("<dd>物品</dd>", "<dt>排队</dt>", "<dt>读取</dt>", "<dt>抠图</dt>", "<dt>new</dt>", "EXIF 方向 6"):
        assert word in page
    assert "<dt>model</dt>" not in page
