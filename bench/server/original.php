<?php
// Runs the PHP router out of a FusionPBX source tree, without a database: what it would read there
// is given to it here. Arguments: the source tree, the port. Says where it listens once it does.
// With two arguments more, the class of a service and the port of a switch, it runs that service, which
// connects to both.
declare(strict_types=1);

[, $source, $port] = $argv;
$service = $argv[3] ?? '';
define('BENCH_PORT', (int) $port);
define('BENCH_SWITCH', (int) ($argv[4] ?? 0));
$argv = [$argv[0]];
$argc = 1;

class config
{
	public static function load(): config
	{
		return new config();
	}

	public function get($key, $default = null)
	{
		switch ($key) {
			case 'websocket.port':
				return BENCH_PORT;
			case 'switch.event_socket.port':
				return BENCH_SWITCH;
		}
		return $default;
	}

	public function read(): void
	{
	}
}

class database
{
	public static function new(array $options = []): database
	{
		return new database();
	}

	public function select($sql, $parameters = null, $return = 'all')
	{
		return [];
	}

	public function execute($sql, $parameters = null, $return = 'all')
	{
		return [];
	}
}

class settings
{
	public function __construct(array $options = [])
	{
	}

	public function get($category, $subcategory = null, $default = null)
	{
		return $subcategory === 'bind_port' ? BENCH_PORT : $default;
	}
}

spl_autoload_register(function (string $class) use ($source): void {
	foreach (['', 'core/*/', 'app/*/'] as $part) {
		foreach (['classes', 'interfaces'] as $kind) {
			foreach (glob("$source/{$part}resources/$kind/$class.php") ?: [] as $file) {
				require_once $file;
				return;
			}
		}
	}
});

// What the tokens of services name; without a filter, every subscriber gets everything.
class bench_service implements websocket_service_interface
{
	public static function create_filter_chain_for(subscriber $subscriber): ?filter
	{
		return null;
	}

	public static function get_service_name(): string
	{
		return 'bench';
	}
}

class bench_router extends websocket_service
{
	protected static $allow_run_as_root = true;

	// The first thing that the router does once it has its socket. Without a type, because the callback
	// is one that only the router itself may call.
	public function on_connect($callback)
	{
		echo '{"msg":"listening","addr":"127.0.0.1:' . BENCH_PORT . "\"}\n";
		parent::on_connect($callback);
	}
}

// Each service once more, because a service may run as root only if it says so.
class bench_calls extends active_calls_service
{
	protected static $allow_run_as_root = true;
}

class bench_conferences extends active_conferences_service
{
	protected static $allow_run_as_root = true;
}

class bench_panel extends operator_panel_service
{
	protected static $allow_run_as_root = true;
}

if ($service !== '') {
	define('SERVICE_NAME', $service::get_service_name());
	echo '{"msg":"listening","addr":"127.0.0.1:' . BENCH_PORT . "\"}\n";
	exit($service::create()->run());
}
exit(bench_router::create()->run());
