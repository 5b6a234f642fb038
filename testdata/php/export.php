<?php
// Writes values as FusionPBX writes tokens and says what PHP reads back.
//
// usage: php export.php DIR SEED COUNT
// DIR/NAME.php holds each value; a line NAME TAB JSON on standard output is the
// description of what include returned. COUNT values are random.

require __DIR__ . '/describe.php';
error_reporting(E_ALL);
set_error_handler(function ($severity, $message) {
    throw new ErrorException($message);
});

[, $dir, $seed, $count] = $argv;

function properties(array $pairs): stdClass
{
    $object = new stdClass;
    foreach ($pairs as $name => $value) {
        // PHP knows no property that begins with NUL.
        $object->{ltrim((string) $name, "\0")} = $value;
    }
    return $object;
}

function nested(int $depth): array
{
    return $depth === 0 ? ['end' => true] : ['level' => $depth, 'inner' => nested($depth - 1), 'after' => [null]];
}

function fixed_values(): array
{
    $every_byte = implode('', array_map('chr', range(0, 255)));
    $permissions = [];
    for ($i = 0; $i < 300; $i++) {
        $permissions["permission_$i"] = $i % 7 !== 0;
    }
    return [
        'constants' => [true, false, null],
        'integers' => [0, 1, -1, PHP_INT_MAX, PHP_INT_MIN, PHP_INT_MIN + 1],
        'floats' => [
            0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 1e14, 1e15, 1e16, 1e17, 1e18, 1e22, 1.0E+50, -1.0E+50, 1e-3, 1e-4, 1e-5, 1.5e-5,
            123456789012345678.0, 99999999999999999.0, 12345678901234567.0, 0.00012345, PHP_FLOAT_MAX, PHP_FLOAT_MIN, 5e-324,
            PHP_FLOAT_EPSILON, 2 ** 53, -2.0 ** 63, 2.0 ** 64, INF, -INF, NAN,
        ],
        'empty' => ['', [], [[]], [[[]], []], ''],
        'quotes' => ["it's", '\\', "\\'", "'", "''", '"', "\\\\'\\", "ends in \\", '\n', '\0', '$x {$y}'],
        'newlines' => ["a\nb", "a\r\nb", "\r", "\n", "\t", "\v\f"],
        'code' => ['<?php ?>', '?>', '<?php return 1; ?>', '// x', '/* x */', '# x', ');', "',\n)", '`id`', '<<<X'],
        'utf8' => ['Zürich', '日本語', '🎉', "\u{feff}bom", "e\u{301}"],
        'bytes' => ["\xff\xfe", "\xc3", $every_byte, strrev($every_byte)],
        'nul' => ["\0", "a\0b", "\0\0\0", "\0'\\\0", "\0" . '1'],
        'int_like_keys' => ['5' => 1, '-5' => 2, '05' => 3, '-0' => 4, '+5' => 5, ' 5' => 6, '5 ' => 7, '1.5' => 8, '0' => 9,
            '9223372036854775807' => 10, '9223372036854775808' => 11, '-9223372036854775808' => 12, '-9223372036854775809' => 13, '1e3' => 14],
        'negative_keys' => [-3 => 'a', -2 => 'b', 0 => 'c', 7 => 'd', PHP_INT_MAX => 'e'],
        'odd_keys' => ['' => 1, "it's" => 2, "a\0b" => 3, "new\nline" => 4, 'schlüssel' => 5, '\\' => 6, "\xff" => 7, '=>' => 8],
        'object' => (object) ['a' => 1, 'b' => ['c' => (object) ['d' => new stdClass]]],
        'object_odd_properties' => properties(['5' => 1, '05' => 2, 'a b' => [1], "it's" => 3, "a\0b" => 4, '' => 5]),
        'object_of_a_class' => [new Point, 'in' => ['deep' => [new Point]]],
        'enum' => [Suit::Hearts, 'in' => [Suit::Hearts]],
        'deep' => nested(50),
        'permissions' => ['user' => ['permissions' => $permissions]],
        'session' => [
            'user' => [
                'contact_name' => "O'Brien \\ \"Zoë\"\n<?php ?>\0\r\n",
                'contact_uuid' => null,
                'groups' => [['group_name' => 'superadmin', 'group_level' => 80], ['group_name' => 'user', 'group_level' => 30]],
                'group_level' => 80,
                'permissions' => $permissions,
                'extension' => [['user' => '1001', 'number_alias' => null, 'destination' => '1001', 'user_context' => 'a.example.com']],
            ],
            'options' => [],
            'services' => ['active.calls'],
        ],
    ];
}

function random_text(): string
{
    static $parts = ["'", '\\', "\0", "\n", "\r", '<?php', '?>', 'a', 'Z', '0', '17', '-', 'ü', '🎉', ' ', '.', ',', ')', '=>', '"', '$'];
    $text = '';
    for ($n = mt_rand(0, 6); $n > 0; $n--) {
        $text .= mt_rand(0, 3) ? $parts[mt_rand(0, count($parts) - 1)] : chr(mt_rand(0, 255));
    }
    return $text;
}

function random_number()
{
    switch (mt_rand(0, 5)) {
        case 0:
            return mt_rand(-100, 100);
        case 1:
            return (mt_rand(0, 0x7fffffff) << 33) ^ (mt_rand(0, 0x7fffffff) << 16) ^ mt_rand(0, 0xffff);
        case 2:
            return mt_rand(-1000000, 1000000) / 1000;
        case 3:
            return mt_rand(-1000, 1000) * 10.0 ** mt_rand(-30, 30);
        case 4:
            return (float) mt_rand(-100, 100);
        default:
            return unpack('E', pack('NN', mt_rand(0, 0x7fffffff) << 1 | mt_rand(0, 1), mt_rand(0, 0x7fffffff)))[1];
    }
}

function random_value(int $depth)
{
    $kind = mt_rand(0, $depth > 0 ? 9 : 5);
    switch ($kind) {
        case 0:
            return [null, true, false][mt_rand(0, 2)];
        case 1:
        case 2:
            return random_number();
        case 3:
        case 4:
        case 5:
            return random_text();
    }
    $entries = [];
    for ($n = mt_rand(0, 7); $n > 0; $n--) {
        $value = random_value($depth - 1);
        if (mt_rand(0, 2) === 0 && array_key_last($entries) !== PHP_INT_MAX) {
            $entries[] = $value;
        } elseif (mt_rand(0, 2) === 0) {
            $entries[mt_rand(-50, 50)] = $value;
        } else {
            $entries[random_text()] = $value;
        }
    }
    return $kind === 9 ? properties($entries) : $entries;
}

function write(string $dir, string $name, $value): void
{
    $path = "$dir/$name.php";
    file_put_contents($path, "<?php\nreturn " . var_export($value, true) . ";\n");
    echo $name, "\t", json_encode(describe(include $path), JSON_THROW_ON_ERROR), "\n";
}

foreach (fixed_values() as $name => $value) {
    write($dir, $name, $value);
}
mt_srand((int) $seed);
for ($i = 0; $i < (int) $count; $i++) {
    write($dir, sprintf('random_%05d', $i), random_value(5));
}
