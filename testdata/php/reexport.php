<?php
// Includes a token file and prints it again as var_export would have written it.
//
// usage: php reexport.php FILE

require __DIR__ . '/describe.php';
echo "<?php\nreturn ", var_export(include $argv[1], true), ";\n";
