<?php

interface filter
{
    public function __invoke(string $key, $value): ?bool;
}
