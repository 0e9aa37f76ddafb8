"""The egress guard: what a connection may call, and that the checked address is the one called."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import EgressRefused, Misconfigured, Unreachable
from hub.egress import PUBLIC, Egress, GuardedBackend
from hub.http import HttpClient

REFUSED = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.1.1",
    "169.254.169.254",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC_ADDRESSES = ["1.1.1.1", "47.96.79.204", "118.31.35.8", "2606:4700::1111", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    """Private, link-local, loopback, multicast, unspecified, reserved and metadata addresses, also inside IPv6."""
    with pytest.raises(EgressRefused):
        PUBLIC.check("vendor.example", [address])


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_addresses_are_permitted(address: str) -> None:
    """The public internet needs no leave."""
    PUBLIC.check("vendor.example", [address])


def test_one_refused_address_among_public_ones_refuses_all() -> None:
    """A name that also answers a private address is not called at all."""
    with pytest.raises(EgressRefused):
        PUBLIC.check("vendor.example", ["1.1.1.1", "10.0.0.1"])


@pytest.mark.parametrize(
    ("entry", "host", "address"),
    [
        ("10.0.0.0/8", "erp", "10.9.8.7"),
        ("10.0.0.5", "erp", "10.0.0.5"),
        ("127.0.0.0/8", "127.0.0.1", "::ffff:127.0.0.1"),
        ("fd00::/8", "erp", "fd00::1"),
        ("erp.corp.example", "ERP.corp.example.", "192.168.0.9"),
        ("*.corp.example", "erp.corp.example", "192.168.0.9"),
        ("169.254.169.254", "metadata", "169.254.169.254"),
    ],
)
def test_an_allowed_network_or_host_may_be_called(entry: str, host: str, address: str) -> None:
    """A connection to a system of one's own names its network, its address, its host or its domain."""
    Egress(allow=(entry,)).check(host, [address])


@pytest.mark.parametrize(
    ("entry", "host", "address"),
    [
        ("10.0.0.0/8", "erp", "192.168.0.1"),
        ("169.254.0.0/16", "metadata", "169.254.169.254"),
        ("0.0.0.0/0", "metadata", "100.100.100.200"),
        ("::/0", "metadata", "fd00:ec2::254"),
        ("*.corp.example", "corp.example", "10.0.0.1"),
        ("*.corp.example", "evilcorp.example", "10.0.0.1"),
        ("erp.corp.example", "erp.corp.example", "169.254.169.254"),
    ],
)
def test_leave_reaches_no_further_than_it_says(entry: str, host: str, address: str) -> None:
    """Neither another network, nor another domain, nor a metadata address that is not itself named."""
    with pytest.raises(EgressRefused):
        Egress(allow=(entry,)).check(host, [address])


@pytest.mark.parametrize("entry", ["", "10.0.0.0/33", "10.0.0.999", "a b", "*", "*.", "http://x", "2130706433", "x/8"])
def test_leave_that_cannot_be_read_is_a_setting_to_correct(entry: str) -> None:
    """A mistyped network is told when it is set, not silently without effect."""
    with pytest.raises(Misconfigured):
        Egress(allow=(entry,))


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_an_address_inside_ipv6_is_judged_as_itself(number: int) -> None:
    """What is refused as IPv4 is refused as IPv4-mapped IPv6 too, and the other way round."""

    def refused(address: IPv4Address | IPv6Address) -> bool:
        try:
            PUBLIC.check("x", [str(address)])
        except EgressRefused:
            return True
        return False

    plain = IPv4Address(number)

    assert refused(plain) == refused(ip_address(f"::ffff:{plain}"))


class Door:
    """A server on loopback that must only be reached where it is allowed; `context` makes it speak TLS."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.hosts: list[str | None] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                door.hosts.append(self.headers.get("host"))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"in")

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *args: object) -> None:
                """A client that hangs up during the handshake is part of the test."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def door() -> Iterator[Door]:
    opened = Door()
    yield opened
    opened.stop()


