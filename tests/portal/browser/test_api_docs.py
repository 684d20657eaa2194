"""The page of the API's document, in a real browser under our policy (S-101)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from portal.api.urls import api

pytestmark = pytest.mark.system


def test_the_document_opens_from_our_own_files_alone(chromium, site):
    page = chromium.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    page.goto(f"{site}/api/v1/docs")
    page.wait_for_selector(".opblock")
    page.locator(".opblock-summary").first.click()
    page.wait_for_selector(".opblock-body")

    operations = sum(len(o) for o in api.get_openapi_schema()["paths"].values())
    assert page.locator(".opblock").count() == operations
    here = urlsplit(site).netloc
    assert {urlsplit(url).netloc for url in asked if url.startswith("http")} == {here}
    assert said == []
    page.close()
