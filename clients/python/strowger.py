"""A client of a strowger router, in one file, for Python 3.9 and later.

Client is a client's connection and Service a service's. Both come back when the connection is lost. Http asks and publishes
without a connection that stays. Nothing here may be used by two threads at once, but for stop. All times are in seconds.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import random
import re
import secrets
import socket
import ssl
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

__all__ = ["Client", "Error", "Http", "Message", "Options", "Request", "Service", "Token"]

log = logging.getLogger("strowger")
now = time.monotonic
FOREVER = float("inf")
LOST = 1006
NOTHING = (TimeoutError, socket.timeout, BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)  # came in time
ADDRESS = re.compile(r"(wss?)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?([/?][\x21\x22\x24-\x7e]*)?")
Position = Dict[str, Any]  # {"epoch": str, "offset": int}


class Error(Exception):
    """What is raised when something fails. kind says why: "status": the answer has a status of 400 or more; "timeout": the time
    for the answer, or for connecting, is over; "disconnected": the connection was lost, or there is none; "too_big": the message
    is longer than send_limit; "token": the callback of the token failed; "protocol": the router says that this client breaks
    the protocol.

    status is that of the answer, 0 if there was none, and answer its envelope. close_code is that of the connection, 1006 if it
    was lost without one and 0 if it was not. sent is False only if no service can have got the message.
    """

    def __init__(self, text: str, kind: str, status: int = 0, answer: Optional[Dict[str, Any]] = None, close_code: int = 0, sent: bool = False):
        super().__init__(text)
        self.kind, self.status, self.answer, self.close_code, self.sent = kind, status, answer or {}, close_code, sent


class Token(NamedTuple):
    """What a connection authenticates with (protocol 4)."""

    name: str
    hash: str

    @staticmethod
    def parse(text: str) -> Token:
        """Returns the token that `strowger token create` has printed."""
        token = json.loads(text)
        return Token(token["name"], token["hash"])

    @staticmethod
    def jwt(jwt: str) -> Token:
        return Token("jwt", jwt)

    @staticmethod
    def api_key(key: str, service: str = "") -> Token:
        """A key for several services needs the name of one."""
        return Token(f"apikey:{service}" if service else "apikey", key)


# Returns a token for one connection. It gets the token of the last connection, if the router may take it once more, and why
# that ended.
TokenCallback = Callable[[Optional[Token], Optional[Error]], Token]


@dataclass(frozen=True)
class Options:
    timeout: float = 30.0  # of a request, connecting included
    connect_timeout: float = 15.0  # of an attempt to connect, for each address of the host
    heartbeat: float = 25.0  # after how long without a word the router is pinged; 0: never
    reconnect_min: float = 0.5  # the first pause is a random time up to this; the bound doubles with each attempt
    reconnect_max: float = 30.0  # the longest bound; a connection that lasted this long starts the row anew
    reconnect_later: float = 5.0  # is added after close code 1013
    refusals: int = 5  # how many fresh tokens the router may refuse in a row
    send_limit: int = 0  # the longest message that is sent, in bytes; 0: 1 MiB for a client, 16 MiB for a service
    receive_limit: int = 16 << 20  # the longest message that is taken, and how many bytes of broadcasts wait
    queue: int = 1000  # how many broadcasts wait to be read; beyond it the oldest is dropped
    recover: bool = True  # whether the router is asked for broadcasts that were missed
    positions: Optional[Dict[str, Position]] = None  # where an earlier Client was, as its positions() said
    tls: Optional[ssl.SSLContext] = None  # None: ssl.create_default_context()
    on_state: Callable[[str, Optional[Error]], Any] = lambda state, error: None  # gets "online", or "offline" and why


class _WebSocket:
    """The client's side of one WebSocket (RFC 6455)."""

    def __init__(self, url: str, options: Options, until: float):
        scheme, host, port, path = _address(url)
        self.limit, self.heard, self.data, self.parts, self.text = options.receive_limit, now(), bytearray(), None, False
        self.socket: Optional[socket.socket] = None
        try:
            self.socket = socket.create_connection((host.strip("[]"), port), max(0.001, until - now()))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme == "wss":
                self.socket.settimeout(max(0.001, until - now()))
                context = options.tls or ssl.create_default_context()
                self.socket = context.wrap_socket(self.socket, server_hostname=host.strip("[]"))
        except OSError as e:
            raise self.lost(f"no connection to {host}:{port}: {e}") from e
        self.upgrade(host if port == (443 if scheme == "wss" else 80) else f"{host}:{port}", path, until)

    def upgrade(self, host: str, path: str, until: float) -> None:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.write((f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode(), until)
        while (end := self.data.find(b"\r\n\r\n")) < 0 and len(self.data) <= 8192:
            if now() >= until:
                raise self.lost("the router does not answer the request to upgrade", "timeout")
            self.fill(until)
        if not 0 <= end <= 8192:
            raise self.lost("the answer to the request to upgrade is too long")
        lines = self.data[:end].decode("latin-1").split("\r\n")
        del self.data[:end + 4]
        fields: Dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            fields[name.lower()] = (fields[name.lower()] + ", " if name.lower() in fields else "") + value.strip(" \t")
        if not re.match(r"HTTP/1\.1 101( |$)", lines[0]):
            raise self.lost(f"the router does not upgrade: {lines[0][:80]!r}")
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        wants = [w.strip() for w in fields.get("connection", "").lower().split(",")]
        if (fields.get("upgrade", "").lower() != "websocket" or "upgrade" not in wants or fields.get("sec-websocket-accept") != accept
                or "sec-websocket-extensions" in fields or "sec-websocket-protocol" in fields):
            raise self.lost("the answer to the request to upgrade is not of a WebSocket")

    def send(self, opcode: int, data: bytes, patience: float = 10.0) -> None:
        size = len(data)
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | (size if size < 126 else 126 if size < 65536 else 127))
        head += b"" if size < 126 else struct.pack("!H", size) if size < 65536 else struct.pack("!Q", size)
        mask = secrets.token_bytes(4)
        key = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
        self.write(head + mask + masked, now() + patience)

    def receive(self, until: float) -> Optional[bytes]:
        """Returns the next message that is not empty, or None if there is none by then, or within a second."""
        late = False
        while True:
            while (frame := self.frame()) is not None:
                if message := self.take(*frame):
                    return message
            if late:
                return None
            late = now() >= until
            if not self.fill(until):
                return None

    def close(self) -> None:
        """Says goodbye and waits a second for the answer."""
        until = now() + 1.0
        try:
            self.send(8, b"\x03\xe8", 1.0)
            while now() < until:
                self.receive(until)
        except Error:
            pass  # the answer is the end of the connection
        self.drop()

    def drop(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def lost(self, why: str, kind: str = "disconnected", code: int = LOST) -> Error:
        self.drop()
        return Error(f"The connection was lost: {why}.", kind, close_code=code, sent=True)

    def fail(self, code: int, why: str) -> Error:
        self.say(struct.pack("!H", code))
        return self.lost(f"the router sent {why}")

    def say(self, payload: bytes) -> None:
        """Sends a close frame if that takes no time, and ends the connection."""
        try:
            self.send(8, payload, 0.0)
        except Error:
            pass  # it has ended already
        self.drop()

    def frame(self) -> Optional[Tuple[bool, int, bytes]]:
        """Takes the next frame if all of it is there: whether it is the last of its message, opcode and content."""
        if len(self.data) < 2:
            return None
        first, size = self.data[0], self.data[1]
        opcode, head = first & 15, {126: 4, 127: 10}.get(size, 2)
        if first & 0x70 or size > 127 or opcode & 7 > 2 or (opcode >= 8 and (first < 0x80 or size > 125)):
            raise self.fail(1002, "a frame that RFC 6455 does not allow")
        if len(self.data) < head:
            return None
        if head > 2:
            size = int.from_bytes(self.data[2:head], "big")
            if size < (126 if head == 4 else 65536):
                raise self.fail(1002, "a length that is not in its shortest form")
        if opcode < 8 and size > self.limit - len(self.parts or b""):
            raise self.fail(1009, f"a message of more than {self.limit} bytes")
        if len(self.data) < head + size:
            return None
        content = bytes(self.data[head:head + size])
        del self.data[:head + size]
        return first >= 0x80, opcode, content

    def take(self, last: bool, opcode: int, data: bytes) -> Optional[bytes]:
        """Takes a frame and returns the message that it ends, if any."""
        if opcode == 8:
            raise self.closed(data)
        if opcode == 9:
            self.send(10, data)
        if opcode >= 8:
            return None
        if (opcode == 0) != (self.parts is not None):
            raise self.fail(1002, "a fragment out of its place")
        if opcode:
            self.text, self.parts = opcode == 1, bytearray()
        self.parts += data
        if not last:
            return None
        message, self.parts = bytes(self.parts), None
        if self.text and not _is_utf8(message):
            raise self.fail(1007, "a text that is not UTF-8")
        return message

    def closed(self, data: bytes) -> Error:
        code = struct.unpack("!H", data[:2])[0] if len(data) > 1 else 1005
        if len(data) == 1 or data and not (3000 <= code <= 4999 or 1000 <= code <= 1014 and code not in (1004, 1005, 1006)):
            return self.fail(1002, "a close code that does not exist")
        if not _is_utf8(data[2:]):
            return self.fail(1007, "a reason that is not UTF-8")
        self.say(data[:2])
        return self.lost(f"the router closed it with code {code} {data[2:].decode()}".strip(), code=code)

    def fill(self, until: float) -> bool:
        """Reads what is there, and waits for it until then or for a second."""
        if self.socket is None:
            raise self.lost("it has ended")
        try:
            self.socket.settimeout(max(0.0, min(until - now(), 1.0)))
            data = self.socket.recv(65536)
        except NOTHING:
            return False
        except OSError as e:
            raise self.lost(str(e)) from e
        if not data:
            raise self.lost("the router ended it without a close code")
        self.data += data
        self.heard = now()
        return True

    def write(self, data: bytes, until: float) -> None:
        """Writes all of it. A router that waits until its own messages are read is read from."""
        rest = memoryview(data)
        while rest:
            if self.socket is None:
                raise self.lost("it has ended")
            try:
                self.socket.settimeout(max(0.0, min(until - now(), 0.1)))
                rest = rest[self.socket.send(rest):]
            except NOTHING:
                if now() >= until:
                    raise self.lost("the router takes nothing", "timeout") from None
                if len(self.data) <= self.limit:
                    self.fill(0.0)
            except OSError as e:
                raise self.lost(str(e)) from e


def _address(url: str) -> Tuple[str, str, int, str]:
    m = ADDRESS.fullmatch(url)
    if not m or int(m[3] or 0) > 65535:
        raise ValueError("the URL must be as ws://HOST:PORT/ or wss://HOST/PATH")
    path = m[4] or "/"
    return m[1], m[2], int(m[3] or 0) or (443 if m[1] == "wss" else 80), path if path[0] == "/" else "/" + path


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decode(data: bytes) -> Optional[Dict[str, Any]]:
    """Returns an envelope, and None for what is none."""
    try:
        envelope = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return envelope if isinstance(envelope, dict) else None


class _Link:
    """A connection that is authenticated, and made anew when it is lost. It works while one of its methods is called."""

    send_limit = 1 << 20

    def __init__(self, url: str, token: TokenCallback, **options: Any):
        _address(url)
        self.url, self.token, self.options = url, token, Options(**options)
        self._socket: Optional[_WebSocket] = None
        self._last: Optional[Token] = None  # of the last connection, while the router may take it again
        self._refused_token: Optional[Token] = None
        self._error: Optional[Error] = None  # why there is no connection
        self._ended = self._again = self._stopping = False
        self._failures = self._refused = self._size = 0
        self._next = self._online = self._pinged = 0.0

    def connect(self, timeout: Optional[float] = None) -> None:
        """Connects now. Without it the first call that needs a connection makes one."""
        self._need(now() + (self.options.connect_timeout if timeout is None else timeout))

    @property
    def online(self) -> bool:
        """Whether there is a connection, as far as the last call of a method knows."""
        return self._socket is not None

    def stop(self) -> None:
        """Has the method that runs return soon, and each that is called later. Another thread and a signal's handler may call it."""
        self._stopping = True

    def close(self) -> None:
        """Says goodbye and ends the connection. The next call that needs one makes a new one."""
        link, self._socket, self._last = self._socket, None, None
        if link is not None:
            link.close()

    def _ask(self) -> Optional[Dict[str, Any]]:
        """Returns the payload of the authentication message."""
        return None

    def _admitted(self, payload: Any, again: bool) -> None:
        """Gets the payload of the router's answer."""

    def _encode(self, message: Dict[str, Any]) -> bytes:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        limit = self.options.send_limit or self.send_limit
        if len(text) > limit:
            raise Error(f"The message is longer than {limit} bytes.", "too_big")
        return text

    def _send(self, text: bytes) -> None:
        if self._socket is None:
            raise Error("There is no connection.", "disconnected") from self._error
        try:
            self._socket.send(1, text)
        except Error as e:
            self._lost(e)
            raise

    def _need(self, until: float) -> None:
        if not self._connected(until, True):
            code = self._error.close_code if self._error else 0
            raise Error(f"There is no connection. {self._error or ''}".strip(), "timeout", close_code=code) from self._error

    def _connected(self, until: float, strict: bool = False) -> bool:
        """Makes a connection if there is none. Returns False if there is none by then, or after stop. An attempt that is not
        strict has time to end."""
        while self._socket is None:
            if self._ended and self._error:
                e = self._error
                raise Error(str(e), e.kind, e.status, e.answer, e.close_code) from e
            at = now()
            if self._stopping or at >= until:
                return False
            if at < self._next:
                time.sleep(min(self._next - at, until - at, 0.5))
                continue
            end = at + self.options.connect_timeout
            self._attempt(min(until, end) if strict else end)
        return True

    def _receive(self, until: float) -> Optional[Dict[str, Any]]:
        """Returns the next envelope, or None if none has come by then or after stop. Raises Error when the connection is lost."""
        link = self._socket
        if link is None:
            raise Error("There is no connection.", "disconnected") from self._error
        try:
            while True:
                data = link.receive(min(until, self._due(link)))
                if data is None:
                    self._beat(link)
                elif (envelope := _decode(data)) is not None:
                    self._size = len(data)
                    if envelope.get("service_name") == "authentication" and envelope.get("status_code") == 407:
                        raise link.lost("the router asks for a token again")
                    return envelope
                if now() >= until or self._stopping:
                    return None
        except Error as e:
            self._lost(e)
            raise

    def _attempt(self, until: float) -> None:
        previous = self._last
        try:
            token = self.token(previous, self._error)
        except Exception as e:
            self._lost(Error(f"The callback of the token failed: {e}", "token"))
            return
        if previous is None and token == self._refused_token:
            self._ended = True  # asking once more would change nothing
            return
        self._last = token
        try:
            self._authenticate(token, until)
        except Error as e:
            if e.kind == "status" and token == previous:
                self._last, self._error = None, e  # it could not be used again, so a fresh one follows at once
                return
            if e.kind == "status":
                self._refused_token = token
            self._lost(e)

    def _authenticate(self, token: Token, until: float) -> None:
        link, shown = _WebSocket(self.url, self.options, until), False
        while now() < until:
            envelope = _decode(link.receive(until) or b"") or {}
            status = envelope.get("status_code") if envelope.get("service_name") == "authentication" else 0
            if status == 407 and not shown:
                shown = True
                message = {"service": "authentication", "token": {"name": token[0], "hash": token[1]}, "payload": self._ask()}
                link.send(1, self._encode(message))
            elif status == 401:
                link.close()
                raise Error("The router refuses the token.", "status", 401, envelope)
            elif status == 200:
                self._begin(link, envelope.get("payload"))
                return
        raise link.lost("the router does not answer in time", "timeout")

    def _begin(self, link: _WebSocket, payload: Any) -> None:
        again, self._again = self._again, True
        self._socket, self._error, self._refused_token = link, None, None
        self._online, self._pinged, self._refused = now(), 0.0, 0
        self._admitted(payload, again)
        self.options.on_state("online", None)

    def _lost(self, e: Error) -> None:
        """Ends the connection or the attempt, and decides by the close code what follows (protocol 8)."""
        o, code = self.options, e.close_code
        if self._socket is not None:
            self._socket.drop()
            if now() - self._online >= o.reconnect_max:
                self._failures = 0
        self._socket, self._error = None, e
        if code in (1002, 1007):
            self._ended, self._error = True, Error(str(e), "protocol", close_code=code, sent=e.sent)
        elif e.kind == "status" or code == 4003:
            self._refused += 1
            self._ended = self._refused >= o.refusals
        if e.kind == "status" or code in (1009, 4001, 4002, 4003):
            self._last = None
        bound = min(o.reconnect_max, o.reconnect_min * 2 ** min(self._failures, 30))
        self._failures += 1
        self._next = now() + random.uniform(0, bound) + (o.reconnect_later if code == 1013 else 0)
        o.on_state("offline", self._error)

    def _due(self, link: _WebSocket) -> float:
        """When a ping is due, or the answer to one."""
        beat = self.options.heartbeat
        if beat <= 0:
            return FOREVER
        return self._pinged + min(beat, 10.0) if self._pinged > link.heard else link.heard + beat

    def _beat(self, link: _WebSocket) -> None:
        if now() < self._due(link):
            return
        if self._pinged > link.heard:
            raise link.lost("the router gives no sign of life")
        link.send(9, b"")
        self._pinged = now()


class Message(NamedTuple):
    """A broadcast. missed is how many before it were dropped because this program reads too slowly. gap is True for the first one
    of the service after something may have been lost: the connection was made anew, and the router could not send what was
    broadcast in between."""

    service: str
    topic: str
    payload: Any
    missed: int
    gap: bool


class Client(_Link):
    """A client's connection: asks services, and gets their broadcasts. The token says to which services it is subscribed.

    client = strowger.Client("ws://127.0.0.1:8080/", lambda *_: strowger.Token.jwt(jwt))
    """

    def __init__(self, url: str, token: TokenCallback, **options: Any):
        super().__init__(url, token, **options)
        self._id = self._missed = self._bytes = 0
        self._waiting: deque[Tuple[Dict[str, Any], int, int, Optional[Position]]] = deque()  # envelope, size, break, position before it
        self._positions: Dict[str, Position] = dict(self.options.positions or {})
        # A break is a moment at which broadcasts may have been lost. They are counted. _all is the last one of services that are
        # not in _own, and _told the last one that was told of.
        self._breaks = self._all = 0
        self._own: Dict[str, int] = {}
        self._told: Dict[str, int] = {}

    def request(self, service: str, topic: str, payload: Any = None, timeout: Optional[float] = None) -> Any:
        """Returns the payload of the first reply. Raises Error for a status from 400 on, and if there is no answer in time. A
        request is never sent twice: if the connection is lost before the reply, only the caller knows whether to ask again."""
        timeout = self.options.timeout if timeout is None else timeout
        until, self._id = now() + timeout, self._id + 1
        text = self._encode({"request_id": str(self._id), "service": service, "topic": topic, "payload": payload})
        self._notice(until)
        self._need(until)
        self._send(text)
        while now() < until and not self._stopping:
            envelope = self._receive(until)
            if envelope is None or envelope.get("request_id") != str(self._id):
                self._keep(envelope or {})
                continue
            status = envelope.get("status_code") or 0
            if isinstance(status, int) and status >= 400:
                raise Error(f"{service} answered {topic} with {status}: {envelope.get('status_string')}", "status", status, envelope, sent=True)
            return envelope.get("payload")
        raise Error(f"No answer of {service} in {timeout} s.", "timeout", sent=True)

    def receive(self, timeout: Optional[float] = None, service: str = "", topic: str = "") -> Optional[Message]:
        """Returns the next broadcast, or None if there is none in time. Without a timeout it waits without end, and comes back
        when the connection is lost. An empty service or topic means all; what does not fit is dropped. An attempt to
        connect may take connect_timeout longer."""
        until, late = FOREVER if timeout is None else now() + timeout, False
        while True:
            message = self._pull(service, topic)
            if message or late or self._stopping or not self._connected(max(until, now() + 0.001)):
                return message
            try:
                self._keep(self._receive(until) or {})
            except Error:
                pass  # it comes back, unless _connected says that it never will
            late = now() >= until

    def subscribe(self, service: str = "", topic: str = "", timeout: Optional[float] = None) -> Iterator[Message]:
        """Yields broadcasts until stop is called, or for this time. It is receive in a loop."""
        until = FOREVER if timeout is None else now() + timeout
        while not self._stopping and (left := until - now()) > 0:
            message = self.receive(None if left == FOREVER else left, service, topic)
            if message:
                yield message

    def positions(self) -> Dict[str, Position]:
        """Returns where this program is in the histories of its services, after the last message that it got. A later process
        that has it in Options.positions gets what comes after."""
        before: Dict[str, Optional[Position]] = {}
        for envelope, _, _, position in self._waiting:
            before.setdefault(envelope["service_name"], position)
        return {name: position for name, position in {**self._positions, **before}.items() if position}

    def _ask(self) -> Optional[Dict[str, Any]]:
        if not self.options.recover:
            return None
        # The router reads short messages only before it knows a client.
        return {"history": self._positions if len(json.dumps(self._positions)) <= 4096 else {}}

    def _admitted(self, payload: Any, again: bool) -> None:
        again = again or bool(self._positions)
        told = payload.get("history") if isinstance(payload, dict) else None
        kept: Dict[str, int] = {}
        self._positions = {}
        for name, where in (told if isinstance(told, dict) else {}).items():
            where = where if isinstance(where, dict) else {}
            if isinstance(where.get("epoch"), str) and isinstance(where.get("offset"), int):
                self._positions[name] = {"epoch": where["epoch"], "offset": where["offset"]}
            if where.get("recovered") is True:
                kept[name] = self._own.get(name, self._all)
        if again:
            self._breaks += 1
            self._all, self._own = self._breaks, kept

    def _notice(self, until: float) -> None:
        """Takes what has come, so that a connection that was lost meanwhile is not written to."""
        try:
            while self.online and now() < until and (envelope := self._receive(0.0)) is not None:
                self._keep(envelope)
        except Error:
            pass  # the connection is made anew

    def _keep(self, envelope: Dict[str, Any]) -> None:
        """Keeps a broadcast until it is read. Late replies are dropped."""
        name = envelope.get("service_name")
        if envelope.get("request_id", "") != "" or not isinstance(name, str):
            return
        before, epoch, offset = self._positions.get(name), envelope.get("epoch"), envelope.get("offset")
        if isinstance(epoch, str) and isinstance(offset, int):
            if before and before["epoch"] != epoch:
                self._breaks += 1
                self._own[name] = self._breaks
            self._positions[name] = {"epoch": epoch, "offset": offset}
        self._waiting.append((envelope, self._size, self._own.get(name, self._all), before))
        self._bytes += self._size
        while len(self._waiting) > max(1, self.options.queue) or self._bytes > self.options.receive_limit and len(self._waiting) > 1:
            self._bytes -= self._waiting.popleft()[1]
            self._missed += 1

    def _pull(self, service: str, topic: str) -> Optional[Message]:
        while self._waiting:
            envelope, size, at, _ = self._waiting.popleft()
            self._bytes -= size
            name, about = envelope["service_name"], envelope.get("topic")
            if service not in ("", name) or topic not in ("", about):
                continue
            gap, missed = self._told.get(name, 0) < at, self._missed
            self._told[name], self._missed = at, 0
            return Message(name, about if isinstance(about, str) else "", envelope.get("payload"), missed, gap)
        return None


class Request:
    """A request that a service got. The router has written client_id, domain_uuid, domain_name and permissions, not the client."""

    def __init__(self, envelope: Dict[str, Any], say: Callable[[Dict[str, Any]], None]):
        self.client_id, self.topic, self.payload = envelope.get("resource_id") or "", envelope.get("topic"), envelope.get("payload")
        self.domain_uuid, self.domain_name = envelope.get("domain_uuid"), envelope.get("domain_name")
        self.permissions: List[str] = list(envelope.get("permissions") or [])
        self.answered = False
        self._id, self._say = envelope.get("request_id"), say

    def reply(self, payload: Any = None, status: int = 200, text: str = "OK") -> None:
        """Answers. A request may be answered several times. Raises Error if there is no connection."""
        self.answered = True
        self._say({"topic": self.topic, "payload": payload, "status_code": status, "status_string": text,
                   "request_id": self._id, "resource_id": self.client_id})

    def fail(self, status: int, text: str = "error") -> None:
        """Answers that the request failed. The status is 400 or more."""
        self.reply(None, status, text)


class Service(_Link):
    """A service: gets requests, answers them, and broadcasts.

    It does one thing at a time. While a function of its runs, nothing else is answered and no ping is sent. The router takes a service
    that has pinged for dead after keepalive.pinger_timeout, so longer work needs heartbeat=0. What functions raise is logged.
    """

    send_limit = 16 << 20

    def __init__(self, url: str, name: str, token: TokenCallback, **options: Any):
        super().__init__(url, token, **options)
        self.name = name
        self._handlers: Dict[str, Callable[[Request], Any]] = {}
        self._timers: List[List[Any]] = []  # every, when next, what

    def handle(self, topic: str) -> Callable[[Callable[[Request], Any]], Callable[[Request], Any]]:
        """Decorates the function that answers requests with a topic; "*" has all that no other function has. What it returns is the
        answer, unless it answered itself or returned None. A request whose function raises is answered 500, one that has none 404."""
        def keep(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
            self._handlers[topic] = handler
            return handler
        return keep

    def every(self, seconds: float, do: Callable[[], Any]) -> None:
        """Has serve call a function every so many seconds while there is a connection."""
        self._timers.append([seconds, 0.0, do])

    def broadcast(self, topic: str, payload: Any = None) -> None:
        """Broadcasts to those who watch this service. Raises Error if there is no connection."""
        self._say({"topic": topic, "payload": payload})

    def serve(self, patience: float = 5.0) -> None:
        """Serves until stop is called, and comes back when the connection is lost. Then it tells the router, answers what it still
        gets, for so many seconds at most, and ends the connection, so that no request is lost. A second stop ends the wait."""
        while self._connected(FOREVER) and not self._stopping:
            try:
                self._tick()
                self._dispatch(self._receive(min([FOREVER] + [timer[1] for timer in self._timers])) or {})
            except Error:
                pass  # the connection was lost
        self._stopping = False
        self._leave(patience)

    def _leave(self, patience: float) -> None:
        """The orderly end (protocol 5.9)."""
        until = now() + patience
        try:
            self._send(self._encode({"service": "authentication", "topic": "leaving", "request_id": "leaving"}))
            while (envelope := self._receive(until)) is not None and not self._stopping:
                if envelope.get("service_name") == "authentication" and envelope.get("request_id") == "leaving":
                    break
                self._dispatch(envelope)
        except Error:
            pass  # there is no connection, so there is nothing to leave
        self._stopping = False
        self.close()

    def _say(self, message: Dict[str, Any]) -> None:
        self._send(self._encode({"service_name": self.name, **message}))

    def _tick(self) -> None:
        for timer in self._timers:
            if timer[1] <= now() and not self._stopping:
                try:
                    timer[2]()
                except Exception:
                    log.exception("a timer failed")
                timer[1] = now() + timer[0]

    def _dispatch(self, envelope: Dict[str, Any]) -> None:
        request = Request(envelope, self._say)
        if not request.client_id:
            return  # the router's own answers, and broadcasts of others
        topic = request.topic if isinstance(request.topic, str) else ""
        try:
            handler = self._handlers.get(topic) or self._handlers.get("*")
            answer = handler(request) if handler else request.fail(404)
            if answer is not None and not request.answered:
                request.reply(answer)
        except Exception:
            log.exception("a handler failed")
            if not request.answered and self.online:
                try:
                    request.fail(500)
                except Error:
                    pass  # the connection was lost


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """The token is for the router that was asked, and for no other."""


class Http:
    """Asks services and publishes by HTTP. The router must have listen.http set. A token of a file is good for one call; a JWT
    and an API key for any number."""

    def __init__(self, url: str, token: Token, timeout: float = 65.0):
        self.url, self.timeout = url.rstrip("/"), timeout
        bearer = token.name == "jwt" or token.name.startswith("apikey")
        self.authorization = f"Bearer {token.hash}" if bearer else "Basic " + base64.b64encode(f"{token.name}:{token.hash}".encode()).decode()

    def request(self, service: str, topic: str, payload: Any = None, key: str = "") -> Any:
        """Returns the payload of the answer. A request that is sent again with the same key is carried out once."""
        return self._post("/request", {"service": service, "topic": topic, "payload": payload}, key).get("payload")

    def publish(self, topic: str, payload: Any = None, key: str = "", service: str = "") -> None:
        """Publishes a message of the service that the token is of. It has been written to all who watch, or waits for slow readers,
        when this returns."""
        self._post("/publish" + ("?service=" + urllib.parse.quote(service, safe="") if service else ""), {"topic": topic, "payload": payload}, key)

    def _post(self, path: str, message: Dict[str, Any], key: str) -> Dict[str, Any]:
        headers = {"Authorization": self.authorization, "Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        post = urllib.request.Request(self.url + path, json.dumps(message, allow_nan=False).encode(), headers, method="POST")
        try:
            with urllib.request.build_opener(_Stay).open(post, timeout=self.timeout) as reply:
                status, body = reply.status, reply.read()
        except urllib.error.HTTPError as e:
            with e:
                status, body = e.code, e.read()
        except OSError as e:
            raise Error(str(e), "disconnected", sent=True) from e
        answer = _decode(body)
        if not 200 <= status < 400 or answer is None:
            raise Error(f"{path} was answered {status}: {(answer or {}).get('status_string')}", "status", status, answer, sent=True)
        return answer
