<?php
// Includes token files and prints what PHP sees of each: one line of JSON a file.
//
// usage: php fields.php FILE...

function field(array $from, string ...$path)
{
    foreach ($path as $name) {
        if (!isset($from[$name])) {
            return null;
        }
        $from = $from[$name];
    }
    return $from;
}

function fields(array $token): array
{
    $permissions = [];
    foreach (field($token, 'user', 'permissions') ?? [] as $name => $held) {
        if (isset($held)) {
            $permissions[] = (string) $name;
        }
    }
    sort($permissions, SORT_STRING);
    $extensions = [];
    foreach (field($token, 'user', 'extension') ?? [] as $row) {
        if (($row['user'] ?? '') !== '' && ($row['user_context'] ?? '') !== '') {
            $extensions[] = $row['user'] . '@' . $row['user_context'];
        }
    }
    $is_service = isset($token['service']) && ($token['service_name'] ?? '') !== '';
    return [
        'kind' => $is_service ? 'service' : 'user',
        'name' => $token['token']['name'],
        'hash' => $token['token']['hash'],
        'issued_at' => (int) ($token['token']['time'] ?? 0),
        'limit' => 60 * (int) ($token['token']['limit'] ?? 0),
        'services' => array_values(array_unique(array_filter($token['services'] ?? [], 'strlen'))),
        'permissions' => $permissions,
        'domain_name' => bin2hex(field($token, 'domain', 'name') ?? ''),
        'domain_uuid' => field($token, 'domain', 'uuid') ?? '',
        'user_uuid' => field($token, 'user', 'user_uuid') ?? '',
        'user_name' => bin2hex(field($token, 'user', 'username') ?? ''),
        'extensions' => array_values(array_unique($extensions)),
        'service_name' => $is_service ? $token['service_name'] : '',
        'service_class' => $is_service ? $token['service_class'] ?? '' : '',
    ];
}

foreach (array_slice($argv, 1) as $path) {
    echo json_encode(fields(include $path), JSON_THROW_ON_ERROR), "\n";
}
