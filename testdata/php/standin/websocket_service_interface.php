<?php

interface websocket_service_interface
{
    public static function create_filter_chain_for(subscriber $subscriber): ?filter;

    public static function get_service_name(): string;
}
