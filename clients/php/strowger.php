<?php

declare(strict_types=1);

namespace Strowger;

/**
 * What is thrown when something fails. `kind` says why:
 *
 * - `status`: the answer has a status of 400 or more, which `status` is;
 * - `timeout`: the time for the answer, or for connecting, is over;
 * - `disconnected`: the connection was lost, or there is none;
 * - `too_big`: the message is longer than Options::$sendLimit;
 * - `token`: the token callback failed, or returned what cannot be a token;
 * - `protocol`: the router says that this client breaks the protocol.
 */
final class Error extends \RuntimeException
{
    /**
     * @param int $status The status of the answer, 0 if there was none.
     * @param array<string, mixed> $answer The envelope of the answer, empty if there was none.
     * @param int $closeCode The code with which the connection was closed; 1006 if it was lost without one, 0 if it was not.
     * @param bool $sent False only if no service can have got the message, so that sending it again is safe.
     */
    public function __construct(
        string $message,
        public readonly int $status = 0,
        public readonly array $answer = [],
        public readonly string $kind = 'status',
        public readonly int $closeCode = 0,
        public readonly bool $sent = false,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, $status, $previous);
    }
}

/**
 * Asks services and publishes by HTTP. The router must have listen.http set.
 *
 *     $client = Strowger\Client::withBearer('http://127.0.0.1:8080', $jwt);
 *     $now = $client->request('demo.clock', 'now');
 */
final class Client
{
    private function __construct(
        private readonly string $url,
        private readonly string $authorization,
        private readonly float $timeout,
    ) {
    }

    /** A client with a JWT or an API key. The timeout is in seconds. */
    public static function withBearer(string $url, string $token, float $timeout = 65.0): self
    {
        return new self(rtrim($url, '/'), 'Bearer ' . self::clean($token), $timeout);
    }

    /** A client with a token's name and hash. A token of a file is good for one call. */
    public static function withToken(string $url, string $name, string $hash, float $timeout = 65.0): self
    {
        return new self(rtrim($url, '/'), 'Basic ' . base64_encode($name . ':' . $hash), $timeout);
    }

    /**
     * Asks a service and returns the payload of its answer. Throws Error for a status from 400 on, and if there is no
     * answer. A request that is sent again with the same key is carried out once.
     */
    public function request(string $service, string $topic, mixed $payload = null, ?string $key = null): mixed
    {
        $answer = $this->post('/request', ['service' => $service, 'topic' => $topic, 'payload' => $payload], $key);
        return $answer['payload'] ?? null;
    }

    /**
     * Publishes a message of the service that the token is of. It has been written to all who watch the service, or
     * waits for slow readers, when this returns.
     */
    public function publish(string $topic, mixed $payload = null, ?string $key = null, ?string $service = null): void
    {
        $path = '/publish' . ($service === null ? '' : '?service=' . rawurlencode($service));
        $this->post($path, ['topic' => $topic, 'payload' => $payload], $key);
    }

    /**
     * @param array<string, mixed> $message
     * @return array<mixed>
     */
    private function post(string $path, array $message, ?string $key): array
    {
        $headers = ['Authorization: ' . $this->authorization, 'Content-Type: application/json', 'Connection: close'];
        if ($key !== null) {
            $headers[] = 'Idempotency-Key: ' . self::clean($key);
        }
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => $headers,
            'content' => json_encode($message, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES),
            'timeout' => $this->timeout,
            'ignore_errors' => true,
            'follow_location' => 0,
            'protocol_version' => 1.1,
        ]]);
        $body = @file_get_contents($this->url . $path, false, $context);
        if ($body === false) {
            throw new Error('strowger: ' . (error_get_last()['message'] ?? 'no answer'), kind: 'disconnected', sent: true);
        }
        $answer = json_decode($body, true);
        $status = (int) (explode(' ', $http_response_header[0] ?? '')[1] ?? 0);
        if ($status < 200 || $status >= 400 || !is_array($answer)) {
            $answer = is_array($answer) ? $answer : [];
            $text = (string) ($answer['status_string'] ?? '');
            throw new Error("strowger: $path was answered $status" . ($text === '' ? '' : ": $text"), $status, $answer, sent: true);
        }
        return $answer;
    }

    /** A header has no line ends, whoever wrote the value. */
    private static function clean(string $value): string
    {
        if (preg_match('/[\x00-\x1f\x7f]/', $value)) {
            throw new Error('strowger: a control character in a token or a key', kind: 'token');
        }
        return $value;
    }
}

/** What a connection authenticates with (protocol 4). */
final class Token
{
    public function __construct(
        public readonly string $name,
        #[\SensitiveParameter] public readonly string $hash,
    ) {
    }

