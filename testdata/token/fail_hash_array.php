<?php
return array (
  'services' => 
  array (
    0 => 'active.calls',
  ),
  'token' => 
  array (
    'name' => '76f48efab854f4b26d6e3156378df74cd3b729a9a8aa57e0e103396daaae5184',
    'hash' => 
    array (
    ),
    'time' => '1795470833',
    'limit' => 0,
  ),
);
