import httpx
import pytest

PAGES = ("/", "/docs", "/about/gallery", "/about/models", "/about/queue")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_in_the_browsers_language_and_says_so(client: httpx.Client, path: str) -> None:
    for accepted, language in (("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("fr", "en")):
        answer = client.get(path, headers={"Accept-Language": accepted})
        assert f'<html lang="{language}"' in answer.text
        assert answer.headers["content-language"] == language
        assert {"Accept-Language", "Cookie"} <= set(answer.headers["vary"].split(", "))


def test_the_choice_of_a_language_is_kept_and_leads_back(client: httpx.Client) -> None:
    answer = client.post("/language", data={"language": "ko", "to": "/about/models"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/about/models")
    assert '<html lang="ko"' in client.get("/about/queue").text
    client.post("/language", data={"language": "en"})
    assert '<html lang="en"' in client.get("/", headers={"Accept-Language": "ko"}).text


def test_each_page_offers_the_other_language_by_its_own_name(client: httpx.Client) -> None:
    for path in PAGES:
        page = client.get(path).text
        assert 'value="ko" lang="ko">한국어<' in page
        assert f'name="to" value="{path}"' in page


@pytest.mark.parametrize("to", ["//example.org", "https://example.org", "/\\example.org", "x"])
def test_the_choice_leads_to_no_other_server(client: httpx.Client, to: str) -> None:
    answer = client.post("/language", data={"language": "ko", "to": to})
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


def test_a_language_that_there_is_not_is_refused(client: httpx.Client) -> None:
    answer = client.post("/language", data={"language": "tlh"})
    assert answer.status_code == 422
    assert "en, ko" in answer.json()["detail"]
