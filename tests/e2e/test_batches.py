"""Batches on the queue's page: sent, watched, stopped, and taken home."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from playwright.sync_api import Page, expect

from tests.e2e.browsing import SAMPLE, violations
from tests.e2e.conftest import SHOTS, Noise, OpenPage, Server


def start(page: Page, folder: Path, name: str, *rows: str) -> None:
    """Fill in the form as a person does, with a ZIP of one flower."""
    (folder / name).write_text("\n".join(("caption,image", *rows)))
    with ZipFile(folder / "photos.zip", "w") as archive:
        archive.write(SAMPLE, "flower.jpg")
    if page.locator("#batch-new").get_attribute("open") is None:
        page.get_by_text("New batch").click()
    page.get_by_label("Rows, CSV or JSONL").set_input_files(folder / name)
    page.get_by_label("Photos that they name, ZIP").set_input_files(folder / "photos.zip")
    page.get_by_role("button", name="Start").click()


def test_a_batch_is_sent_done_and_taken_home_and_says_what_is_wrong_with_each_row(
    server: Server, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(f"{server.url}/about/queue")
    worker = page.get_by_role("listitem", name="cpu on")
    expect(worker).to_contain_text("Waits for work")
    expect(worker.get_by_text("tagan-flowers-64")).to_be_visible()
    rows = (
        "a red flower,flower.jpg",
        "a white flower,flower.jpg",
        "xyzzy,flower.jpg",
        "red,no.jpg",
    )
    start(page, tmp_path, "flowers.csv", *rows)
    batch = page.get_by_role("listitem", name="flowers.csv")
    expect(page.locator("#batch-state")).to_contain_text("2 of 4 rows")
    failed = batch.get_by_role("listitem")
    expect(failed).to_have_text(
        [
            "Row 3: caption: the model knows none of these words",
            "Row 4: image: the ZIP has no file of this name",
        ]
    )
    expect(batch).to_contain_text("2 of 4 done, 2 failed")
    assert violations(page) == []
    with page.expect_download() as download:
        batch.get_by_role("link", name="Get the ZIP").click()
    with ZipFile(BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert len([name for name in archive.namelist() if name.endswith(".jpg")]) == 2
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "about-queue.png", full_page=True)
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_batch_that_waits_is_stopped(
    workerless: Server, open_page: OpenPage, noise: Noise, tmp_path: Path
) -> None:
    noise.expected.append("a status of 503")
    page = open_page(f"{workerless.url}/about/queue")
    expect(page.locator("#no-batches")).to_be_visible()
    start(page, tmp_path, "mine.csv", "a red flower,flower.jpg", "a yellow flower,flower.jpg")
    batch = page.get_by_role("listitem", name="mine.csv")
    expect(batch).to_contain_text("0 of 2 done. Waits for a worker.")
    expect(batch.get_by_role("progressbar")).to_be_visible()
    assert violations(page) == []
    batch.get_by_role("button", name="Stop").click()
    expect(batch).to_contain_text("0 of 2 done, 2 left out")
    expect(batch.get_by_role("button", name="Stop")).to_be_hidden()


def test_a_file_that_is_no_list_is_refused_beside_the_form(
    workerless: Server, open_page: OpenPage, noise: Noise, tmp_path: Path
) -> None:
    noise.expected += ["a status of 503", "a status of 422"]
    page = open_page(f"{workerless.url}/about/queue")
    page.get_by_text("New batch").click()
    (tmp_path / "words.csv").write_text("words\nred\n")
    page.get_by_label("Rows, CSV or JSONL").set_input_files(tmp_path / "words.csv")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#batch-form").get_by_role("alert")).to_contain_text(
        "wanted one column `caption`"
    )
    assert violations(page) == []
    expect(page.locator("#no-batches")).to_be_visible()
