// The active calls page: one row a channel of the own domain, from the answers to in.progress and from the events
// after them.

import { ActiveCalls } from "./variants.js";
import { begin, button, element } from "./page.js";

const service = "active.calls";

class Calls extends ActiveCalls {
  constructor(url, person, place) {
    super(url, person.token, service);
    this.domain = person.domain;
    this.table = element("table");
    place.append(this.table);
    this.ready.then(() => this.request(service, "in.progress").catch(() => {}));
  }

  push(name, payload) {
    if (name === "CHANNEL_CALLSTATE") {
      this.changed(payload);
    }
  }

  changed(call) {
    if (call.caller_context !== this.domain) {
      return;
    }
    const row = this.row(call.unique_id) ?? this.add(call);
    row.dataset.state = call.answer_state;
    row.cells[2].textContent = call.answer_state;
    if (call.answer_state === "hangup") {
      row.remove();
    }
  }

  row(uuid) {
    return [...this.table.rows].find((row) => row.dataset.uuid === uuid);
  }

  add(call) {
    const row = this.table.insertRow();
    row.dataset.uuid = call.unique_id;
    row.dataset.presence = call.channel_presence_id ?? "";
    row.insertCell().textContent = `${call.caller_caller_id_name} ${call.caller_caller_id_number}`;
    row.insertCell().textContent = call.caller_destination_number;
    row.insertCell();
    const hangUp = () => this.request(service, "hangup", { unique_id: call.unique_id }).catch(() => {});
    row.insertCell().append(button("Hang up", hangUp));
    return row;
  }
}

await begin(Calls);
