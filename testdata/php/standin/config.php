<?php
// Reads config.conf.

final class config
{
    private array $values = [];

    public static function load(): self
    {
        $config = new self;
        $config->read();
        return $config;
    }

    public function read(): void
    {
        $this->values = parse_ini_file(getenv('STANDIN_CONFIG'), false, INI_SCANNER_RAW);
    }

    public function get(string $key, ?string $default = null): ?string
    {
        return $this->values[$key] ?? $default;
    }
}
