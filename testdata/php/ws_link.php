<?php
// One WebSocket to the router, spoken as the PHP services speak it: their request headers, their
// patience when reading, and pong and close frames without a mask.

final class ws_closed extends Exception
{
}

final class ws_link
{
    /** The one GUID of RFC 6455. */
    private const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

    /** How often, and for how many microseconds, a service waits for a chunk missing inside a frame. */
    private const PATIENCE = 20;
    private const NAP = 10000;

    /** @param resource $socket upgraded and non-blocking */
    private function __construct(public readonly mixed $socket)
    {
    }

    /** Connects and upgrades. Throws when the answer is not what the services insist on. */
    public static function open(string $host, int $port): self
    {
        $socket = stream_socket_client("tcp://$host:$port", $code, $text, 5);
        if ($socket === false) {
            throw new RuntimeException("connect to $host:$port: $text");
        }
        stream_set_timeout($socket, 5);
        $key = base64_encode(random_bytes(16));
        fwrite($socket, implode("\r\n", [
            'GET / HTTP/1.1',
            "Host: $host:$port",
            'Upgrade: websocket',
            'Connection: Upgrade',
            "Sec-WebSocket-Key: $key",
            'Sec-WebSocket-Version: 13',
            'Origin: ws://127.0.0.1',
        ]) . "\r\n\r\n");
        $head = '';
        do {
            $line = fgets($socket);
            if ($line === false) {
                throw new RuntimeException("response head broke off: $head");
            }
            $head .= $line;
        } while (rtrim($line) !== '');
        if (!preg_match('/^Sec-WebSocket-Accept: (.*)\r$/m', $head, $match)) {
            throw new RuntimeException("no Sec-WebSocket-Accept spelt like this in: $head");
        }
        if ($match[1] !== base64_encode(sha1($key . self::GUID, true))) {
            throw new RuntimeException("wrong Sec-WebSocket-Accept: $match[1]");
        }
        stream_set_blocking($socket, false);
        return new self($socket);
    }

    /** Wraps a socket that was upgraded before. */
    public static function over(mixed $socket): self
    {
        return new self($socket);
    }

    public function send_text(string $text): void
    {
        $length = strlen($text);
        $head = match (true) {
            $length < 126 => chr(0x80 | $length),
            $length < 65536 => chr(0x80 | 126) . pack('n', $length),
            default => chr(0x80 | 127) . pack('J', $length),
        };
        $mask = random_bytes(4);
        $this->write("\x81" . $head . $mask . ($text ^ str_repeat($mask, intdiv($length, 4) + 1)));
    }

    public function send_pong(string $payload): void
    {
        $this->write("\x8A" . chr(strlen($payload)) . $payload);
    }

    public function close(): void
    {
        $this->write("\x88\x00");
        fclose($this->socket);
    }

    /** Reads one message: [opcode, payload]. The router sends each in one frame of its own. */
    public function receive(): array
    {
        [$first, $second] = array_values(unpack('C2', $this->read(2)));
        if (($first & 0xF0) !== 0x80 || $second & 0x80) {
            throw new RuntimeException(sprintf('frame begins %02X %02X: a fragment, a reserved bit or a mask', $first, $second));
        }
        $length = match ($second) {
            126 => unpack('n', $this->read(2))[1],
            127 => unpack('J', $this->read(8))[1],
            default => $second,
        };
        return [$first & 0x0F, $this->read($length)];
    }

    private function read(int $length): string
    {
        $data = '';
        $patience = self::PATIENCE;
        while (strlen($data) < $length) {
            $chunk = fread($this->socket, $length - strlen($data));
            if ($chunk !== false && $chunk !== '') {
                $data .= $chunk;
                $patience = self::PATIENCE;
                continue;
            }
            if (feof($this->socket)) {
                throw new ws_closed('connection lost after ' . strlen($data) . " of $length bytes");
            }
            if ($patience-- === 0) {
                throw new RuntimeException('frame stalled after ' . strlen($data) . " of $length bytes");
            }
            usleep(self::NAP);
        }
        return $data;
    }

    private function write(string $data): void
    {
        while ($data !== '') {
            [$none, $write, $except] = [null, [$this->socket], null];
            stream_select($none, $write, $except, 5);
            $sent = fwrite($this->socket, $data);
            if ($sent === false || $write === []) {
                throw new ws_closed('connection lost while writing');
            }
            $data = substr($data, $sent);
        }
    }
}
