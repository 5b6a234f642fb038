<?php
return array (
  'user' => 
  array (
    'username' => 7,
    'user_uuid' => false,
    'permissions' => 
    array (
      5 => true,
      'call_active_view' => 1,
      'call_active_all' => NULL,
    ),
    'extension' => 
    array (
      'ext-a' => 
      array (
        'user' => 100,
        'user_context' => 'one.example',
      ),
      1 => 
      array (
        'user' => 1.5,
        'user_context' => 'one.example',
      ),
      2 => 'secret',
      3 => NULL,
      4 => 
      array (
        'user' => 101,
        'user_context' => 
        array (
        ),
      ),
      5 => 
      array (
        'user' => '102',
        'user_context' => 'one.example',
      ),
    ),
  ),
  'services' => 
  array (
    0 => 'active.calls',
    1 => NULL,
    2 => 9,
    3 => 
    array (
    ),
  ),
  'token' => 
  array (
    'name' => '76f48efab854f4b26d6e3156378df74cd3b729a9a8aa57e0e103396daaae5184',
    'hash' => 'a03bee8968baf704dbbe938aa29b04b24b82cd3bab868baa7788d1cd953c8f69',
    'time' => '1795470833',
    'limit' => 0,
  ),
);
