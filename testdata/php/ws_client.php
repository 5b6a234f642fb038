<?php
// A client of one service, with a token such as a page's. A line {"request_id":R,"topic":T,"payload":P}
// on stdin is a request.
//
// usage: php ws_client.php HOST PORT TOKEN_DIRECTORY SERVICE_NAME PERMISSIONS DOMAIN_NAME
//   PERMISSIONS is how many the user holds: lab_permission_number_1, ..._2 and so on

require_once __DIR__ . '/ws_session.php';

[, $host, $port, $directory, $service, $count, $domain] = $argv;
$link = ws_link::open($host, (int) $port);

$permissions = [];
for ($number = 1; $number <= (int) $count; $number++) {
    $permissions["lab_permission_number_$number"] = true;
}
$session = [
    'domain_uuid' => '22222222-2222-4222-8222-222222222222',
    'domain_name' => 'home.example.com',
    'user_uuid' => '33333333-3333-4333-8333-333333333333',
    'username' => "o'brien\\é",
    'contact_uuid' => null,
    'groups' => [['group_name' => 'admin', 'group_level' => 50]],
    'permissions' => $permissions,
    'extension' => [['user' => '1001', 'user_context' => $domain]],
    'user_context' => $domain,
];
$used = ['name' => '', 'hash' => ''];

$token = function () use ($directory, $service, $session, $domain, &$used) {
    [$name, $hash] = write_token(
        $directory,
        '/app/lab/index.php',
        ['user' => $session, 'options' => [], 'services' => [$service]],
        ['domain' => ['name' => $domain, 'uuid' => '11111111-1111-4111-8111-111111111111']]
    );
    $used = compact('name', 'hash');
    return [$name, $hash];
};

$message = fn(array $envelope, string $text) => tell('message', ['text' => $text]);

$request = function (array $line) use ($link, $service, &$used) {
    $link->send_text(json_encode($line + ['service' => $service, 'token' => $used], JSON_THROW_ON_ERROR));
};

run($link, $token, $message, $request);
