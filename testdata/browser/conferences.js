// The page of one conference: one row a member, from the answer to in_progress and from the events after it.

import { ActiveConferences } from "./variants.js";
import { begin, button, element } from "./page.js";

const service = "active.conferences";
const extension = "3001";

class Conference extends ActiveConferences {
  constructor(url, person, place) {
    super(url, person.token, service);
    this.domain = person.domain;
    this.name = `${extension}@${person.domain}`;
    this.title = element("h3");
    this.table = element("table");
    place.append(this.title, this.table);
    this.members = new Map();
    this.ready.then(() => {
      this.request(service, service).catch(() => {}); // nothing answers it
      return this.load();
    });
  }

  async load() {
    const reply = await this.request(service, "in_progress", { uuid: extension, domain_name: this.domain });
    const [conference] = reply.payload ?? [];
    this.title.textContent = conference?.conference_display_name ?? "";
    this.members = new Map((conference?.members ?? []).map((member) => [String(member.id), member]));
    this.show();
  }

  // The page names what is pushed by the event; what happened is the action.
  push(name, payload) {
    if (name !== "*" || payload?.conference_name !== this.name) {
      return;
    }
    const member = this.members.get(payload.member_id);
    switch (payload.action) {
      case "add-member":
        this.members.set(String(payload.member.id), payload.member);
        break;
      case "del-member":
        this.members.delete(payload.member_id);
        break;
      case "mute-member":
      case "unmute-member":
        member && (member.flags.can_speak = payload.action === "unmute-member");
        break;
      case "conference-destroy":
        this.members.clear();
        break;
    }
    this.show();
  }

  show() {
    this.table.replaceChildren(...[...this.members.values()].map((member) => this.row(member)));
  }

  row(member) {
    const row = element("tr");
    row.dataset.member = member.id;
    row.dataset.speaks = member.flags.can_speak;
    row.append(element("td", member.caller_id_number), element("td", member.flags.can_speak ? "speaks" : "muted"));
    const action = member.flags.can_speak ? "mute" : "unmute";
    const act = () => this.act(action, { member_id: String(member.id), uuid: member.uuid });
    row.insertCell().append(button(action, act));
    return row;
  }

  act(action, more) {
    const payload = { action, conference_name: this.name, domain_name: this.domain, ...more };
    return this.request(service, "action", payload).catch(() => {});
  }
}

await begin(Conference);
