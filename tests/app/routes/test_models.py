import httpx

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import serving, write_checkpoint


def test_models_are_listed_with_what_a_form_needs(client: httpx.Client) -> None:
    flowers, clothes = client.get("/models").json()["models"]
    assert (flowers["id"], clothes["id"]) == ("tagan-flowers-64", "tagan-clothes-64")
    assert flowers["system"] == "tagan"
    assert flowers["task"] == "manipulate"
    assert (flowers["domain"], flowers["image_size"]) == ("flowers", 64)
    assert flowers["trained"] is True
    assert flowers["examples"] == ["this flower has yellow petals"]
    assert flowers["metrics"] == {"colour_accuracy": 0.7}
    assert flowers["keeps_photo"] is True


def test_random_weights_are_not_called_trained(web_settings: Settings) -> None:
    write_checkpoint(web_settings.checkpoints[0], steps=0)
    with serving(create_app(web_settings)) as address:
        flowers, clothes = httpx.get(f"{address}/models").json()["models"]
    assert (flowers["trained"], clothes["trained"]) == (False, True)
