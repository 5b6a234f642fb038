<?php
// An envelope: made of named values, read by methods of their names, and as text what goes over the socket.

final class websocket_message
{
    public function __construct(private array $values = [])
    {
    }

    public static function create_from_json_message(string $text): self
    {
        return new self(json_decode($text, true, 512, JSON_THROW_ON_ERROR));
    }

    public function __call(string $name, array $arguments): mixed
    {
        return $this->values[$name] ?? '';
    }

    public function has_permission(string $name): bool
    {
        return isset($this->values['permissions'][$name]);
    }

    public function __toString(): string
    {
        return envelope($this->values);
    }
}
