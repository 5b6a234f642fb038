// The four variants as pages that lose their connection. Each comes back with the token that it has, as the
// operator panel does, and counts what becomes of it.

import { variants } from "./variants.js";

const delay = 200; // between the end of a connection and the next attempt, in ms

class Page {
  codes = []; // with which connections that were open have ended
  admitted = 0;
  refused = 0;
  replies = 0;

  constructor(name, Variant, setup) {
    Object.assign(this, { name, Variant, setup });
    this.connect();
  }

  connect() {
    const client = new this.Variant(this.setup.url, this.setup.tokens[this.name], this.setup.service);
    client.ready.catch(() => {}); // the counts tell
    client.socket.addEventListener("close", (event) => {
      if (client.seen.length > 0) {
        this.codes.push(event.code);
      }
      setTimeout(() => this.connect(), delay);
    });
    const has = (topic) => client.seen.some((envelope) => envelope.topic === topic);
    client.until(() => has("authenticated")).then(() => this.admitted++);
    client.until(() => has("unauthorized")).then(() => this.refused++);
    this.client = client;
  }

  async call() {
    const reply = await this.client.request(this.setup.service, "call", { variant: this.name });
    this.replies += reply.status_code === 200 ? 1 : 0;
  }
}

const setup = await (await fetch("/setup.json")).json();
window.pages = Object.entries(variants).map(([name, Variant]) => new Page(name, Variant, setup));
