"""The listening socket and its certificate, checked before anything is served."""

import errno
import ipaddress
import socket
import ssl
import sys
from pathlib import Path

from alovoice_cli.errors import UsageError

BACKLOG = 512


def bind(host: str, port: int, *, allow_public: bool) -> socket.socket:
    """Returns a listening socket on the first address of the host; `::` also accepts IPv4. Port 0 is a free one.

    Raises UsageError for a host without an address, a public address without `allow_public`, or an unavailable port.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError, OverflowError) as error:
        raise UsageError(f"the address {host} port {port} cannot be resolved", hint="use 127.0.0.1") from error
    if not (allow_public or ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback):
        raise UsageError(f"{host} can be reached from other machines", hint="use 127.0.0.1")
    try:
        return _listening(family, kind, protocol, address)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host} port {port}: {error.strerror or error}", hint=_hint(error, port)
        ) from error


def _listening(family: int, kind: int, protocol: int, address: object) -> socket.socket:
    listening = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # there it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # some systems have 1 by default
        listening.bind(address)  # type: ignore[arg-type]  # as getaddrinfo gave it
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _hint(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        who = f" (ss -ltnp 'sport = :{port}' names it)" if sys.platform == "linux" else ""
        return f"another program listens there{who}; port 0 is a free one"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "ports below 1024 are the administrator's; use a higher one"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address; 0.0.0.0 is every one that it has"
    return "use another address or port"


def url_of(listening: socket.socket, *, is_secure: bool) -> str:
    """Returns the base URL of the socket for this machine."""
    address, port = listening.getsockname()[:2]
    host = f"[{address}]" if ":" in address else address
    return f"{'https' if is_secure else 'http'}://{host}:{port}"


def is_alive(listening: socket.socket, address: object) -> bool:
    """Returns whether this is still the listening socket that was bound to the address."""
    try:
        return listening.getsockname() == address and bool(
            listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        )
    except OSError as error:
        return error.errno == errno.ENOPROTOOPT  # a system without this information


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    """Returns the context for TLS 1.2 and 1.3, from PEM files. Raises UsageError naming the bad file."""
    for path, role in ((certificate, "certificate"), (key, "key")):
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            raise UsageError(f"the {role} file {path} cannot be read: {error.strerror or error}") from error
        if b"-----BEGIN " not in text:
            raise UsageError(
                f"the {role} file {path} is not PEM", hint="openssl x509 (or pkey) -inform DER -outform PEM converts it"
            )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    asked: list[str] = []

    def password() -> str:  # without it OpenSSL asks at the terminal, and a service waits for ever
        asked.append(key)
        return ""

    try:
        context.load_cert_chain(certificate, key, password)
    except (ssl.SSLError, ValueError) as error:
        raise _bad_pair(certificate, key, error, is_locked=bool(asked)) from error
    return context


def _bad_pair(certificate: str, key: str, error: Exception, *, is_locked: bool) -> UsageError:
    if is_locked:
        return UsageError(
            f"the key file {key} is locked by a password", hint="openssl pkey -in KEY -out OPEN-KEY opens it"
        )
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return UsageError(f"the key in {key} does not belong to the first certificate in {certificate}")
    try:
        ssl.create_default_context().load_verify_locations(certificate)
    except ssl.SSLError:
        return UsageError(f"the certificate file {certificate} holds no certificate that can be read")
    return UsageError(f"the key file {key} holds no private key that can be read")
