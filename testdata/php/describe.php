<?php
// What a value is, in a form that JSON cannot blur: every scalar carries its
// type, strings are hex, floats are their bits.

final class Point
{
    public $x = 1;
    protected $y = "it's";
    private $z = [1, 'two' => null];
    public array $state = [];

    public static function __set_state(array $state)
    {
        $point = new self;
        $point->state = $state;
        return $point;
    }
}

enum Suit: string
{
    case Hearts = 'h';
}

function describe_entries(array $entries, bool $text_keys): array
{
    $rows = [];
    foreach ($entries as $key => $value) {
        $named = is_int($key) && !$text_keys ? ['i', (string) $key] : ['s', bin2hex((string) $key)];
        $rows[] = [$named, describe($value)];
    }
    return $rows;
}

function describe($value): array
{
    switch (true) {
        case $value === null:
            return ['n'];
        case is_bool($value):
            return ['b', $value];
        case is_int($value):
            return ['i', (string) $value];
        case is_float($value):
            return ['f', is_nan($value) ? 'nan' : bin2hex(pack('E', $value))];
        case is_string($value):
            return ['s', bin2hex($value)];
        case is_array($value):
            return ['a', describe_entries($value, false)];
        case $value instanceof UnitEnum:
            return ['e', '\\' . get_class($value), $value->name];
        case $value instanceof Point:
            return ['o', '\\Point', describe_entries($value->state, true)];
        case $value instanceof stdClass:
            return ['o', '', describe_entries((array) $value, true)];
    }
    throw new LogicException('no description for ' . get_debug_type($value));
}
