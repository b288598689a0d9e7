"""Every error is a problem of RFC 9457, and none repeats what was sent."""

import httpx
import pytest
from fastapi import FastAPI

from tests.app.conftest import serving

_SECRET = "zq-secret-7"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/{_SECRET}", 404),
        ("GET", f"/static/{_SECRET}.js", 404),
        ("GET", f"/jobs/{_SECRET}", 404),
        ("GET", f"/jobs/{_SECRET}/outputs/{_SECRET}/image", 422),
        ("DELETE", "/models", 405),
        ("GET", f"/captions/check?model={_SECRET}&caption=red", 422),
        ("GET", "/captions/check", 422),
        ("POST", "/manipulate", 422),
        ("GET", "/readyz", 503),
    ],
)
def test_each_error_is_a_problem_without_an_echo(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["type"].startswith("/docs#problem-")
    assert _SECRET not in answer.text


def test_a_person_whose_browser_goes_where_nothing_is_sees_a_page_in_their_language(
    client: httpx.Client,
) -> None:
    wishes = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": "ko"}
    answer = client.get(f"/{_SECRET}", headers=wishes)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "여기에는 아무것도 없어요" in answer.text
    assert 'href="/"' in answer.text
    assert _SECRET not in answer.text
    assert answer.headers["x-request-id"]


def test_a_form_that_cannot_be_parsed_is_a_problem(client: httpx.Client) -> None:
    headers = {"content-type": "multipart/form-data"}  # and no boundary
    answer = client.post("/manipulate", content=b"--x\r\nnonsense", headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_wrong_method_is_told_the_right_ones(client: httpx.Client) -> None:
    assert client.delete("/models").headers["allow"] == "GET"


def test_a_fault_says_nothing_of_its_cause_but_has_the_requests_id(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError(_SECRET)

    with caplog.at_level("ERROR"), serving(app) as address:
        answer = httpx.get(f"{address}/broken", headers={"X-Request-ID": "abc"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "abc"
    assert "content-security-policy" in answer.headers
    assert _SECRET not in answer.text
    assert "request abc failed: RuntimeError" in caplog.messages


def test_the_type_of_a_problem_is_a_place_on_the_page_of_the_api(client: httpx.Client) -> None:
    place = client.get("/nowhere").json()["type"].partition("#")[2]
    assert f'id="{place}"' in client.get("/docs").text
