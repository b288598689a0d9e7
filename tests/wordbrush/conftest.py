from tests.app.conftest import (  # noqa: F401 (a web process, with workers played by hand)
    app,
    client,
    finish,
    queue,
    web_settings,
)
