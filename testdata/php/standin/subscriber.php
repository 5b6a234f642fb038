<?php
// Writes the tokens of pages, for who is logged in.

final class subscriber
{
    public static function save_token(array $token, array $services, int $time_limit_in_minutes = 0, array $options = []): void
    {
        token_file::save(
            $token,
            ['user' => $_SESSION['user'], 'options' => $options, 'services' => $services],
            ['domain' => ['name' => $_SESSION['domain_name'], 'uuid' => $_SESSION['domain_uuid']]],
            $time_limit_in_minutes
        );
    }
}
