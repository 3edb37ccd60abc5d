"""Tests of the native API: recipes are stored, listed, exported, imported, previewed and applied."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pypdf import PdfReader

from jobs.models import Artifact, Job, Scope
from jobs.teams.keys import key_create
from tests.cast import Person

from .sent import files_of, photo

pytestmark = pytest.mark.django_db

SHOP = {
    "title": "Shop",
    "canvas": {"width_px": 300, "height_px": 200},
    "background": {"type": "color", "color": "#ffffff"},
    "shadow": {"type": "contact"},
    "outputs": [{"format": "jpeg"}, {"format": "psd"}, {"format": "png", "shadow_layer": True}],
}


def stored(person: Person, body: dict[str, Any] | None = None, name: str = "shop") -> Any:
    return person.api().post("/api/recipes/", {"name": name, "recipe": body or SHOP}, "application/json")


def opened(answer: Any) -> Image.Image:
    return Image.open(io.BytesIO(answer.getvalue()))


def finished_job(person: Person, jpeg_bytes: bytes, **fields: Any) -> dict[str, Any]:
    answer = person.api().post("/api/jobs/?wait=5", {"image": photo(jpeg_bytes, "bag.jpg"), **fields})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_a_recipe_is_stored_listed_changed_and_deleted(alice: Person) -> None:
    api = alice.api()

    created = stored(alice)
    changed = api.put("/api/recipes/shop/", SHOP | {"title": "New"}, "application/json")
    listed = api.get("/api/recipes/").json()["results"]
    versions = api.get("/api/recipes/shop/versions").json()
    old = api.get("/api/recipes/shop/?version=1").json()
    deleted = api.delete("/api/recipes/shop/")

    assert (created.status_code, created.json()["version"], changed.json()["version"]) == (201, 1, 2)
    assert (listed[0]["name"], listed[0]["version"], listed[0]["is_builtin"]) == ("shop", 2, False)
    assert "amazon-main" in [one["name"] for one in listed if one["is_builtin"]]
    assert [row["version"] for row in versions] == [2, 1]
    assert old["recipe"]["title"] == "Shop"
    assert deleted.status_code == 204
    assert api.get("/api/recipes/shop/").status_code == 404


def test_a_field_that_is_wrong_is_named(alice: Person) -> None:
    answer = stored(alice, SHOP | {"shadow": {"type": "contact", "strength": 7}})

    assert (answer.status_code, answer.json()["field"]) == (422, "shadow.strength")


@pytest.mark.parametrize("name", ["schema", "amazon-main", "No Spaces"])
def test_names_that_mean_something_else_are_refused(alice: Person, name: str) -> None:
    answer = stored(alice, name=name)

    assert (answer.status_code, answer.json()["field"]) == (422, "name")


def test_an_export_is_what_an_import_takes(alice: Person, charlie: Person) -> None:
    stored(alice)

    exported = alice.api().get("/api/recipes/export").json()
    imported = charlie.api().post("/api/recipes/import", exported, "application/json")

    assert [one["name"] for one in imported.json()["results"]] == ["shop"]
    assert charlie.api().get("/api/recipes/export").json() == exported


def test_another_teams_recipe_does_not_exist(alice: Person, charlie: Person) -> None:
    stored(alice)

    assert charlie.api().get("/api/recipes/shop/").status_code == 404
    assert charlie.api().get("/api/recipes/shop/versions").status_code == 404
    refused = charlie.api().post("/api/jobs/", {"image": photo(b""), "recipe": "shop"})
    assert refused.status_code in (404, 422)


def test_a_key_that_only_reads_stores_no_recipe(alice: Person) -> None:
    _, secret = key_create(team=alice.team, name="reader", scopes=[Scope.READ])
    reader = Client(headers={"Authorization": f"Bearer {secret}"})

    assert reader.get("/api/recipes/").status_code == 200
    assert reader.put("/api/recipes/shop/", SHOP, "application/json").status_code == 403


def test_the_published_schema_accepts_every_built_in_recipe(alice: Person) -> None:
    schema = alice.api().get("/api/recipes/schema").json()

    for one in alice.api().get("/api/recipes/").json()["results"]:
        jsonschema.validate(one["recipe"], schema)


def test_a_job_with_recipes_has_the_files_of_each(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> None:
    stored(alice)

    body = finished_job(alice, jpeg_bytes, recipe=["shop", "taobao-white@1"])

    assert body["recipes"] == [{"name": "shop", "version": 1}, {"name": "taobao-white", "version": 1}]
    names = {file["name"] for file in files_of(body, "finished")}
    assert names == {"bag-shop-1.jpg", "bag-shop-2.psd", "bag-shop-3.png", "bag-taobao-white-1.jpg"}


def test_the_same_picture_with_another_recipe_is_another_request(
    alice: Person, jpeg_bytes: bytes, instant_worker: object
) -> None:
    def sent(recipe: str) -> Any:
        fields = {"image": photo(jpeg_bytes), "recipe": recipe}
        return alice.api().post("/api/jobs/", fields, headers={"Idempotency-Key": "order-1"})

    assert sent("amazon-main").status_code in (200, 202)
    assert sent("amazon-main")["Idempotent-Replayed"] == "true"
    assert sent("ebay").json()["field"] == "Idempotency-Key"


def test_a_picture_response_is_the_finished_picture(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> None:
    answer = alice.api().post(
        "/api/jobs/?recipe=taobao-white", {"image": photo(jpeg_bytes)}, headers={"Accept": "image/jpeg"}
    )

    assert answer["Content-Type"] == "image/jpeg"
    assert opened(answer).size == (800, 800)


def test_an_unknown_recipe_is_refused_before_anything_is_stored(
    alice: Person, jpeg_bytes: bytes, instant_worker: object
) -> None:
    answer = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes), "recipe": "nothing"})

    assert (answer.status_code, answer.json()["field"]) == (404, "recipe")
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("output", "kind"),
    [(1, "image/jpeg"), (2, "image/vnd.adobe.photoshop"), (3, "image/png")],
)
def test_a_variant_by_a_recipe_gives_each_of_its_files(
    alice: Person, jpeg_bytes: bytes, instant_worker: object, output: int, kind: str
) -> None:
    stored(alice)
    job = finished_job(alice, jpeg_bytes)

    url = f"/api/jobs/{job['id']}/variants"
    answer = alice.api().post(url, {"recipe": "shop", "output": output}, "application/json")

    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    assert opened(answer).size == (300, 200)


def test_an_output_that_a_recipe_does_not_have_is_refused(
    alice: Person, jpeg_bytes: bytes, instant_worker: object
) -> None:
    job = finished_job(alice, jpeg_bytes)

    url = f"/api/jobs/{job['id']}/variants"
    answer = alice.api().post(url, {"recipe": "ebay", "output": 2}, "application/json")

    assert (answer.status_code, answer.json()["field"]) == (404, "output")


def test_kept_files_of_a_recipe_belong_to_the_job(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> None:
    stored(alice)
    job = finished_job(alice, jpeg_bytes)

    url = f"/api/jobs/{job['id']}/variants"
    kept = alice.api().post(url, {"recipe": "shop", "keep": True}, "application/json")

    assert kept.status_code == 201
    assert [file["name"] for file in kept.json()["files"]] == ["bag-shop-1.jpg", "bag-shop-2.psd", "bag-shop-3.png"]
    again = alice.api().get(f"/api/jobs/{job['id']}/").json()
    assert len(files_of(again, "finished")) == 3
    assert Image.open(io.BytesIO(alice.api().get(kept.json()["files"][0]["url"]).getvalue())).size == (300, 200)


def test_a_preview_shows_a_recipe_that_is_not_stored(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> None:
    job = finished_job(alice, jpeg_bytes)
    body = SHOP | {"canvas": {"width_px": 4000, "height_px": 2000}}

    on_job = alice.api().post("/api/recipes/preview", {"recipe": body, "job": job["id"]}, "application/json")
    on_sample = alice.api().post("/api/recipes/preview", {"recipe": body, "sample": "cat"}, "application/json")
    clear = alice.api().post("/api/recipes/preview", {"recipe": {"title": "x"}}, "application/json")

    assert opened(on_job).size == (900, 450)
    assert opened(on_sample).size == (900, 450)
    assert (clear["Content-Type"], opened(clear).mode) == ("image/webp", "RGBA")
    assert not Artifact.objects.filter(kind="finished").exists()


def test_a_preview_names_the_rules_that_the_picture_breaks(alice: Person) -> None:
    body = SHOP | {"rules": {"allows_shadow": False}}

    answer = alice.api().post("/api/recipes/preview", {"recipe": body}, "application/json")

    assert "shadow" in answer["Keyline-Notes"]


def test_people_read_the_notes_of_a_preview_and_the_titles_in_their_language(alice: Person) -> None:
    body = SHOP | {"rules": {"allows_shadow": False}}
    german = {"HTTP_ACCEPT_LANGUAGE": "de"}

    answer = alice.api().post("/api/recipes/preview", {"recipe": body}, "application/json", **german)
    listed = alice.api().get("/api/recipes/", **german).json()["results"]

    assert unquote(answer["Keyline-Notes-Translated"]).startswith("Das Bild hat einen Schatten")
    assert answer["Keyline-Notes"].startswith("The picture has a shadow")
    titles = {one["name"]: (one["title"], one["recipe"]["title"]) for one in listed}
    assert titles["amazon-main"] == ("Amazon-Hauptbild", "Amazon main image")


def test_a_preview_of_another_teams_job_is_not_shown(
    alice: Person, charlie: Person, jpeg_bytes: bytes, instant_worker: object
) -> None:
    job = finished_job(alice, jpeg_bytes)

    answer = charlie.api().post("/api/recipes/preview", {"recipe": SHOP, "job": job["id"]}, "application/json")

    assert answer.status_code == 404


def test_a_background_picture_lies_behind_the_subject(alice: Person, charlie: Person, jpeg_bytes: bytes) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), (10, 200, 30)).save(buffer, "PNG")
    wall = SimpleUploadedFile("wall.png", buffer.getvalue(), "image/png")
    body = SHOP | {"background": {"type": "picture", "picture": "green wall"}}

    saved = alice.api().post("/api/backgrounds/", {"name": "green wall", "image": wall})
    shown = alice.api().post("/api/recipes/preview", {"recipe": body}, "application/json")

    assert saved.status_code == 201
    red, green, blue = opened(shown).convert("RGB").getpixel((2, 2))
    assert (green > 180, red < 40, blue < 60) == (True, True, True)
    missing = charlie.api().post("/api/recipes/preview", {"recipe": body}, "application/json")
    assert (missing.status_code, missing.json()["field"]) == (404, "background.picture")
    assert [one["name"] for one in alice.api().get("/api/backgrounds/").json()] == ["green wall"]
    assert alice.api().delete("/api/backgrounds/green%20wall/").status_code == 204


def test_a_contact_sheet_shows_every_result_of_a_job(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> None:
    job = finished_job(alice, jpeg_bytes, recipe="taobao-white")

    answer = alice.api().get(f"/api/jobs/{job['id']}/sheet")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert len(PdfReader(io.BytesIO(answer.getvalue())).pages) == 1


def test_a_contact_sheet_of_nothing_is_refused(alice: Person, charlie: Person, jpeg_bytes: bytes) -> None:
    job = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)}).json()

    assert alice.api().get(f"/api/jobs/{job['id']}/sheet").json()["code"] == "not_found"
    assert charlie.api().get(f"/api/jobs/{job['id']}/sheet").status_code == 404
