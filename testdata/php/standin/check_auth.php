<?php
// In place of a login: the page's address says who looks, as ?as=one.example:texts_view,texts_send.

[$domain, $permissions] = explode(':', $_GET['as']) + [1 => ''];
$_SESSION['domain_name'] = $domain;
$_SESSION['domain_uuid'] = '11111111-1111-4111-8111-111111111111';
$_SESSION['user'] = [
    'user_uuid' => '22222222-2222-4222-8222-222222222222',
    'username' => 'alice',
    'permissions' => array_fill_keys(array_filter(explode(',', $permissions)), true),
    'extension' => [],
];