    /** A token from what `strowger token create` prints. */
    public static function parse(#[\SensitiveParameter] string $json): self
    {
        $token = json_decode($json, true);
        if (!is_array($token) || !is_string($token['name'] ?? null) || !is_string($token['hash'] ?? null)) {
            throw new Error('strowger: the text is not a token', kind: 'token');
        }
        return new self($token['name'], $token['hash']);
    }

    /** A JSON Web Token. */
    public static function jwt(#[\SensitiveParameter] string $jwt): self
    {
        return new self('jwt', $jwt);
    }

    /** An API key. A key for several services needs the name of one. */
    public static function apiKey(#[\SensitiveParameter] string $key, string $service = ''): self
    {
        return new self($service === '' ? 'apikey' : "apikey:$service", $key);
    }
}

/** How a Socket or a Service connects. All times are in seconds. */
final class Options
{
    /**
     * @param float $timeout How long a request waits for its answer, connecting included.
     * @param float $connectTimeout How long an attempt to connect may take. The token callback and the look-up of a host's
     *     name do not count.
     * @param float $heartbeat After how long without a word the router is pinged. The connection is given up if nothing
     *     comes in the same time again, at most 10 s. 0 means that it is never pinged.
     * @param float $reconnectMin The first pause before connecting again is a random time up to this. The bound doubles
     *     with each attempt. A connection that lasted $reconnectMax starts the row anew.
     * @param float $reconnectMax The longest bound.
     * @param float $reconnectLater What is added after close code 1013, "try again later".
     * @param int $refusals How many fresh tokens the router may refuse in a row before the client gives up.
     * @param int|null $sendLimit The longest message that is sent, in bytes. Null means what the router takes by default:
     *     1 MiB of a client, 16 MiB of a service.
     * @param int $receiveLimit The longest message that is taken, in bytes.
     * @param int $queue How many broadcasts wait until they are read. Beyond it, and beyond $receiveLimit bytes, the oldest
     *     is dropped.
     * @param bool $recover Whether the router is asked for broadcasts that were missed.
     * @param array<string, array{epoch: string, offset: int}> $positions Where an earlier Socket was, as its positions() said.
     * @param array<string, mixed> $tls More options of PHP's ssl context, such as cafile or local_cert.
     * @param (\Closure(string, ?Error): void)|null $onState Gets 'online', or 'offline' and why.
     */
    public function __construct(
        public readonly float $timeout = 30.0,
        public readonly float $connectTimeout = 15.0,
        public readonly float $heartbeat = 25.0,
        public readonly float $reconnectMin = 0.5,
        public readonly float $reconnectMax = 30.0,
        public readonly float $reconnectLater = 5.0,
        public readonly int $refusals = 5,
        public readonly ?int $sendLimit = null,
        public readonly int $receiveLimit = 16 << 20,
        public readonly int $queue = 1000,
        public readonly bool $recover = true,
        public readonly array $positions = [],
        public readonly array $tls = [],
        public readonly ?\Closure $onState = null,
    ) {
    }
}

/**
 * The client's side of one WebSocket (RFC 6455).
 *
 * @internal
 */
final class WebSocket
{
    public const LOST = 1006;
    private const PATIENCE = 10.0; // for one write, in seconds
    private const HEAD = 8192; // the longest answer to the request to upgrade
    private const ADDRESS = '~^(wss?)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?([/?][\x21\x22\x24-\x7e]*)?$~D';

    /** When something was heard last. */
    public float $heard;

    private string $in = '';
    private int $at = 0; // how much of $in has been taken
    private ?string $parts = null; // of a message whose last fragment has not come
    private bool $text = false; // $parts is a text
    private string $notice = ''; // of the last call of a function of PHP's

    /** @param resource|null $stream */
    private function __construct(private $stream, private readonly int $limit)
    {
        $this->heard = self::now();
    }

    /** The time in seconds, from any moment on. It does not jump as the time of the day does. */
    public static function now(): float
    {
        return hrtime(true) / 1e9;
    }

    /**
     * @return array{string, string, int, string} whether it is wss or ws, host, port and path
     */
    public static function address(string $url): array
    {
        if (!preg_match(self::ADDRESS, $url, $m) || (int) ($m[3] ?? 0) > 65535) {
            throw new \InvalidArgumentException('strowger: the URL must be as ws://HOST:PORT/ or wss://HOST/PATH');
        }
        $path = $m[4] ?? '/';
        $port = (int) ($m[3] ?? 0);
        return [$m[1], $m[2], $port ?: ($m[1] === 'wss' ? 443 : 80), $path[0] === '?' ? "/$path" : $path];
    }

    /** @param array<string, mixed> $tls */
    public static function open(string $url, array $tls, int $limit, float $until): self
    {
        [$scheme, $host, $port, $path] = self::address($url);
        $context = stream_context_create([
            'socket' => ['tcp_nodelay' => true],
            'ssl' => $tls + ['verify_peer' => true, 'verify_peer_name' => true, 'allow_self_signed' => false,
                'peer_name' => trim($host, '[]'), 'SNI_enabled' => true, 'disable_compression' => true],
        ]);
        $socket = new self(null, $limit);
        $left = max(0.001, $until - self::now());
        $stream = $socket->call(fn () => stream_socket_client("tcp://$host:$port", timeout: $left, context: $context));
        if (!is_resource($stream)) {
            throw $socket->lost("no connection to $host:$port");
        }
        $socket->stream = $stream;
        stream_set_blocking($stream, false);
        stream_set_read_buffer($stream, 0);
        stream_set_write_buffer($stream, 0);
        stream_set_chunk_size($stream, 65536);
        if ($scheme === 'wss') {
            $socket->encrypt($until);
        }
        $socket->upgrade($port === ($scheme === 'wss' ? 443 : 80) ? $host : "$host:$port", $path, $until);
        return $socket;
    }

    /** Sends a frame: opcode 1 is a text, 9 a ping. */
    public function send(int $opcode, string $data): void
    {
        $size = strlen($data);
        $head = chr(0x80 | $opcode) . match (true) {
            $size < 126 => chr(0x80 | $size),
            $size < 65536 => "\xfe" . pack('n', $size),
            default => "\xff" . pack('NN', $size >> 32, $size),
        };
        $mask = random_bytes(4);
        $this->write($head . $mask . ($data ^ str_repeat($mask, intdiv($size, 4) + 1)), self::now() + self::PATIENCE);
    }

    /**
     * Returns the next message that is not empty, or null if none has come by $until or within a second, or if a signal came.
     * Throws Error when the connection ends.
     */
    public function receive(float $until): ?string
    {
        for ($late = false;;) {
            while (($frame = $this->frame()) !== null) {
                $message = $this->take(...$frame);
                if ($message !== null && $message !== '') {
                    return $message;
                }
            }
            if ($late) {
                return null;
            }
            $late = self::now() >= $until;
            if (!$this->fill($until)) {
                return null;
            }
        }
    }

    /** Says goodbye and waits a second for the answer. */
    public function close(): void
    {
        $until = self::now() + 1.0;
        try {
            $this->write($this->closing(1000), $until);
            while (self::now() < $until) {
                $this->receive($until);
            }
        } catch (Error) {
            // The answer is the end of the connection.
        }
        $this->drop();
    }

    /** Ends the connection without a word. */
    public function drop(): void
    {
        if ($this->stream !== null) {
            $this->call(fn () => fclose($this->stream));
            $this->stream = null;
        }
    }

    private function encrypt(float $until): void
    {
        $method = STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT | STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT;
        while (($done = $this->call(fn () => stream_socket_enable_crypto($this->stream, true, $method))) !== true) {
            if ($done === false) {
                throw $this->lost('no TLS');
            }
            if (self::now() >= $until) {
                throw $this->late('The TLS handshake does not end.');
            }
            $this->wait($until, false);
        }
    }

    private function upgrade(string $host, string $path, float $until): void
    {
        $key = base64_encode(random_bytes(16));
        $this->write("GET $path HTTP/1.1\r\nHost: $host\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            . "Sec-WebSocket-Key: $key\r\nSec-WebSocket-Version: 13\r\n\r\n", $until);
        while (($end = strpos($this->in, "\r\n\r\n")) === false && strlen($this->in) <= self::HEAD) {
            if (self::now() >= $until) {
                throw $this->late('The router does not answer the request to upgrade.');
            }
            $this->fill($until);
        }
        if ($end === false || $end > self::HEAD) {
            throw $this->lost('the answer to the request to upgrade is too long');
        }
        $lines = explode("\r\n", substr($this->in, 0, $end));
        $this->at = $end + 4;
        $fields = [];
        foreach (array_slice($lines, 1) as $line) {
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            $name = strtolower($name);
            $fields[$name] = (isset($fields[$name]) ? $fields[$name] . ', ' : '') . trim($value);
        }
        if (!preg_match('~^HTTP/1\.1 101(?: |$)~D', $lines[0])) {
            $status = preg_match('~^HTTP/1\.\d (\d{3})(?: |$)~', $lines[0], $m) ? (int) $m[1] : 0;
            throw $this->lost('the router does not upgrade: ' . substr(preg_replace('/[^\x20-\x7e]/', '?', $lines[0]), 0, 80), $status);
        }
        $wants = strtolower($fields['connection'] ?? '');
        if (
            strtolower($fields['upgrade'] ?? '') !== 'websocket'
            || !in_array('upgrade', array_map('trim', explode(',', $wants)), true)
            || !hash_equals(base64_encode(sha1($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11', true)), $fields['sec-websocket-accept'] ?? '')
            || isset($fields['sec-websocket-extensions']) || isset($fields['sec-websocket-protocol'])
        ) {
            throw $this->lost('the answer to the request to upgrade is not of a WebSocket');
        }
    }

    /**
     * Returns the next frame if all of it is there.
     *
     * @return array{bool, int, string}|null whether it is the last of its message, opcode and content
     */
    private function frame(): ?array
    {
        $have = strlen($this->in) - $this->at;
        if ($have < 2) {
            return null;
        }
        $first = ord($this->in[$this->at]);
        $size = ord($this->in[$this->at + 1]);
        $opcode = $first & 15;
        if (($first & 0x70) !== 0 || $size > 127 || ($opcode & 7) > 2 || $opcode >= 8 && ($first < 0x80 || $size > 125)) {
            throw $this->fail(1002, 'a frame that RFC 6455 does not allow');
        }
        $head = [126 => 4, 127 => 10][$size] ?? 2;
        if ($have < $head) {
            return null;
        }
        if ($head === 4) {
            $size = unpack('n', $this->in, $this->at + 2)[1];
        } elseif ($head === 10) {
            [1 => $high, 2 => $size] = unpack('N2', $this->in, $this->at + 2);
            $size = $high !== 0 || $size < 0 ? PHP_INT_MAX : $size;
        }
        if ($head === 4 && $size < 126 || $head === 10 && $size < 65536) {
            throw $this->fail(1002, 'a length that is not in its shortest form');
        }
        if ($opcode < 8 && $size > $this->limit - strlen($this->parts ?? '')) {
            throw $this->fail(1009, "a message of more than {$this->limit} bytes");
        }
        if ($have < $head + $size) {
            return null;
        }
        $data = substr($this->in, $this->at + $head, $size);
        $this->at += $head + $size;
        if ($this->at === strlen($this->in) || $this->at > 65536) {
            $this->in = substr($this->in, $this->at);
            $this->at = 0;
        }
        return [$first >= 0x80, $opcode, $data];
    }

    /** Takes a frame and returns the message that it ends, if any. */
    private function take(bool $last, int $opcode, string $data): ?string
    {
        if ($opcode >= 8) {
            if ($opcode === 8) {
                throw $this->closed($data);
            }
            if ($opcode === 9) {
                $this->send(10, $data);
            }
            return null;
        }
        if (($opcode === 0) !== ($this->parts !== null)) {
            throw $this->fail(1002, 'a fragment out of its place');
        }
        if ($opcode !== 0) {
            $this->text = $opcode === 1;
            $this->parts = '';
        }
        $this->parts .= $data;
        if (!$last) {
            return null;
        }
        $message = $this->parts;
        $this->parts = null;
        if ($this->text && !preg_match('//u', $message)) {
            throw $this->fail(1007, 'a text that is not UTF-8');
        }
        return $message;
    }

    /** Answers a close frame, and returns what it says. */
    private function closed(string $data): Error
    {
        $code = strlen($data) < 2 ? 1005 : unpack('n', $data)[1];
        $reason = substr($data, 2);
        $known = $code >= 3000 && $code <= 4999 || $code >= 1000 && $code <= 1014 && !in_array($code, [1004, 1005, 1006], true);
        if (strlen($data) === 1 || $data !== '' && !$known) {
            return $this->fail(1002, 'a close code that does not exist');
        }
        if (!preg_match('//u', $reason)) {
            return $this->fail(1007, 'a reason that is not UTF-8');
        }
        $this->say($data === '' ? '' : pack('n', $code));
        $text = 'The router closed the connection with code ' . $code . ($reason === '' ? '.' : ": $reason.");
        return new Error("strowger: $text", kind: 'disconnected', closeCode: $code, sent: true);
    }

    /** Closes the connection because of what the peer did. */
    private function fail(int $code, string $why): Error
    {
        $this->say(pack('n', $code));
        return $this->lost("the router sent $why");
    }

    /** Sends a close frame if that takes no time, and ends the connection. */
    private function say(string $payload): void
    {
        try {
            $this->write($this->closing(1000, $payload), self::now());
        } catch (Error) {
            // It has ended already.
        }
        $this->drop();
    }

    private function closing(int $code, ?string $payload = null): string
    {
        $payload ??= pack('n', $code);
        $mask = random_bytes(4);
        return "\x88" . chr(0x80 | strlen($payload)) . $mask . ($payload ^ $mask);
    }

    private function lost(string $why, int $status = 0): Error
    {
        $notice = $this->notice === '' ? '' : " ({$this->notice})";
        $this->drop();
        return new Error("strowger: The connection was lost: $why$notice.", $status, kind: 'disconnected', closeCode: self::LOST, sent: true);
    }

    private function late(string $why): Error
    {
        $this->drop();
        return new Error("strowger: $why", kind: 'timeout', closeCode: self::LOST, sent: true);
    }

    /** Reads what is there. Returns false if nothing has come by $until or within a second, or if a signal came. */
    private function fill(float $until): bool
    {
        for ($waited = false;; $waited = true) {
            if ($this->stream === null) {
                throw $this->lost('it has ended');
            }
            $data = $this->call(fn () => fread($this->stream, 65536));
            if (is_string($data) && $data !== '') {
                $this->in .= $data;
                $this->heard = self::now();
                return true;
            }
            if (stream_get_meta_data($this->stream)['eof']) {
                throw $this->lost('the router ended it without a close code');
            }
            if ($waited || !$this->wait($until, false)) {
                return false;
            }
        }
    }

    /** Writes all of it. A router that waits until its own messages are read is read from. */
    private function write(string $data, float $until): void
    {
        for ($at = 0, $size = strlen($data), $piece = ''; $at < $size;) {
            if ($piece === '') {
                $piece = substr($data, $at, 16384); // TLS must be given the same text again
            }
            if ($this->stream === null) {
                throw $this->lost('it has ended');
            }
            $written = $this->call(fn () => fwrite($this->stream, $piece));
            if (is_int($written) && $written > 0) {
                $at += $written;
                $piece = '';
                continue;
            }
            if ($this->notice !== '' || stream_get_meta_data($this->stream)['eof']) {
                throw $this->lost('it cannot be written to');
            }
            if (self::now() >= $until) {
                throw $this->late('The router takes nothing.');
            }
            $room = strlen($this->in) - $this->at <= $this->limit;
            $this->wait($until, true, $room);
            if ($room) {
                $this->fill(0.0);
            }
        }
    }

    /** Waits until there is something to read, or room to write; until then at most, and a second; and until a signal comes. */
    private function wait(float $until, bool $write, bool $read = true): bool
    {
        $left = max(0.0, min($until - self::now(), 1.0));
        $readers = $read ? [$this->stream] : [];
        $writers = $write ? [$this->stream] : [];
        $others = null;
        return (bool) $this->call(function () use ($readers, $writers, $others, $left) {
            return stream_select($readers, $writers, $others, (int) $left, (int) (($left - (int) $left) * 1e6));
        });
    }

    /** Calls a function of PHP's, and keeps what it complains of. */
    private function call(\Closure $function): mixed
    {
        $this->notice = '';
        set_error_handler(function (int $level, string $text): bool {
            $this->notice = $text;
            return true;
        });
        try {
            return $function();
        } finally {
            restore_error_handler();
        }
    }
}

/**
 * A connection that is authenticated, and made anew when it is lost. It works while one of its methods is called: PHP does one
 * thing at a time.
 */
abstract class Link
{
    /** The callback of the tokens. @var \Closure(?Token, ?Error, int): Token */
    private readonly \Closure $tokens;
    private ?WebSocket $socket = null;
    private ?Token $token = null; // of the last connection, while the router may take it again
    private ?Token $refusedToken = null;
    private ?Error $error = null; // why there is no connection
    private bool $ended = false; // it does not come back
    private bool $again = false; // it was online before
    private int $failures = 0; // attempts in a row, for the pauses
    private int $failed = 0; // attempts since it was last online
    private int $refused = 0; // fresh tokens in a row
    private float $next = 0.0; // when the next attempt may begin
    private float $online = 0.0; // since when there is this connection
    private float $pinged = 0.0;
    protected bool $stopping = false;
    protected int $size = 0; // of the last message

    /**
     * @param string $url Such as wss://pbx.example.com/websockets/.
     * @param callable(?Token, ?Error, int): Token $token Returns a token for one connection, and is called each time one is made.
     *     It gets the token of the last connection, if the router may take it once more, why that ended, and how many attempts
     *     have failed since.
     */
    public function __construct(private readonly string $url, callable $token, protected readonly Options $options = new Options())
    {
        WebSocket::address($url);
        $this->tokens = $token(...);
    }

    /**
     * Connects now. Without it the first call that needs a connection makes one. Throws Error if there is no connection in
     * this time, in seconds.
     */
    public function connect(?float $timeout = null): void
    {
        $this->need(WebSocket::now() + ($timeout ?? $this->options->connectTimeout));
    }

    /** Tells whether there is a connection, as far as the last call of a method knows. */
    public function isOnline(): bool
    {
        return $this->socket !== null;
    }

    /** Has the method that runs return soon, and each that is called later. It may be called from a signal's handler. */
    public function stop(): void
    {
        $this->stopping = true;
    }

    /** Says goodbye and ends the connection. The next call that needs one makes a new one. */
    public function close(): void
    {
        $socket = $this->socket;
        $this->socket = null;
        $this->token = null; // a token is not taken again after a goodbye
        $socket?->close();
    }

    /** @return array<string, mixed>|null the payload of the authentication message */
    abstract protected function ask(): ?array;

    /** Gets the payload of the router's answer. */
    abstract protected function admitted(mixed $payload, bool $again): void;

    /** How long a message may be by default. */
    abstract protected function sendLimit(): int;

    /** @param array<string, mixed> $message */
    protected function encode(array $message): string
    {
        $text = json_encode($message, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION);
        $limit = $this->options->sendLimit ?? $this->sendLimit();
        if (strlen($text) > $limit) {
            throw new Error("strowger: The message is longer than $limit bytes.", kind: 'too_big');
        }
        return $text;
    }

    protected function send(string $text): void
    {
        if ($this->socket === null) {
            throw new Error('strowger: There is no connection.', kind: 'disconnected', previous: $this->error);
        }
        try {
            $this->socket->send(1, $text);
        } catch (Error $e) {
            $this->lost($e);
            throw $e;
        }
    }

    /** Has a connection by then, or throws Error. */
    protected function need(float $until): void
    {
        if (!$this->connected($until, true)) {
            $why = $this->error === null ? '' : ' ' . substr($this->error->getMessage(), strlen('strowger: '));
            throw new Error("strowger: There is no connection.$why", kind: 'timeout', closeCode: $this->error->closeCode ?? 0, previous: $this->error);
        }
    }

    /**
     * Makes a connection if there is none. Returns false if there is none by then, or after stop. An attempt that is not strict
     * has time to end. Throws Error if there never will be one.
     */
    protected function connected(float $until, bool $strict = false): bool
    {
        while ($this->socket === null) {
            if ($this->ended) {
                $e = $this->error;
                throw new Error($e->getMessage(), $e->status, $e->answer, $e->kind, $e->closeCode, previous: $e);
            }
            $now = WebSocket::now();
            if ($this->stopping || $now >= $until) {
                return false;
            }
            if ($now < $this->next) {
                usleep((int) (max(0.001, min($this->next - $now, $until - $now, 1.0)) * 1e6));
                continue;
            }
            $end = $now + $this->options->connectTimeout;
            $this->attempt($strict ? min($until, $end) : $end);
        }
        return true;
    }

    /**
     * Returns the next envelope, or null if none has come by then or after stop. Throws Error when the connection is lost.
     *
     * @return array<string, mixed>|null
     */
    protected function next(float $until): ?array
    {
        $socket = $this->socket ?? throw new Error('strowger: There is no connection.', kind: 'disconnected', previous: $this->error);
        try {
            do {
                $text = $socket->receive(min($until, $this->due($socket)));
                if ($text === null) {
                    $this->beat($socket);
                    continue;
                }
                $this->size = strlen($text);
                $envelope = $this->decode($text);
                if (($envelope['service_name'] ?? null) === 'authentication' && ($envelope['status_code'] ?? 0) === 407) {
                    throw new Error('strowger: The router asks for a token again.', kind: 'disconnected', closeCode: WebSocket::LOST, sent: true);
                }
                if ($envelope !== null) {
                    return $envelope;
                }
            } while (WebSocket::now() < $until && !$this->stopping);
        } catch (Error $e) {
            $this->lost($e);
            throw $e;
        }
        return null;
    }

    private function attempt(float $until): void
    {
        $previous = $this->token;
        try {
            $token = ($this->tokens)($previous, $this->error, $this->failed);
        } catch (\Exception $e) {
            $this->lost(new Error('strowger: The token callback failed: ' . $e->getMessage(), kind: 'token', previous: $e));
            return;
        }
        if ($previous === null && $token == $this->refusedToken) {
            $this->ended = true; // asking once more would change nothing
            return;
        }
        $this->token = $token;
        try {
            $this->authenticate($token, $until);
        } catch (Error $e) {
            if ($e->kind === 'status' && $token == $previous) {
                $this->token = null; // it could not be used again, so a fresh one follows at once
                $this->error = $e;
            } else {
                $this->refusedToken = $e->kind === 'status' ? $token : $this->refusedToken;
                $this->lost($e);
            }
        }
    }

    private function authenticate(Token $token, float $until): void
    {
        $socket = WebSocket::open($this->url, $this->options->tls, $this->options->receiveLimit, $until);
        $shown = false;
        while (WebSocket::now() < $until) {
            $envelope = $this->decode($socket->receive($until) ?? '');
            if (($envelope['service_name'] ?? null) !== 'authentication') {
                continue;
            }
            $status = $envelope['status_code'] ?? 0;
            if ($status === 407 && !$shown) {
                $shown = true;
                $message = ['service' => 'authentication', 'token' => ['name' => $token->name, 'hash' => $token->hash]];
                $asked = $this->ask();
                $socket->send(1, $this->encode($message + ($asked === null ? [] : ['payload' => $asked])));
            } elseif ($status === 401) {
                $socket->close();
                throw new Error('strowger: The router refuses the token.', 401, $envelope, 'status');
            } elseif ($status === 200) {
                $this->begin($socket, $envelope['payload'] ?? null);
                return;
            }
        }
        $socket->drop();
        throw new Error('strowger: The router does not answer in time.', kind: 'timeout', closeCode: WebSocket::LOST);
    }

    private function begin(WebSocket $socket, mixed $payload): void
    {
        $this->socket = $socket;
        $this->failed = $this->refused = 0;
        $this->error = $this->refusedToken = null;
        $this->online = WebSocket::now();
        $this->pinged = 0.0;
        $again = $this->again;
        $this->again = true;
        $this->admitted($payload, $again);
        if ($this->options->onState !== null) {
            ($this->options->onState)('online', null);
        }
    }

    /** Ends the connection or the attempt, and decides by the close code what follows (protocol 8). */
    private function lost(Error $e): void
    {
        $code = $e->closeCode;
        $this->socket?->drop();
        if ($this->socket !== null && WebSocket::now() - $this->online >= $this->options->reconnectMax) {
            $this->failures = 0;
        }
        $this->socket = null;
        $this->error = $e;
        if ($code === 1002 || $code === 1007) {
            $this->error = new Error($e->getMessage(), kind: 'protocol', closeCode: $code, sent: $e->sent, previous: $e);
            $this->ended = true;
        } elseif (($e->kind === 'status' || $code === 4003) && ++$this->refused >= $this->options->refusals) {
            $this->ended = true;
        }
        if ($e->kind === 'status' || in_array($code, [1009, 4001, 4002, 4003], true)) {
            $this->token = null;
        }
        $this->failed++;
        $bound = min($this->options->reconnectMax, $this->options->reconnectMin * 2 ** min($this->failures++, 30));
        $this->next = WebSocket::now() + $bound * random_int(0, 1000000) / 1e6 + ($code === 1013 ? $this->options->reconnectLater : 0);
        if ($this->options->onState !== null) {
            ($this->options->onState)('offline', $this->error);
        }
    }

    /** When a ping is due, or the answer to one. */
    private function due(WebSocket $socket): float
    {
        $heartbeat = $this->options->heartbeat;
        return match (true) {
            $heartbeat <= 0 => INF,
            $this->pinged > $socket->heard => $this->pinged + min($heartbeat, 10.0),
            default => $socket->heard + $heartbeat,
        };
    }

    private function beat(WebSocket $socket): void
    {
        if (WebSocket::now() < $this->due($socket)) {
            return;
        }
        if ($this->pinged > $socket->heard) {
            throw new Error('strowger: The router gives no sign of life.', kind: 'disconnected', closeCode: WebSocket::LOST, sent: true);
        }
        $socket->send(9, '');
        $this->pinged = WebSocket::now();
    }

    /** @return array<string, mixed>|null null for what is no envelope */
    private function decode(string $text): ?array
    {
        $envelope = json_decode($text, true, 512, JSON_BIGINT_AS_STRING);
        return is_array($envelope) ? $envelope : null;
    }
}

/** A broadcast of a service. JSON's objects are arrays with keys. */
final class Message
{
    /**
     * @param int $missed How many messages before this one were dropped because this program reads too slowly.
     * @param bool $gap True for the first message of the service after something may have been lost: the connection was made
     *     anew, and the router could not send what was broadcast in between.
     */
    public function __construct(
        public readonly string $service,
        public readonly string $topic,
        public readonly mixed $payload,
        public readonly int $missed,
        public readonly bool $gap,
    ) {
    }
}

/**
 * A client's connection: asks services, and gets their broadcasts. The token says to which services it is subscribed.
 *
 *     $socket = new Strowger\Socket('ws://127.0.0.1:8080/', fn () => Strowger\Token::jwt($jwt));
 *     $now = $socket->request('demo.clock', 'now');
 *     foreach ($socket->subscribe('demo.clock', 'tick') as $message) { ... }
 */
final class Socket extends Link
{
    private const LONGEST = 4096; // of the positions: the router reads short messages only before it knows a client

    private int $last = 0; // id of the last request
    private int $missed = 0;
    private int $bytes = 0; // of all that wait
    /** @var \SplQueue<array{array<string, mixed>, int, int, array{epoch: string, offset: int}|null}> envelope, size, break, position before it */
    private \SplQueue $waiting;
    /** @var array<string, array{epoch: string, offset: int}> */
    private array $positions;
    // A break is a moment at which broadcasts may have been lost. They are counted.
    private int $breaks = 0;
    private int $all = 0; // the last break of all services that are not in $own
    /** @var array<string, int> */
    private array $own = [];
    /** @var array<string, int> the last break that was told of, by service */
    private array $told = [];

    public function __construct(string $url, callable $token, Options $options = new Options())
    {
        parent::__construct($url, $token, $options);
        $this->waiting = new \SplQueue();
        $this->positions = $options->positions;
    }

    /**
     * Asks a service and returns the payload of the first reply. Throws Error for a status from 400 on, and if there is no
     * answer in time, in seconds. A request is never sent twice: if the connection is lost before the reply, `sent` of
     * the Error says whether a service may have got it.
     */
    public function request(string $service, string $topic, mixed $payload = null, ?float $timeout = null): mixed
    {
        $timeout ??= $this->options->timeout;
        $until = WebSocket::now() + $timeout;
        $id = (string) ++$this->last;
        $text = $this->encode(['request_id' => $id, 'service' => $service, 'topic' => $topic, 'payload' => $payload]);
        $this->notice($until);
        $this->need($until);
        $this->send($text);
        do {
            $envelope = $this->next($until);
            if ($envelope === null) {
                continue;
            }
            if (($envelope['request_id'] ?? '') !== $id) {
                $this->keep($envelope);
                continue;
            }
            $status = (int) ($envelope['status_code'] ?? 0);
            if ($status >= 400) {
                $why = (string) ($envelope['status_string'] ?? '');
                throw new Error("strowger: $service answered $topic with $status" . ($why === '' ? '' : ": $why"), $status, $envelope, sent: true);
            }
            return $envelope['payload'] ?? null;
        } while (WebSocket::now() < $until && !$this->stopping);
        throw new Error("strowger: No answer of $service in $timeout s.", kind: 'timeout', sent: true);
    }

    /**
     * Returns the next broadcast, or null if there is none in time, in seconds. Null waits without end. An empty service or topic
     * means all; what does not fit is dropped. It comes back when the connection is lost, and throws Error if it cannot. An
     * attempt to connect may take Options::$connectTimeout longer.
     */
    public function receive(?float $timeout = null, string $service = '', string $topic = ''): ?Message
    {
        $until = $timeout === null ? INF : WebSocket::now() + $timeout;
        for ($late = false;; $late = WebSocket::now() >= $until) {
            $message = $this->pull($service, $topic);
            if ($message !== null || $late || $this->stopping || !$this->connected(max($until, WebSocket::now() + 0.001))) {
                return $message;
            }
            try {
                $envelope = $this->next($until);
            } catch (Error) {
                continue; // it comes back, unless connected says that it never will
            }
            if ($envelope !== null) {
                $this->keep($envelope);
            }
        }
    }

    /**
     * Yields broadcasts until stop is called, or for this time, in seconds. It is receive in a loop.
     *
     * @return \Generator<int, Message>
     */
    public function subscribe(string $service = '', string $topic = '', ?float $timeout = null): \Generator
    {
        $until = $timeout === null ? INF : WebSocket::now() + $timeout;
        while (!$this->stopping && ($left = $until - WebSocket::now()) > 0) {
            $message = $this->receive($left === INF ? null : $left, $service, $topic);
            if ($message !== null) {
                yield $message;
            }
        }
    }

    /**
     * Returns where this program is in the histories of its services, after the last message that it got. A later process that
     * has it in Options::$positions gets what comes after.
     *
     * @return array<string, array{epoch: string, offset: int}>
     */
    public function positions(): array
    {
        $before = [];
        foreach ($this->waiting as [$envelope, , , $position]) {
            $before += [$envelope['service_name'] => $position];
        }
        return array_filter($before + $this->positions);
    }

    protected function ask(): ?array
    {
        if (!$this->options->recover) {
            return null;
        }
        $fits = strlen(json_encode($this->positions, JSON_THROW_ON_ERROR)) <= self::LONGEST;
        return ['history' => (object) ($fits ? $this->positions : [])];
    }

    protected function admitted(mixed $payload, bool $again): void
    {
        $again = $again || $this->positions !== [];
        $told = is_array($payload) && is_array($payload['history'] ?? null) ? $payload['history'] : [];
        $this->positions = $kept = [];
        foreach ($told as $service => $where) {
            $service = (string) $service;
            if (is_string($where['epoch'] ?? null) && is_int($where['offset'] ?? null)) {
                $this->positions[$service] = ['epoch' => $where['epoch'], 'offset' => $where['offset']];
            }
            if (($where['recovered'] ?? false) === true) {
                $kept[$service] = $this->own[$service] ?? $this->all;
            }
        }
        if ($again) {
            $this->all = ++$this->breaks;
            $this->own = $kept;
        }
    }

    protected function sendLimit(): int
    {
        return 1 << 20;
    }

    /** Takes what has come, so that a connection that was lost meanwhile is not written to. */
    private function notice(float $until): void
    {
        try {
            while ($this->isOnline() && WebSocket::now() < $until && ($envelope = $this->next(0.0)) !== null) {
                $this->keep($envelope);
            }
        } catch (Error) {
            // The connection is made anew.
        }
    }

    /**
     * Keeps a broadcast until it is read. Late replies are dropped.
     *
     * @param array<string, mixed> $envelope
     */
    private function keep(array $envelope): void
    {
        $service = $envelope['service_name'] ?? null;
        if (($envelope['request_id'] ?? '') !== '' || !is_string($service)) {
            return;
        }
        $before = $this->positions[$service] ?? null;
        if (is_string($envelope['epoch'] ?? null) && is_int($envelope['offset'] ?? null)) {
            if ($before !== null && $before['epoch'] !== $envelope['epoch']) {
                $this->own[$service] = ++$this->breaks;
            }
            $this->positions[$service] = ['epoch' => $envelope['epoch'], 'offset' => $envelope['offset']];
        }
        $this->waiting->enqueue([$envelope, $this->size, $this->own[$service] ?? $this->all, $before]);
        $this->bytes += $this->size;
        while (count($this->waiting) > max(1, $this->options->queue) || $this->bytes > $this->options->receiveLimit && count($this->waiting) > 1) {
            $this->bytes -= $this->waiting->dequeue()[1];
            $this->missed++;
        }
    }

    private function pull(string $service, string $topic): ?Message
    {
        while (!$this->waiting->isEmpty()) {
            [$envelope, $size, $break] = $this->waiting->dequeue();
            $this->bytes -= $size;
            $name = $envelope['service_name'];
            $about = is_string($envelope['topic'] ?? null) ? $envelope['topic'] : '';
            if ($service !== '' && $service !== $name || $topic !== '' && $topic !== $about) {
                continue;
            }
            $gap = ($this->told[$name] ?? 0) < $break;
            $this->told[$name] = $break;
            $missed = $this->missed;
            $this->missed = 0;
            return new Message($name, $about, $envelope['payload'] ?? null, $missed, $gap);
        }
        return null;
    }
}

/** A request that a service got. JSON's objects are arrays with keys. */
final class Request
{
    /** The subscriber id of the client that asks. */
    public readonly string $clientId;
    public readonly string $topic;
    public readonly mixed $payload;
    /** The domain in which the client asks. */
    public readonly string $domainUuid;
    public readonly string $domainName;
    /** Whether it was answered. */
    public bool $answered = false;
    private readonly mixed $id;
    /** @var array<string, mixed> */
    private readonly array $permissions;

    /**
     * @internal
     * @param array<string, mixed> $envelope
     * @param \Closure(array<string, mixed>): void $say
     */
    public function __construct(array $envelope, private readonly \Closure $say)
    {
        $text = fn (string $key): string => is_string($envelope[$key] ?? null) ? $envelope[$key] : '';
        $this->clientId = $text('resource_id');
        $this->topic = $text('topic');
        $this->domainUuid = $text('domain_uuid');
        $this->domainName = $text('domain_name');
        $this->payload = $envelope['payload'] ?? null;
        $this->id = $envelope['request_id'] ?? '';
        $this->permissions = is_array($envelope['permissions'] ?? null) ? $envelope['permissions'] : [];
    }

    /** Tells whether the client has a permission. The router has written it, not the client. */
    public function can(string $permission): bool
    {
        return ($this->permissions[$permission] ?? false) === true;
    }

    /** Answers. A request may be answered several times. Throws Error if there is no connection. */
    public function reply(mixed $payload = null, int $status = 200, string $text = 'OK', ?string $topic = null): void
    {
        $this->answered = true;
        ($this->say)(['topic' => $topic ?? $this->topic, 'payload' => $payload, 'status_code' => $status, 'status_string' => $text,
            'request_id' => $this->id, 'resource_id' => $this->clientId]);
    }

    /** Answers that the request failed. The status is 400 or more. */
    public function fail(int $status, string $text = 'error'): void
    {
        $this->reply(null, $status, $text);
    }
}

/**
 * A service: gets requests, answers them, and broadcasts.
 *
 *     $service = new Strowger\Service('ws://127.0.0.1:8080/', 'weather', fn () => Strowger\Token::apiKey($key, 'weather'));
 *     $service->handle('today', fn (Strowger\Request $request) => ['celsius' => -3]);
 *     $service->every(60, fn () => $service->broadcast('today', ['celsius' => -3]));
 *     $service->run();
 *
 * It does one thing at a time. While a function of its runs, nothing else is answered, and no ping is sent. The router takes a
 * service that has pinged for dead after keepalive.pinger_timeout, so longer work needs Options::$heartbeat 0.
 */
final class Service extends Link
{
    /** @var array<string, \Closure(Request): mixed> */
    private array $handlers = [];
    /** @var list<array{every: float, at: float, do: \Closure(): mixed}> */
    private array $timers = [];

    /** @var (\Closure(\Throwable): void)|null Gets what a handler or a timer throws. Without it PHP's error log does. */
    public ?\Closure $onError = null;

    public function __construct(string $url, public readonly string $name, callable $token, Options $options = new Options())
    {
        parent::__construct($url, $token, $options);
    }

    /**
     * Has a function answer requests with a topic; `*` has all that no other function has. What it returns is the answer, unless it
     * answered itself or returned null. A request whose function throws is answered 500, one that has none 404.
     *
     * @param callable(Request): mixed $handler
     */
    public function handle(string $topic, callable $handler): void
    {
        $this->handlers[$topic] = $handler(...);
    }

    /** Has run call a function every so many seconds while there is a connection. */
    public function every(float $seconds, callable $do): void
    {
        $this->timers[] = ['every' => $seconds, 'at' => 0.0, 'do' => $do(...)];
    }

    /** Broadcasts to those who watch this service. Throws Error if there is no connection. */
    public function broadcast(string $topic, mixed $payload = null): void
    {
        $this->say(['topic' => $topic, 'payload' => $payload]);
    }

    /**
     * Serves until stop is called, and comes back when the connection is lost. Then it tells the router, answers what it still
     * gets, for $patience seconds at most, and ends the connection, so that no request is lost. A second stop ends the
     * wait. Throws Error if the router refuses for good.
     */
    public function run(float $patience = 5.0): void
    {
        while ($this->connected(INF)) {
            try {
                $this->tick();
                $envelope = $this->next(min([INF, ...array_column($this->timers, 'at')]));
                if ($envelope !== null) {
                    $this->dispatch($envelope);
                }
            } catch (Error) {
                continue; // the connection was lost
            }
            if ($this->stopping) {
                break;
            }
        }
        $this->stopping = false;
        $this->leave($patience);
    }

    protected function ask(): ?array
    {
        return null;
    }

    protected function admitted(mixed $payload, bool $again): void
    {
    }

    protected function sendLimit(): int
    {
        return 16 << 20;
    }

    /** The orderly end (protocol 5.9). */
    private function leave(float $patience): void
    {
        if (!$this->isOnline()) {
            return;
        }
        $until = WebSocket::now() + $patience;
        try {
            $this->send($this->encode(['service' => 'authentication', 'topic' => 'leaving', 'request_id' => 'leaving']));
            while (($envelope = $this->next($until)) !== null && !$this->stopping) {
                if (($envelope['service_name'] ?? '') === 'authentication' && ($envelope['request_id'] ?? '') === 'leaving') {
                    break;
                }
                $this->dispatch($envelope);
            }
        } catch (Error) {
            return; // the connection was lost, so there is nothing to leave
        } finally {
            $this->stopping = false;
        }
        $this->close();
    }

    /** @param array<string, mixed> $message */
    private function say(array $message): void
    {
        $this->send($this->encode(['service_name' => $this->name] + $message));
    }

    private function tick(): void
    {
        foreach ($this->timers as $i => $timer) {
            if ($timer['at'] <= WebSocket::now() && !$this->stopping) {
                $this->guard($timer['do']);
                $this->timers[$i]['at'] = WebSocket::now() + $timer['every'];
            }
        }
    }

    /** @param array<string, mixed> $envelope */
    private function dispatch(array $envelope): void
    {
        $request = new Request($envelope, $this->say(...));
        if ($request->clientId === '') {
            return; // the router's own answers, and broadcasts of others
        }
        $this->guard(function () use ($request): void {
            $handler = $this->handlers[$request->topic] ?? $this->handlers['*'] ?? null;
            if ($handler === null) {
                $request->fail(404);
                return;
            }
            try {
                $answer = $handler($request);
                if ($answer !== null && !$request->answered) {
                    $request->reply($answer);
                }
            } catch (\Throwable $e) {
                if (!$request->answered && $this->isOnline()) {
                    $request->fail(500);
                }
                throw $e;
            }
        });
    }

    /** What a function of the service throws does not end the service. */
    private function guard(\Closure $do): void
    {
        try {
            $do();
        } catch (\Throwable $e) {
            if ($this->onError !== null) {
                ($this->onError)($e);
            } else {
                error_log('strowger: ' . $e);
            }
        }
    }
}
