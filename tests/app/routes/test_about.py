import json
from pathlib import Path

import httpx

from app.main import create_app
from app.settings import Settings
from models.checkpoint import scan
from tests.app.conftest import serving, write_checkpoint

ROOT = Path(__file__).parents[3]
CHECKPOINTS, TEXTS = ROOT / "checkpoints", ROOT / "static" / "texts" / "en.json"


def test_a_model_is_shown_with_its_card_and_its_sheet(web_settings: Settings) -> None:
    folder = web_settings.checkpoints[0]
    write_checkpoint(folder, domain="birds")
    (folder / "tagan-birds-64.md").write_text("# A card\n\nWeak at <b>tails</b>.\n")
    (folder / "tagan-birds-64.webp").write_bytes(b"RIFF....WEBP")
    with serving(create_app(web_settings)) as address:
        page = httpx.get(f"{address}/about/models")
        sheet = httpx.get(f"{address}/about/models/tagan-birds-64/sheet")
    assert page.status_code == 200
    assert "Weak at &lt;b&gt;tails&lt;/b&gt;." in page.text
    assert 'src="/about/models/tagan-birds-64/sheet"' in page.text
    assert (sheet.content, sheet.headers["content-type"]) == (b"RIFF....WEBP", "image/webp")


def test_a_model_without_card_or_sheet_is_shown_all_the_same(client: httpx.Client) -> None:
    page = client.get("/about/models").text
    assert "tagan-flowers-64" in page
    assert "Not loaded" in page
    assert client.get("/about/models/tagan-flowers-64/sheet").status_code == 404


def test_figures_have_the_names_that_the_results_have(web_settings: Settings) -> None:
    measured = {"r_precision": 0.292, "fd_lite2": 364.9, "speed_up": 2.0}
    write_checkpoint(web_settings.checkpoints[0], domain="birds", metrics=measured)
    with serving(create_app(web_settings)) as address:
        page = httpx.get(f"{address}/about/models").text
    for title, value in (("R-precision", "29.2%"), ("FD-Lite2", "364.9"), ("speed up", "2")):
        assert f"<dt>{title}</dt><dd>{value}</dd>" in page


def test_no_file_but_a_sheet_is_given_out(client: httpx.Client) -> None:
    for name in ("nothing", "..%2f..%2fREADME", "tagan-flowers-64.safetensors"):
        assert client.get(f"/about/models/{name}/sheet").status_code in (404, 422)


def test_every_figure_of_the_checkpoints_that_ship_has_a_name_in_the_texts() -> None:
    names = {name for c in scan([CHECKPOINTS]).values() for name in c.header.metrics}
    texts = json.loads(TEXTS.read_text(encoding="utf-8"))
    assert {f"figure.{name}" for name in names} - set(texts) == set()


def test_several_models_are_listed_first_by_what_they_do(web_settings: Settings) -> None:
    write_checkpoint(web_settings.checkpoints[0], domain="birds")
    with serving(create_app(web_settings)) as address:
        page = httpx.get(f"{address}/about/models").text
    contents = page[page.index('<nav class="about-contents"') : page.index("<article")]
    assert "Edits photos" in contents
    for model in ("tagan-flowers-64", "tagan-birds-64"):
        assert f'href="#{model}"' in contents
        assert f'<h2 id="{model}">' in page
