"""The models' page makes a model of what a paper's authors published."""

from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.browsing import violations
from tests.e2e.conftest import SHOTS, OpenPage, Server
from tests.published import write_published

_PATIENCE_MS = 120_000


def give(page: Page, files: list[Path], domain: str) -> None:
    page.get_by_label("System").select_option(label="AttnGAN")
    expect(page.locator("#import-needs")).to_contain_text("captions.pickle")
    page.get_by_label("The authors").set_input_files(files)
    page.get_by_label("What they draw").fill(domain)
    page.get_by_label("Captions to offer").fill("a yellow bird\n\na red bird")
    page.get_by_role("button", name="Import").click()


def test_published_weights_are_refused_with_a_list_or_become_a_model_that_draws(
    server: Server, open_page: OpenPage, tmp_path: Path
) -> None:
    generator, encoder, vocabulary = write_published(tmp_path)
    page = open_page(f"{server.url}/about/models")
    page.get_by_text("Import published weights").click()
    assert violations(page) == []
    give(page, [generator, encoder], "birds")
    trouble = page.locator("#import-trouble")
    expect(trouble).to_contain_text("the vocabulary is missing", timeout=_PATIENCE_MS)
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "about-import.png")
    give(page, [generator, encoder, vocabulary], "birds")
    card = page.get_by_role("article", name="AttnGAN 256 px, birds")
    expect(card).to_contain_text("In memory", timeout=_PATIENCE_MS)
    expect(card).to_contain_text("by its authors")
    assert violations(page) == []
    asked = {"caption": "a red bird", "model": "attngan-birds-256"}
    answer = httpx.post(
        f"{server.url}/generate", json=asked, headers={"Prefer": "wait=60"}, timeout=90
    )
    assert answer.json()["status"] == "succeeded"
    (server.data_dir / "checkpoints" / "attngan-birds-256.safetensors").unlink()
