"""The listening socket and its certificate, checked before anything is served."""

import errno
import ipaddress
import socket
import ssl
import sys
from pathlib import Path

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr

BACKLOG = 512


def bind(host: str, port: int, *, allow_public: bool) -> socket.socket:
    """Returns a listening socket on the first address of the host; `::` also accepts IPv4. Port 0 is a free one.

    Raises UsageError for a host without an address, a public address without `allow_public`, or an unavailable port.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError, OverflowError) as error:
        raise UsageError(
            tr("the address {host} port {port} cannot be resolved", host=host, port=port), hint=tr("use 127.0.0.1")
        ) from error
    if not (allow_public or ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback):
        raise UsageError(tr("{host} can be reached from other computers", host=host), hint=tr("use 127.0.0.1"))
    try:
        return _listening(family, kind, protocol, address)
    except OSError as error:
        raise UsageError(
            tr("cannot listen on {host} port {port}: {problem}", host=host, port=port, problem=error.strerror or error),
            hint=_hint(error, port),
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
        if sys.platform != "linux":
            return tr("another program uses this port; --port 0 takes a free port")
        command = f"`ss -ltnp 'sport = :{port}'`"
        return tr("another program uses this port ({command} shows it); --port 0 takes a free port", command=command)
    if error.errno in (errno.EACCES, errno.EPERM):
        return tr("only the administrator can use ports below 1024; use a higher port")
    if error.errno == errno.EADDRNOTAVAIL:
        return tr("this computer does not have this address; 0.0.0.0 means all its addresses")
    return tr("use another address or port")


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
    for path, program in ((certificate, "x509"), (key, "pkey")):
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            raise UsageError(
                tr("{path} cannot be read: {problem}", path=path, problem=error.strerror or error)
            ) from error
        if b"-----BEGIN " not in text:
            raise UsageError(
                tr("{path} is not a PEM file", path=path),
                hint=tr("{command} converts it", command=f"`openssl {program} -inform DER -outform PEM`"),
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
            tr("the key file {path} is protected by a password", path=key),
            hint=tr("{command} removes the password", command="`openssl pkey -in KEY -out OPEN-KEY`"),
        )
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return UsageError(
            tr(
                "the key in {path} does not belong to the first certificate in {certificate}",
                path=key,
                certificate=certificate,
            )
        )
    try:
        ssl.create_default_context().load_verify_locations(certificate)
    except ssl.SSLError:
        return UsageError(tr("{path} contains no readable certificate", path=certificate))
    return UsageError(tr("{path} contains no readable private key", path=key))
