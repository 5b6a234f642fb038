<?php

// What the carrier calls for each message that comes in. It connects for this one message, under a name of its own
// and with the class of the service, and speaks for the service.

require_once dirname(__DIR__, 2) . '/resources/require.php';

$config = config::load();
if (!hash_equals($config->get('texts.hook_secret', bin2hex(random_bytes(16))), $_SERVER['HTTP_X_HOOK_SECRET'] ?? '')) {
	http_response_code(403);
	exit;
}
$message = json_decode(file_get_contents('php://input'), true);

$client = new websocket_client('ws://' . $config->get('websocket.host', '127.0.0.1') . ':' . $config->get('websocket.port', '8080'));
$client->connect();

// The name may be any that no service has. The class is what lets the hook speak for the service.
[$name, $hash] = websocket_client::create_service_token('texts_push_' . uniqid(), 'texts_service');
$client->authenticate($name, $hash);

do { // the router asks for the token, and then says whether it was good
	$said = json_decode((string) $client->read(), true);
} while (($said['topic'] ?? '') === 'authenticate');
if (($said['topic'] ?? '') !== 'authenticated') {
	http_response_code(503);
	exit('The router did not take the token. Its log says why.');
}

websocket_client::send($client->socket(), new websocket_message([
	'service_name' => 'texts',
	'topic' => 'MESSAGE',
	'payload' => ['domain_name' => $message['domain_name'], 'to' => $message['to'], 'text' => $message['text']],
]));
$client->disconnect();
http_response_code(204);
