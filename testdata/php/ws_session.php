<?php
// What the service and the client have in common: tokens, envelopes and the loop. Both are driven by
// lines of JSON on stdin, tell what happens in lines of JSON on stdout, and end with their stdin.

require_once __DIR__ . '/ws_link.php';

/** Writes a token file as pages and services do and returns its [name, hash]. */
function write_token(string $directory, string $key, array $before, array $after): array
{
    $name = hash_hmac('sha256', $key, bin2hex(random_bytes(32)));
    $hash = hash_hmac('sha256', $key, bin2hex(random_bytes(32)));
    $token = ['name' => $name, 'hash' => $hash, 'time' => strval(time()), 'limit' => 0];
    $content = "<?php\nreturn " . var_export($before + ['token' => $token] + $after, true) . ";\n";
    if (file_put_contents("$directory/$name.php", $content) !== strlen($content)) {
        throw new RuntimeException("write token into $directory");
    }
    return [$name, $hash];
}

/** An envelope as the services send it: every key, in their order. */
function envelope(array $fields): string
{
    return json_encode($fields + [
        'id' => bin2hex(random_bytes(16)),
        'payload' => null,
        'service_name' => '',
        'token_name' => '',
        'token_hash' => '',
        'status_string' => '',
        'status_code' => '',
        'request_id' => '',
        'resource_id' => '',
        'domain_uuid' => '',
        'domain_name' => '',
        'permissions' => [],
        'topic' => '',
    ], JSON_THROW_ON_ERROR);
}

function tell(string $event, array $more = []): void
{
    fwrite(STDOUT, json_encode(['event' => $event] + $more, JSON_THROW_ON_ERROR) . "\n");
}

/**
 * Serves the link until it or stdin ends. $token makes a fresh [name, hash] for each 407, $message
 * gets every other envelope with its text, $command every line of stdin.
 */
function run(ws_link $link, callable $token, callable $message, callable $command): void
{
    while (true) {
        [$read, $write, $except] = [[$link->socket, STDIN], null, null];
        if (stream_select($read, $write, $except, 60) === 0) {
            throw new RuntimeException('nothing happened for a minute');
        }
        if (in_array(STDIN, $read, true)) {
            $line = fgets(STDIN);
            if ($line === false) {
                $link->close();
                tell('left');
                return;
            }
            $command(json_decode($line, true, 512, JSON_THROW_ON_ERROR));
        }
        if (!in_array($link->socket, $read, true)) {
            continue;
        }
        [$opcode, $text] = $link->receive();
        switch ($opcode) {
            case 0x1:
                dispatch($link, $text, $token, $message);
                break;
            case 0x8:
                $link->close();
                tell('closed', ['code' => strlen($text) < 2 ? 1005 : unpack('n', $text)[1]]);
                return;
            case 0x9:
                $link->send_pong($text);
                tell('ping');
                break;
            default:
                throw new RuntimeException("unexpected opcode $opcode");
        }
    }
}

function dispatch(ws_link $link, string $text, callable $token, callable $message): void
{
    $envelope = json_decode($text, true, 512, JSON_THROW_ON_ERROR);
    switch ($envelope['topic']) {
        case 'authenticate':
            [$name, $hash] = $token();
            $link->send_text(json_encode(['service' => 'authentication', 'token' => compact('name', 'hash')]));
            break;
        case 'authenticated':
            tell('authenticated', ['text' => $text]);
            break;
        default:
            $message($envelope, $text);
    }
}
