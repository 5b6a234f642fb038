<?php
// Makes the name and the hash of a token.

final class token
{
    public function create(string $key): array
    {
        $random = fn() => hash_hmac('sha256', $key, random_bytes(32));
        return ['name' => $random(), 'hash' => $random(), 'validated' => false];
    }
}
