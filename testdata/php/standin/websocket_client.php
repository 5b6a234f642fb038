<?php
// One connection to the router.

final class websocket_client
{
    private ?ws_link $link = null;

    public function __construct(private string $url)
    {
    }

    public function connect(): void
    {
        $this->link = ws_link::open(parse_url($this->url, PHP_URL_HOST), parse_url($this->url, PHP_URL_PORT));
    }

    public function socket(): mixed
    {
        return $this->link->socket;
    }

    public static function create_service_token(string $service_name, string $service_class, array $permissions = [], int $time_limit_in_minutes = 0): array
    {
        $token = (new token())->create($service_name);
        $service = ['service' => true, 'service_name' => $service_name, 'service_class' => $service_class];
        token_file::save($token, $permissions, $service, $time_limit_in_minutes);
        return [$token['name'], $token['hash']];
    }

    public function authenticate(string $name, string $hash): void
    {
        $this->link->send_text(json_encode(['service' => 'authentication', 'token' => ['name' => $name, 'hash' => $hash]]));
    }

    public static function send(mixed $socket, ?string $text): bool
    {
        ws_link::over($socket)->send_text($text);
        return true;
    }

    /** Waits for a text and answers pings. It returns null when the connection has ended. */
    public function read(): ?string
    {
        while (true) {
            [$read, $write, $except] = [[$this->link->socket], null, null];
            stream_select($read, $write, $except, 60);
            try {
                [$opcode, $text] = $this->link->receive();
            } catch (ws_closed) {
                return null;
            }
            switch ($opcode) {
                case 0x1:
                    return $text;
                case 0x8:
                    return null;
                case 0x9:
                    $this->link->send_pong($text);
            }
        }
    }

    public function disconnect(): void
    {
        $this->link->close();
    }
}
