<?php
// Plays a scenario with the client for PHP: php peer.php LIBRARY SCENARIO URL LAB MORE. It prints what happens, a line for each.

declare(strict_types=1);

use Strowger\Error;
use Strowger\Options;
use Strowger\Request;
use Strowger\Service;
use Strowger\Socket;
use Strowger\Token;

[, $library, $scenario, $url, $lab] = $argv;
$more = $argv[5] ?? '';
require $library;

function say(string $line): void
{
    echo $line, "\n";
    flush();
}

function told(Error $e): string
{
    return "$e->kind " . ($e->status ?: $e->closeCode) . ($e->sent ? ' sent' : ' not sent');
}

function lab(string $path): string
{
    global $lab;
    $body = file_get_contents($lab . $path);
    if ($body === false) {
        throw new RuntimeException("the lab does not answer $path");
    }
    return $body;
}

/** A callback that asks the lab for a token. */
function tokens(string $path): Closure
{
    return fn () => Token::parse(lab($path));
}

/** What is asked, or how it failed. */
function ask(Socket $socket, string $service, string $topic, mixed $payload, ?float $timeout = null): string
{
    try {
        return json_encode($socket->request($service, $topic, $payload, $timeout), JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    } catch (Error $e) {
        return told($e);
    }
}

/** Asks until it is answered. */
function insist(string $url, Options $options): void
{
    $socket = new Socket($url, fn () => new Token('name', 'hash'), $options);
    do {
        $answer = ask($socket, 'weather', 'today', ['city' => 'Zürich']);
        say($answer);
    } while (str_starts_with($answer, 'disconnected') && $answer !== 'disconnected 0 not sent');
    $socket->close();
}

function daemon(string $url, string $service): void
{
    $quick = ['reconnectMin' => 0.01, 'reconnectMax' => 0.1];
    $socket = new Socket($url, tokens('/client'), new Options(...$quick));
    say(ask($socket, $service, 'echo', 'hello'));
    say(ask($socket, $service, 'refuse', null));
    say(ask($socket, 'no.such.service', 'echo', null, 0.2));
    say(ask($socket, $service, 'echo', str_repeat('x', 2 << 20)));
    $big = new Socket($url, tokens('/client'), new Options(...$quick, sendLimit: 4 << 20));
    say(ask($big, $service, 'echo', str_repeat('x', 2 << 20)));
    say(ask($big, $service, 'echo', 'again'));
    $big->close();

    $why = null;
    $note = function (string $state, ?Error $e) use (&$why): void {
        $why = $state === 'offline' ? $e : $why;
    };
    $limits = ['/client?limit=2s', '/client'];
    $short = new Socket($url, function () use (&$limits) {
        return tokens(array_shift($limits))();
    }, new Options(...$quick, onState: $note));
    say(ask($short, $service, 'echo', 'short'));
    while ($why === null) {
        $short->receive(0.05);
    }
    say("ended $why->closeCode");
    say(ask($short, $service, 'echo', 'fresh'));

    $long = new Socket($url, tokens('/client'), new Options(...$quick, onState: $note));
    say(ask($long, $service, 'echo', 'before'));
    $why = null;
    lab('/restart');
    while ($why === null) {
        $long->receive(0.05);
    }
    say("ended $why->closeCode");
    do { // the service has to come back too
        $answer = ask($long, $service, 'echo', 'after', 0.5);
    } while ($answer !== '"after"');
    say($answer);

    say(ask(new Socket($url, tokens('/bad')), $service, 'echo', null));
    say(ask(new Socket($url, fn () => throw new RuntimeException('no'), new Options(...$quick)), $service, 'echo', null, 0.2));
    say(ask(new Socket('ws://127.0.0.1:1/', tokens('/client'), new Options(...$quick)), $service, 'echo', null, 0.2));
}

function flaky(string $url, string $service): void
{
    $report = ['asked' => 0, 'outcomes' => [], 'states' => ['online' => 0, 'closed' => 1], 'fresh' => 0, 'again' => 0];
    $seen = ['received' => 0, 'gaps' => 0, 'missed' => 0, 'wrong' => []];
    $token = function (?Token $previous) use (&$report): Token {
        $report[$previous === null ? 'fresh' : 'again']++;
        return $previous ?? tokens('/client')();
    };
    $state = function (string $state) use (&$report): void {
        $report['states'][$state] = ($report['states'][$state] ?? 0) + 1;
    };
    $socket = new Socket($url, $token, new Options(
        connectTimeout: 1.0, heartbeat: 0.5, reconnectMin: 0.01, reconnectMax: 0.1, queue: 100000, refusals: 1000, onState: $state));
    $last = null;
    foreach ($socket->subscribe($service) as $message) {
        if ($message->topic === 'end') {
            break;
        }
        $seen['missed'] += $message->missed;
        $seen['gaps'] += (int) $message->gap;
        $seen['received']++;
        if ($last !== null && ($message->gap ? $message->payload <= $last : $message->payload !== $last + 1)) {
            $seen['wrong'][] = "$last $message->payload";
        }
        $last = $message->payload;
        if ($seen['received'] % 23 === 0) {
            $id = ++$report['asked'];
            try {
                $answer = $socket->request($service, 'echo', $id);
                $report['outcomes'][(string) $id] = $answer === $id ? 'answered' : 'wrong';
            } catch (Error $e) {
                $report['outcomes'][(string) $id] = $e->kind . ($e->sent ? '' : ', not sent');
            }
        }
    }
    $socket->close();
    say(json_encode($report + ['called' => $seen, 'iterated' => $seen]));
}

/** Comes back after its process was replaced, with the positions of the earlier one. */
function resume(string $url, string $service, string $positions): void
{
    $socket = new Socket($url, tokens('/client'), new Options(positions: json_decode($positions, true) ?: []));
    for ($i = 0; $i < 100; $i++) {
        for ($j = 0; $i % 20 === 19 && $j < 10; $j++) { // what comes meanwhile waits
            $socket->request($service, 'echo', $j);
        }
        $message = $socket->receive(60.0, $service, 'number');
        say($message->payload . ($message->gap ? ' gap' : ''));
    }
    say(json_encode($socket->positions()));
    $socket->close();
}

function code(string $url): void
{
    $options = new Options(reconnectMin: 0.001, reconnectMax: 0.001, reconnectLater: 0.2, refusals: 2);
    $seen = 0;
    $tokens = [];
    $socket = new Socket($url, function (?Token $previous, ?Error $e) use (&$seen, &$tokens) {
        $seen = $e->closeCode ?? 0;
        return $tokens[] = $previous ?? new Token('name' . count($tokens), 'hash');
    }, $options);
    try {
        $socket->connect();
        $begun = microtime(true);
        $socket->receive(20.0, 'lab', 'back');
        say("back $seen" . (microtime(true) - $begun >= 0.2 ? ' later' : '') . ($tokens[0] == $tokens[1] ? ' same' : ''));
    } catch (Error $e) {
        say("closed $e->kind $e->closeCode");
    }
}

function serve(string $url, string $name): void
{
    $service = new Service($url, $name, tokens("/service?name=$name"), new Options(reconnectMin: 0.01, reconnectMax: 0.1,
        onState: fn (string $state, ?Error $e) => say($state . ($e === null ? '' : " $e->closeCode"))));
    $service->handle('echo', fn (Request $request) => $request->payload);
    $service->handle('refuse', fn (Request $request) => $request->fail(418, 'I am a teapot'));
    $service->handle('break', fn () => throw new RuntimeException('broken'));
    $service->handle('who', fn (Request $request) => [$request->domainName, $request->can('lab_see'), $request->can('lab_act')]);
    $service->onError = fn (Throwable $e) => say('error ' . $e->getMessage());
    $ticks = 0;
    $service->every(0.02, function () use ($service, &$ticks): void {
        $service->broadcast('tick', ++$ticks);
    });
    pcntl_async_signals(true);
    pcntl_signal(SIGTERM, fn () => $service->stop());
    $service->run();
    say('left');
}

$insisting = ['timeout' => 20.0, 'connectTimeout' => 1.0, 'heartbeat' => 0.5, 'reconnectMin' => 0.01, 'reconnectMax' => 0.1, 'receiveLimit' => 1 << 20];
match ($scenario) {
    'ask' => insist($url, new Options(...$insisting, tls: $more === '' ? [] : ['cafile' => $more])),
    'daemon' => daemon($url, $more),
    'flaky' => flaky($url, $more),
    'resume' => resume($url, $more, $argv[6]),
    'code' => code($url),
    'serve' => serve($url, $more),
};
