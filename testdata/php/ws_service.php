<?php
// A service behind the router. It answers echo with the payload it got and large with as many bytes
// as payload.bytes says; a line {"topic":T,"payload":P} on stdin is a broadcast.
//
// usage: php ws_service.php HOST PORT TOKEN_DIRECTORY SERVICE_NAME

require_once __DIR__ . '/ws_session.php';

[, $host, $port, $directory, $service] = $argv;
$link = ws_link::open($host, (int) $port);

$token = fn() => write_token($directory, $service, [], [
    'service' => true,
    'service_name' => $service,
    'service_class' => 'lab_plain_service',
]);

$answer = function (array $request, string $text) use ($link, $service) {
    tell('message', ['text' => $text]);
    $payload = match ($request['topic']) {
        'echo' => $request['payload'],
        'large' => ['fill' => str_repeat('x', $request['payload']['bytes'])],
    };
    $link->send_text(envelope([
        'payload' => $payload,
        'service_name' => $service,
        'status_string' => 'ok',
        'status_code' => 200,
        'request_id' => $request['request_id'],
        'resource_id' => $request['resource_id'],
        'topic' => $request['topic'],
    ]));
};

$broadcast = fn(array $line) => $link->send_text(envelope($line + ['service_name' => $service]));

run($link, $token, $answer, $broadcast);
