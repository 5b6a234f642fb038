<?php

// The page. It makes a token for one connection, which says what the page may watch and what its user may do.

require_once dirname(__DIR__, 2) . '/resources/require.php';
require_once 'resources/check_auth.php';

$token = (new token())->create($_SERVER['PHP_SELF']);
subscriber::save_token($token, ['texts']);

?>
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Texts</title>
<link rel="icon" href="data:,">
<p id="state">connecting</p>
<ul id="messages"></ul>
<form id="form"><input id="to" aria-label="To"> <input id="text" aria-label="Text"> <button>Send</button></form>
<script>
	const token = <?= json_encode(['name' => $token['name'], 'hash' => $token['hash']]) ?>;
</script>
<script src="resources/javascript/texts.js"></script>
</html>
