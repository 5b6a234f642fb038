// What the four pages' clients have in common: numbered requests, each with a promise, and the
// token on every one of them.

export class Connection {
  constructor(url, token, service) {
    this.token = token;
    this.service = service;
    this.lastId = 0;
    this.waiting = new Map();
    this.seen = []; // every envelope, as it came
    this.pushes = []; // what a page's handlers got: {name, payload}
    this.watchers = [];
    this.ready = new Promise((resolve, reject) => {
      this.authenticated = resolve;
      this.rejected = reject;
    });
    this.socket = new WebSocket(url);
    this.socket.onopen = () => this.opened();
    this.socket.onmessage = (message) => this.receive(JSON.parse(message.data));
    this.socket.onclose = (event) => this.rejected(new Error(`closed with ${event.code}`));
  }

  opened() {}

  // A page sends no topic where it has none.
  request(service, topic, payload = {}) {
    const id = String(++this.lastId);
    const envelope = { request_id: id, service, token: this.token, payload };
    if (topic) {
      envelope.topic = topic;
    }
    this.socket.send(JSON.stringify(envelope));
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  authenticate(topic) {
    this.request("authentication", topic).then(this.authenticated, this.rejected);
  }

  // settle ends the promise of a reply and tells whether there was one.
  settle(envelope, success) {
    const promise = this.waiting.get(envelope.request_id);
    if (!promise) {
      return false;
    }
    this.waiting.delete(envelope.request_id);
    (success ? promise.resolve : promise.reject)(envelope);
    return true;
  }

  push(name, payload) {
    this.pushes.push({ name, payload });
  }

  receive(envelope) {
    this.seen.push(envelope);
    this.dispatch(envelope);
    this.watchers = this.watchers.filter((watcher) => !watcher());
  }

  // until resolves as soon as a condition on what was received holds.
  until(condition) {
    return new Promise((resolve) => {
      if (condition()) {
        resolve();
        return;
      }
      this.watchers.push(() => condition() && (resolve(), true));
    });
  }
}
