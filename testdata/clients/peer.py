"""Plays a scenario with the client for Python: peer.py LIBRARY SCENARIO URL LAB MORE. It prints what happens, a line for each."""

import json
import logging
import os
import signal
import ssl
import sys
import time
import urllib.request

library, scenario, url, lab = sys.argv[1:5]
more = sys.argv[5:]
sys.path.insert(0, os.path.dirname(os.path.abspath(library)))
sys.dont_write_bytecode = True

import strowger  # noqa: E402

QUICK = {"reconnect_min": 0.01, "reconnect_max": 0.1}


def say(line):
    print(line, flush=True)


def told(e):
    return f"{e.kind} {e.status or e.close_code} {'sent' if e.sent else 'not sent'}"


def ask_lab(path):
    with urllib.request.urlopen(lab + path) as answer:
        return answer.read().decode()


def tokens(path):
    """A callback that asks the lab for a token."""
    return lambda *_: strowger.Token.parse(ask_lab(path))


def ask(client, service, topic, payload=None, timeout=None):
    """What is asked, or how it failed."""
    try:
        return json.dumps(client.request(service, topic, payload, timeout), ensure_ascii=False, separators=(",", ":"))
    except strowger.Error as e:
        return told(e)


def insist():
    """Asks until it is answered."""
    tls = ssl.create_default_context(cafile=more[0]) if more else None
    client = strowger.Client(url, lambda *_: strowger.Token("name", "hash"), timeout=20, connect_timeout=1, heartbeat=0.5,
                             receive_limit=1 << 20, tls=tls, **QUICK)
    answer = "disconnected"
    while answer.startswith("disconnected") and answer != "disconnected 0 not sent":
        answer = ask(client, "weather", "today", {"city": "Zürich"})
        say(answer)
    client.close()


def daemon():
    service = more[0]
    client = strowger.Client(url, tokens("/client"), **QUICK)
    say(ask(client, service, "echo", "hello"))
    say(ask(client, service, "refuse"))
    say(ask(client, "no.such.service", "echo", None, 0.2))
    say(ask(client, service, "echo", "x" * (2 << 20)))
    big = strowger.Client(url, tokens("/client"), send_limit=4 << 20, **QUICK)
    say(ask(big, service, "echo", "x" * (2 << 20)))
    say(ask(big, service, "echo", "again"))
    big.close()

    why = []

    def note(state, e):
        if state == "offline":
            why.append(e)

    limits = ["/client?limit=2s", "/client"]
    short = strowger.Client(url, lambda *_: tokens(limits.pop(0))(), on_state=note, **QUICK)
    say(ask(short, service, "echo", "short"))
    while not why:
        short.receive(0.05)
    say(f"ended {why[0].close_code}")
    say(ask(short, service, "echo", "fresh"))

    long = strowger.Client(url, tokens("/client"), on_state=note, **QUICK)
    say(ask(long, service, "echo", "before"))
    why.clear()
    ask_lab("/restart")
    while not why:
        long.receive(0.05)
    say(f"ended {why[0].close_code}")
    answer = ""
    while answer != '"after"':  # the service has to come back too
        answer = ask(long, service, "echo", "after", 0.5)
    say(answer)

    def broken(*_):
        raise ValueError("no")

    say(ask(strowger.Client(url, tokens("/bad")), service, "echo"))
    say(ask(strowger.Client(url, broken, **QUICK), service, "echo", None, 0.2))
    say(ask(strowger.Client("ws://127.0.0.1:1/", tokens("/client"), **QUICK), service, "echo", None, 0.2))


def flaky():
    service = more[0]
    report = {"asked": 0, "outcomes": {}, "states": {"online": 0, "offline": 0, "closed": 1}, "fresh": 0, "again": 0}
    seen = {"received": 0, "gaps": 0, "missed": 0, "wrong": []}

    def token(previous, _):
        report["again" if previous else "fresh"] += 1
        return previous or tokens("/client")()

    def state(name, _):
        report["states"][name] += 1

    client = strowger.Client(url, token, connect_timeout=1, heartbeat=0.5, queue=100000, refusals=1000, on_state=state, **QUICK)
    last = None
    for message in client.subscribe(service):
        if message.topic == "end":
            break
        number = message.payload
        seen["missed"] += message.missed
        seen["gaps"] += message.gap
        seen["received"] += 1
        if last is not None and (number <= last if message.gap else number != last + 1):
            seen["wrong"].append(f"{last} {number}")
        last = number
        if seen["received"] % 23 == 0:
            report["asked"] += 1
            i = report["asked"]
            try:
                report["outcomes"][str(i)] = "answered" if client.request(service, "echo", i) == i else "wrong"
            except strowger.Error as e:
                report["outcomes"][str(i)] = e.kind + ("" if e.sent else ", not sent")
    client.close()
    say(json.dumps({**report, "called": seen, "iterated": seen}))


def resume():
    """Comes back after its process was replaced, with the positions of the earlier one."""
    client = strowger.Client(url, tokens("/client"), positions=json.loads(more[1]))
    for i in range(100):
        for j in range(10 if i % 20 == 19 else 0):  # what comes meanwhile waits
            client.request(more[0], "echo", j)
        message = client.receive(60, more[0], "number")
        say(f"{message.payload}{' gap' if message.gap else ''}")
    say(json.dumps(client.positions()))
    client.close()


def code():
    used, seen = [], [0]

    def token(previous, e):
        seen[0] = e.close_code if e else 0
        used.append(previous or strowger.Token(f"name{len(used)}", "hash"))
        return used[-1]

    client = strowger.Client(url, token, reconnect_min=0.001, reconnect_max=0.001, reconnect_later=0.2, refusals=2)
    try:
        client.connect()
        begun = time.monotonic()
        client.receive(20, "lab", "back")
        later = " later" if time.monotonic() - begun >= 0.2 else ""
        say(f"back {seen[0]}{later}{' same' if used[0] == used[1] else ''}")
    except strowger.Error as e:
        say(f"closed {e.kind} {e.close_code}")


class Told(logging.Handler):
    def emit(self, record):
        say(f"error {record.exc_info[1]}")


def serve():
    logging.getLogger("strowger").addHandler(Told())
    name = more[0]
    service = strowger.Service(url, name, tokens(f"/service?name={name}"), **QUICK,
                               on_state=lambda state, e: say(f"{state} {e.close_code}" if e else state))

    @service.handle("echo")
    def echo(request):
        return request.payload

    @service.handle("refuse")
    def refuse(request):
        request.fail(418, "I am a teapot")

    @service.handle("break")
    def fail(request):
        raise ValueError("broken")

    @service.handle("who")
    def who(request):
        return [request.domain_name, "lab_see" in request.permissions, "lab_act" in request.permissions]

    ticks = iter(range(1, 1 << 30))
    service.every(0.02, lambda: service.broadcast("tick", next(ticks)))
    signal.signal(signal.SIGTERM, lambda *_: service.stop())
    service.serve()
    say("left")


def http():
    """Publishes, or asks a service."""
    kind, name, hash = more
    client = strowger.Http(url, strowger.Token(name, hash))
    try:
        if kind == "publish":
            client.publish("news", {"text": "line\nline"}, "key")
            say("published")
        else:
            say(json.dumps(client.request(kind, "echo", "hello")))
    except (strowger.Error, ValueError) as e:
        say(f"{getattr(e, 'status', 'refused')} {e}")


{"ask": insist, "daemon": daemon, "flaky": flaky, "resume": resume, "code": code, "serve": serve, "http": http}[scenario]()
