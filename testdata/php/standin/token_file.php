<?php
// Writes what a token says where the router looks for it.

final class token_file
{
    public static function save(array $token, array $before, array $after, int $limit): void
    {
        $all = $before;
        $all['token'] = ['name' => $token['name'], 'hash' => $token['hash'], 'time' => (string) time(), 'limit' => $limit];
        file_put_contents(getenv('STANDIN_TOKENS') . "/{$token['name']}.php", "<?php\nreturn " . var_export($all + $after, true) . ";\n");
    }
}
