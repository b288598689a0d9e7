import httpx
import pytest

from app.settings import Settings
from tests.app.conftest import write_checkpoint
from tests.app.routes.test_batches import ask


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Settings of a web process that can also draw."""
    write_checkpoint(web_settings.checkpoints[0], system="attngan")
    return web_settings


def test_batches_are_listed_by_the_page(client: httpx.Client) -> None:
    made = [ask(client, b"caption\nred\n", name=name).json() for name in "abc"]
    client.post(made[1]["links"]["cancel"])
    first = client.get("/batches", params={"limit": 2}).json()
    assert [batch["name"] for batch in first["batches"]] == ["c", "b"]
    rest = client.get("/batches", params={"cursor": first["next"]}).json()
    assert rest == {"batches": [client.get(made[0]["links"]["self"]).json()], "next": None}
    canceled = client.get("/batches", params={"status": ["canceled", "failed"]}).json()
    assert [batch["name"] for batch in canceled["batches"]] == ["b"]
    assert client.get("/jobs").json()["jobs"] == []


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"cursor": "first"}, {"status": "done"}])
def test_a_list_that_cannot_be_is_refused(client: httpx.Client, wrong: dict[str, str]) -> None:
    assert client.get("/batches", params=wrong).status_code == 422
