"""Pictures out of ZIPs that may have been made to do harm."""

import struct
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from worker.archives import Archives, BadArchive, entry_id, list_entries
from worker.pictures import BadPicture, TooLarge
from worker.store import NotStored, Store


def zipped(files: dict[str, bytes]) -> bytes:
    data = BytesIO()
    with ZipFile(data, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def keep(store: Store, data: bytes) -> str:
    return store.put_file(BytesIO(data), suffix=".zip")


def test_a_picture_is_read_by_its_number(store: Store) -> None:
    data = zipped({"a/": b"", "a/one.jpg": b"1", "a/two.jpg": b"2"})
    assert list_entries(BytesIO(data)) == {"a/one.jpg": 1, "a/two.jpg": 2}
    archive_id, archives = keep(store, data), Archives(store)
    assert [archives.get(entry_id(archive_id, n)) for n in (1, 2, 1)] == [b"1", b"2", b"1"]


def test_what_is_stored_on_its_own_is_read_as_it_is(store: Store) -> None:
    assert Archives(store).get(store.put(b"photo", kind="uploads", suffix=".png")) == b"photo"


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..\\..\\boot.ini"])
def test_a_name_that_leads_elsewhere_is_only_a_name(store: Store, name: str) -> None:
    data = zipped({name: b"harmless"})
    [number] = list_entries(BytesIO(data)).values()
    assert Archives(store).get(entry_id(keep(store, data), number)) == b"harmless"


def test_what_swells_is_cut_off(store: Store) -> None:
    data = zipped({"bomb.png": bytes(50 * 2**20)})
    assert len(data) < 100_000
    with pytest.raises(TooLarge):
        Archives(store).get(entry_id(keep(store, data), 0))


def test_what_lies_about_its_size_is_cut_off_too(store: Store) -> None:
    data = bytearray(zipped({"liar.png": bytes(5000)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data[at : at + 4] = struct.pack("<I", 10)
    with pytest.raises(BadPicture):
        Archives(store, max_bytes=100).get(entry_id(keep(store, bytes(data)), 0))


def test_an_encrypted_picture_is_refused(store: Store) -> None:
    data = bytearray(zipped({"secret.png": b"x"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(BadPicture, match="encrypted"):
        Archives(store).get(entry_id(keep(store, bytes(data)), 0))


@pytest.mark.parametrize("cut", [0, 10, -10])
def test_what_is_no_zip_is_refused(cut: int) -> None:
    data = zipped({"a.png": b"x" * 100})
    with pytest.raises(BadArchive):
        list_entries(BytesIO(data[:cut]))


def test_a_zip_of_far_too_many_files_is_refused() -> None:
    data = BytesIO()
    with ZipFile(data, "w") as archive:
        for number in range(20_001):
            archive.writestr(ZipInfo(str(number)), b"")
    with pytest.raises(BadArchive, match="20,001"):
        list_entries(data)


def test_a_number_past_the_last_and_a_zip_that_is_gone_are_said(store: Store) -> None:
    archive_id = keep(store, zipped({"a.png": b"x"}))
    with pytest.raises(BadPicture, match="no such file"):
        Archives(store).get(entry_id(archive_id, 1))
    with pytest.raises(NotStored):
        Archives(store).get(entry_id("uploads-" + 32 * "0" + ".zip", 0))


@pytest.mark.parametrize("file_id", ["uploads-1.zip/0", "../x.zip/0", "a/b", "results-x/1"])
def test_an_id_that_was_not_made_here_is_none(store: Store, file_id: str) -> None:
    with pytest.raises(NotStored):
        Archives(store).get(file_id)
