<?php
return array (
  'user' => 
  array (
    'permissions' => 
    array (
      5 => true,
      -3 => true,
      'z' => 
      array (
      ),
      'it\'s' => '',
      'a' => 0.0,
      'b' => NULL,
    ),
    'extension' => 
    array (
      0 => 
      array (
        'user' => '1001',
      ),
      1 => 
      array (
        'user_context' => 'a.example.com',
      ),
      2 => 
      array (
        'user' => NULL,
        'user_context' => 'a.example.com',
      ),
      3 => 
      array (
      ),
      'x' => 
      array (
        'user' => '1003',
        'user_context' => 'a.example.com',
      ),
    ),
  ),
  'services' => 
  array (
    0 => 'active.calls',
  ),
  'token' => 
  array (
    'name' => '76f48efab854f4b26d6e3156378df74cd3b729a9a8aa57e0e103396daaae5184',
    'hash' => 'a03bee8968baf704dbbe938aa29b04b24b82cd3bab868baa7788d1cd953c8f69',
    'time' => '1795470833',
    'limit' => 0,
  ),
);
