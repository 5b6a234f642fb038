<?php
return array (
  'user' => 
  array (
    'extension' => 
    array (
      3 => 
      array (
        'user' => 1001,
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
