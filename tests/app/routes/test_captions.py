import httpx


def test_each_word_is_told_known_or_not_with_the_nearest(client: httpx.Client) -> None:
    answer = client.get("/captions/check", params={"caption": "Red flowr, red"}).json()
    assert [(word["word"], word["known"]) for word in answer["words"]] == [
        ("red", True),
        ("flowr", False),
        ("red", True),
    ]
    assert answer["unknown_words"] == [{"word": "flowr", "nearest": ["flower"]}]


def test_a_caption_without_words_has_none(client: httpx.Client) -> None:
    answer = client.get("/captions/check", params={"caption": " ..."})
    assert answer.json() == {"words": [], "unknown_words": [], "other_model": None}


def test_a_caption_that_names_another_domain_is_told_its_model(client: httpx.Client) -> None:
    answer = client.get("/captions/check", params={"caption": "red clothes"}).json()
    assert answer["other_model"] == "tagan-clothes-64"


def test_a_caption_too_long_is_refused(client: httpx.Client) -> None:
    assert client.get("/captions/check", params={"caption": "x" * 301}).status_code == 422


def test_an_unknown_model_is_refused_with_those_there_are(client: httpx.Client) -> None:
    answer = client.get("/captions/check", params={"caption": "red", "model": "nothing"})
    assert answer.status_code == 422
    assert answer.json()["suggestions"] == ["tagan-flowers-64", "tagan-clothes-64"]