class Rebinding:
    """A resolver that gives other addresses every time it is asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return [self.answers.pop(0)]


def test_a_name_that_turns_to_loopback_is_refused_and_never_connected(door: Door) -> None:
    """The address that was checked is the one that is called: rebinding between the two gains nothing."""
    resolver = Rebinding("127.0.0.1")
    client = HttpClient(connection="c", resolver=resolver)

    with pytest.raises(EgressRefused):
        client.request("GET", f"http://vendor.example:{door.port}/")

    assert door.hosts == []
    client.close()


def test_a_name_is_resolved_once_for_a_connection(door: Door) -> None:
    """There is no second resolution whose answer would not be checked; the host's name stays in the request."""
    resolver = Rebinding("127.0.0.1", "10.0.0.1")
    client = HttpClient(connection="c", resolver=resolver, egress=Egress(allow=("127.0.0.1",)))

    client.request("GET", f"http://vendor.example:{door.port}/")

    assert resolver.asked == ["vendor.example"]
    assert door.hosts == [f"vendor.example:{door.port}"]
    client.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0x7f.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "127.0.0.1.",
    ],
)
def test_loopback_is_refused_in_every_notation(door: Door, host: str) -> None:
    """Decimal, octal, hexadecimal, short and mapped forms mean the same address."""
    client = HttpClient(connection="c")

    with pytest.raises((EgressRefused, Misconfigured)):
        client.request("GET", f"http://{host}:{door.port}/")

    assert door.hosts == []
    client.close()


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1"])
def test_an_allowed_address_may_be_written_in_any_notation(door: Door, host: str) -> None:
    """The notation is not what is judged."""
    client = HttpClient(connection="c", egress=Egress(allow=("127.0.0.0/8",)))

    assert client.request("GET", f"http://{host}:{door.port}/").body == b"in"
    client.close()


@pytest.mark.parametrize("answer", [[], ["not an address"]])
def test_a_name_without_an_address_is_unreachable(answer: list[str]) -> None:
    """An empty or senseless answer of the resolver ends as a host that cannot be reached."""
    client = HttpClient(connection="c", resolver=lambda host, port: answer, attempts=1)

    with pytest.raises(Unreachable):
        client.request("GET", "http://vendor.example/")

    client.close()


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return pem


def test_tls_verifies_the_hosts_name_not_the_address(tmp_path: Path) -> None:
    """Connecting to a checked address keeps the host's name for TLS, so another host's certificate is refused."""
    pem = _certificate(tmp_path, "vendor.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    trusting = ssl.create_default_context(cafile=str(pem))
    door = Door(server)
    client = HttpClient(
        connection="c",
        egress=Egress(allow=("127.0.0.1",)),
        resolver=lambda host, port: ["127.0.0.1"],
        context=trusting,
        attempts=1,
    )

    assert client.request("GET", f"https://vendor.example:{door.port}/").body == b"in"
    with pytest.raises(Unreachable):
        client.request("GET", f"https://other.example:{door.port}/")

    assert len(door.hosts) == 1
    client.close()
    door.stop()


def test_a_local_socket_is_no_address() -> None:
    """The guard opens connections to checked addresses and nothing else."""
    backend = GuardedBackend(PUBLIC)

    with pytest.raises(EgressRefused):
        backend.connect_unix_socket("/run/x.sock")


def test_the_next_address_is_tried_where_the_first_does_not_answer(door: Door) -> None:
    """A host with several addresses is reached by the one that answers; all of them were checked."""
    client = HttpClient(
        connection="c",
        egress=Egress(allow=("127.0.0.0/8", "::1")),
        resolver=lambda host, port: ["::1", "127.0.0.1"],
        attempts=1,
    )

    assert client.request("GET", f"http://vendor.example:{door.port}/").body == b"in"
    client.close()
