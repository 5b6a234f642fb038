// The operator panel: a card for each extension, with the calls that it takes part in, from the snapshots and from
// the events after them.

import { OperatorPanel } from "./variants.js";
import { begin, button, element } from "./page.js";

const service = "active.operator.panel";

class Panel extends OperatorPanel {
  constructor(url, person, place) {
    super(url, person.token, service);
    this.domain = person.domain;
    this.cards = element("ul");
    this.toast = element("p");
    place.append(this.cards, this.toast);
    this.extensions = [];
    this.calls = new Map();
    this.ready.then(() => this.load());
  }

  async load() {
    const ask = (topic) => this.request(service, topic, { domain_name: this.domain });
    this.request(service, service).catch(() => {}); // nothing answers it
    const [extensions, calls] = await Promise.all([ask("extensions_active"), ask("calls_active")]);
    this.extensions = extensions.payload;
    calls.payload.forEach((call) => this.calls.set(call.unique_id, call));
    this.show();
  }

  push(name, payload) {
    if (!payload?.unique_id || name === "*") {
      return;
    }
    if (name === "channel_destroy") {
      this.calls.delete(payload.unique_id);
    } else {
      this.calls.set(payload.unique_id, { ...this.calls.get(payload.unique_id), ...payload });
    }
    this.show();
  }

  show() {
    this.cards.replaceChildren(...this.extensions.map((extension) => this.card(extension)));
  }

  card({ extension }) {
    const card = element("li", extension);
    const call = [...this.calls.values()].find((each) => each.channel_presence_id === `${extension}@${this.domain}`);
    card.dataset.extension = extension;
    card.dataset.state = call ? call.answer_state : "idle";
    card.append(` ${card.dataset.state} `);
    if (call) {
      card.append(button("Hang up", () => this.act("hangup", { uuid: call.unique_id })));
    }
    return card;
  }

  async act(action, more) {
    const said = await this.request(service, "action", { action, domain_name: this.domain, ...more }).catch((err) => err);
    this.toast.textContent = said.payload?.message ?? String(said);
  }
}

await begin(Panel);
