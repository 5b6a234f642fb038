<?php
// What services derive from: it connects, authenticates, and hands on what comes by its topic. The service ends when
// the router closes the connection or its own stdin ends, which is how a test ends it; FusionPBX's would connect again.

abstract class base_websocket_system_service implements websocket_service_interface
{
    protected static ?config $config = null;
    protected ?websocket_client $ws_client = null;

    /** @var array<string, callable[]> */
    private array $topics = [];

    final protected function __construct()
    {
    }

    abstract protected function register_topics(): void;

    abstract public function reload_settings(): void;

    public static function create(): static
    {
        self::$config = config::load();
        return new static();
    }

    protected function on_topic(string $topic, callable $callback): void
    {
        $this->topics[$topic][] = $callback;
    }

    protected function respond(websocket_message $message): void
    {
        websocket_client::send($this->ws_client->socket(), $message);
    }

    public function run(): int
    {
        $this->register_topics();
        $this->on_topic('authenticate', fn() => $this->ws_client->authenticate(
            ...websocket_client::create_service_token(static::get_service_name(), static::class)
        ));
        $this->on_topic('authenticated', fn() => tell('authenticated'));
        $this->ws_client = new websocket_client('ws://' . self::$config->get('websocket.host', '127.0.0.1') . ':' . self::$config->get('websocket.port', '8080'));
        $this->ws_client->connect();
        while (true) {
            [$read, $write, $except] = [[$this->ws_client->socket(), STDIN], null, null];
            stream_select($read, $write, $except, 60);
            if (in_array(STDIN, $read, true) && fgets(STDIN) === false) {
                $this->ws_client->disconnect();
                return 0;
            }
            if (in_array($this->ws_client->socket(), $read, true) && !$this->take()) {
                return 0;
            }
        }
    }

    private function take(): bool
    {
        $text = $this->ws_client->read();
        if ($text === null) {
            return false;
        }
        $message = websocket_message::create_from_json_message($text);
        foreach ($this->topics[$message->topic()] ?? [] as $callback) {
            $callback($message);
        }
        return true;
    }
}
