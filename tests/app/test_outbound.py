"""Addresses that clients name lead to public hosts alone: real servers, a resolver that lies."""

import ssl
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import chain, repeat
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.outbound import (
    AnswerTooLarge,
    ForbiddenAddress,
    Outbound,
    Unreachable,
    is_public,
    resolve,
)
from tests.app.receiver import Arrival, answer, receiving

_PUBLIC = "203.0.114.7"


def _names(**addresses: list[str]) -> Outbound:
    """Allowed: a.test. Every name of `addresses` is under .test."""
    return Outbound(allowed=["a.test"], resolve=lambda host, _: addresses[host.split(".")[0]])


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
        "169.254.169.254", "168.63.129.16", "172.16.0.1", "192.0.0.192", "192.0.2.1", "192.168.0.1",
        "192.88.99.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fd00:ec2::254",
        "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_no_address_of_a_network_of_ones_own_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [_PUBLIC, "8.8.8.8", "2606:4700:4700::1111"])
def test_a_host_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{}/", "http://2130706433:{}/", "http://0x7f.1:{}/", "http://127.1:{}/",
        "http://localhost:{}/", "http://[::ffff:127.0.0.1]:{}/", "http://user:pw@localhost:{}/",
    ],
)  # fmt: skip
def test_this_machine_is_not_called_whatever_it_is_called(url: str) -> None:
    with receiving() as receiver:
        url = url.format(receiver.port)
        for call in (
            lambda: Outbound().get(url, max_bytes=10, timeout_s=5),
            lambda: Outbound().post(url, b"", {}, timeout_s=5),
            lambda: Outbound().check(url),
        ):
            with pytest.raises(ForbiddenAddress) as refused:
                call()
            assert "127" not in str(refused.value)
    assert receiver.arrivals == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "gopher://a.test/", "a.test", "http://", "", "http://xn--/",
        "http://xn--a/", "http://[::1/", "http://℀@a.test/", "http://a.test:0/",
        "http://a.test:65536/", "http://a.test:99999/", "http://a.test:-1/",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        _names(a=["127.0.0.1"]).get(url, max_bytes=10, timeout_s=5)


def test_a_host_with_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(ForbiddenAddress):
        _names(b=[_PUBLIC, "127.0.0.1"]).check("http://b.test/")
    _names(b=[_PUBLIC]).check("http://b.test/")


def test_a_name_server_that_changes_its_mind_changes_nothing() -> None:
    answers = chain([["127.0.0.1"]], repeat(["127.0.0.2"]))
    outbound = Outbound(allowed=["a.test"], resolve=lambda host, port: next(answers))
    with receiving() as receiver:
        outbound.get(f"http://a.test:{receiver.port}/", max_bytes=10, timeout_s=5)
    [arrival] = receiver.arrivals
    assert arrival.headers["host"] == f"a.test:{receiver.port}"
    assert next(answers) == ["127.0.0.2"]


def test_the_next_address_of_a_host_is_tried_where_one_takes_no_connection() -> None:
    with receiving() as receiver:
        url = f"http://a.test:{receiver.port}/"
        got = _names(a=["127.0.0.9", "127.0.0.1"]).post(url, b"hello", {"X": "1"}, timeout_s=5)
    assert got.status == 204
    [arrival] = receiver.arrivals
    assert (arrival.body, arrival.headers["x"]) == (b"hello", "1")


def test_each_redirect_is_checked_anew() -> None:
    targets = {"/here": "/there", "/there": "http://b.test:{}/inner", "/round": "/round"}

    def lead(handler: BaseHTTPRequestHandler, arrival: Arrival) -> None:
        answer(handler, 302, Location=targets[arrival.path].format(receiver.port))

    outbound = _names(a=["127.0.0.1"], b=["127.0.0.1"])
    with receiving(lead) as receiver:
        address = f"http://a.test:{receiver.port}"
        with pytest.raises(ForbiddenAddress):
            outbound.get(f"{address}/here", max_bytes=10, timeout_s=5)
        assert [arrival.path for arrival in receiver.arrivals] == ["/here", "/there"]
        with pytest.raises(Unreachable):
            outbound.get(f"{address}/round", max_bytes=10, timeout_s=5)
        assert outbound.post(f"{address}/here", b"", {}, timeout_s=5).status == 302  # not followed


def test_an_answer_is_read_up_to_a_size_and_a_time() -> None:
    is_over = Event()

    def drip(handler: BaseHTTPRequestHandler, arrival: Arrival) -> None:
        if arrival.path == "/ten":
            return answer(handler, 200, b"0123456789", Content_Type="text/plain")
        handler.send_response(200)
        handler.end_headers()
        while not is_over.wait(0.02):
            handler.wfile.write(b"." * (1000 if arrival.path == "/endless" else 1))

    outbound = _names(a=["127.0.0.1"])
    with receiving(drip) as receiver:
        address = f"http://a.test:{receiver.port}"
        got = outbound.get(f"{address}/ten", max_bytes=10, timeout_s=5)
        assert (got.content, got.headers["content-type"]) == (b"0123456789", "text/plain")
        with pytest.raises(AnswerTooLarge):
            outbound.get(f"{address}/ten", max_bytes=9, timeout_s=5)
        with pytest.raises(AnswerTooLarge):
            outbound.get(f"{address}/endless", max_bytes=5000, timeout_s=5)
        with pytest.raises(Unreachable):
            outbound.get(f"{address}/slow", max_bytes=5000, timeout_s=0.3)
        is_over.set()


def test_a_name_server_that_never_answers_is_not_awaited() -> None:
    is_over = Event()
    outbound = Outbound(resolve=lambda host, port: [str(is_over.wait(10))])
    with pytest.raises(Unreachable):
        outbound.check("http://a.test/", timeout_s=0.1)
    is_over.set()


def test_a_host_without_an_address_or_a_server_is_unreachable(free_port: int) -> None:
    with pytest.raises(Unreachable):
        Outbound(resolve=resolve).check("http://nowhere.invalid/")
    url = f"http://a.test:{free_port}/"
    with pytest.raises(Unreachable):
        _names(a=["127.0.0.1"]).get(url, max_bytes=10, timeout_s=5)


def test_a_certificate_counts_for_the_name_and_not_for_the_number(tmp_path: Path) -> None:
    server_tls, client_tls = _certificate(tmp_path, "a.test")
    outbound = Outbound(
        allowed=["a.test", "b.test", "127.0.0.1"],
        resolve=lambda host, port: ["127.0.0.1"],
        tls=client_tls,
    )
    with receiving(tls=server_tls) as receiver:
        url = f"https://a.test:{receiver.port}/"
        assert outbound.get(url, max_bytes=10, timeout_s=5).status == 204
        for other in ("b.test", "127.0.0.1"):
            with pytest.raises(Unreachable):
                outbound.get(url.replace("a.test", other), max_bytes=10, timeout_s=5)
    assert len(receiver.arrivals) == 1


def _certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS with a certificate for `name`, and a client's that trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    file = folder / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=file)
