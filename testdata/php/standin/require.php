<?php
// A stand-in for FusionPBX's resources/require.php, for tests: the classes that an app with a service of its own
// derives from and calls, by the same names and with the same methods, and nothing else of FusionPBX. What is in them
// is ours.
//
// The environment has STANDIN_CONFIG, the path of a config.conf, and STANDIN_TOKENS, the directory of token files.

require_once dirname(__DIR__) . '/ws_session.php';

spl_autoload_register(function (string $class) {
    foreach ([__DIR__, ...glob(STANDIN_ROOT . '/app/*/resources/classes')] as $directory) {
        if (is_file("$directory/$class.php")) {
            require_once "$directory/$class.php";
            return;
        }
    }
});

// The root of the pages: the directory in which the app's directory is.
define('STANDIN_ROOT', getenv('STANDIN_ROOT'));
set_include_path(STANDIN_ROOT);
