<?php

// The service as a process. A unit as FusionPBX's own services have it starts this file.

require_once dirname(__DIR__, 4) . '/resources/require.php';

exit(texts_service::create()->run());
