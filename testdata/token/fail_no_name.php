<?php
return array (
  'services' => 
  array (
    0 => 'active.calls',
  ),
  'token' => 
  array (
    'name' => NULL,
    'hash' => 'a03bee8968baf704dbbe938aa29b04b24b82cd3bab868baa7788d1cd953c8f69',
    'time' => '1795470833',
    'limit' => 0,
  ),
);
