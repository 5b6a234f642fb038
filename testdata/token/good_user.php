<?php
return array (
  'user' => 
  array (
    'domain_uuid' => '1f0c2b3a-0000-4000-8000-000000000001',
    'domain_name' => 'home.example.com',
    'user_uuid' => '9a2b3c4d-0000-4000-8000-000000000002',
    'username' => 'admin',
    'contact_uuid' => NULL,
    'contact_organization' => NULL,
    'contact_name' => 'Conan O\'Brien \\ "Zoë"
<?php ?>' . "\0" . '',
    'groups' => 
    array (
      0 => 
      array (
        'group_name' => 'superadmin',
        'group_level' => 80,
      ),
    ),
    'group_level' => 80,
    'permissions' => 
    array (
      'call_active_view' => true,
      'call_active_all' => false,
      'call_active_domain' => 1,
      'not_held' => NULL,
    ),
    'extension' => 
    array (
      0 => 
      array (
        'domain_name' => 'home.example.com',
        'user' => '1001',
        'number_alias' => NULL,
        'user_context' => 'a.example.com',
      ),
      1 => 
      array (
        'user' => '1002',
        'user_context' => 'a.example.com',
      ),
      2 => 
      array (
        'user' => '1001',
        'user_context' => 'a.example.com',
      ),
    ),
    'user_context' => 'home.example.com',
  ),
  'options' => 
  array (
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
  'domain' => 
  array (
    'name' => 'a.example.com',
    'uuid' => '11111111-1111-4111-8111-111111111111',
  ),
);
