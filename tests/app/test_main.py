import subprocess
import sys

import httpx

from app.main import create_app
from app.schemas.jobs import Job
from app.settings import Settings

_BUILD_AND_LIST = """
import sys
from app.main import create_app
from app.schemas.jobs import Job
from app.settings import Settings
create_app(Settings()).openapi()
print([name for name in ("torch", "torchvision", "kornia") if name in sys.modules])
"""


def test_the_web_process_never_imports_torch(web_settings: Settings) -> None:
    command = [sys.executable, "-c", _BUILD_AND_LIST]
    done = subprocess.run(
        command, env=web_settings.to_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_importing_the_module_makes_no_application_and_no_folder(web_settings: Settings) -> None:
    command = [sys.executable, "-c", "import app.main; print(vars(app.main).get('app'))"]
    done = subprocess.run(
        command, env=web_settings.to_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "None"
    assert not (web_settings.data_dir / "store").exists()


def test_two_applications_share_nothing(web_settings: Settings) -> None:
    one, other = create_app(web_settings), create_app(web_settings)
    assert one.state.services is not other.state.services


def test_every_operation_has_a_name_a_tag_and_a_description(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]
    assert all(
        {"operationId", "tags", "description"} <= operation.keys() for operation in operations
    )
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)


def test_every_documented_error_is_a_problem(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    answers = [
        (status, answer)
        for methods in document["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if int(status) >= 400
    ]
    assert len(answers) > 10
    for _, answer in answers:
        assert list(answer["content"]) == ["application/problem+json"]
    assert "Problem" in document["components"]["schemas"]


def test_the_example_of_a_job_is_one(client: httpx.Client) -> None:
    [example] = client.get("/openapi.json").json()["components"]["schemas"]["Job"]["examples"]
    outputs = [{"position": None} | output for output in example["outputs"]]
    names = (
        "caption_to",
        "image_id_to",
        "queue_position",
        "eta_s",
        "animation",
        "searched",
        "not_yet_searched",
        "error",
        "webhook",
    )
    nulls = dict.fromkeys(names) | {"outputs": outputs}  # which the document leaves out
    assert Job.model_validate(example | nulls).model_dump(mode="json") == example | nulls
