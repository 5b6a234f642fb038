<?php
return array (
  'services' => 
  array (
    0 => 'active.calls',
  ),
  'token' => 'x',
);
