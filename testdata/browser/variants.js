// The clients of FusionPBX's pages as the router sees them: when they authenticate, what they take
// for success, and how they hand on what is pushed.

import { Connection } from "./connection.js";

const within200s = (code) => code >= 200 && code < 300;

// The active calls page: authenticates when told to, believes the text or the code.
export class ActiveCalls extends Connection {
  dispatch(envelope) {
    if (envelope.status_code === 407) {
      if (envelope.service_name === "authentication") {
        this.authenticate();
      }
      return;
    }
    const text = String(envelope.status_string ?? "").toLowerCase();
    const success = text.startsWith("ok") || text.includes("success") || within200s(envelope.status_code);
    this.settle(envelope, success);
    if (envelope.payload !== null && envelope.payload.event_name) {
      this.push(envelope.payload.event_name, envelope.payload);
    }
  }
}

// The dashboard's widgets: authenticate on open, ignore the 407, and look for success where the
// router never says anything, so that all is well.
export class Dashboard extends Connection {
  handlers = new Set(["call", "announcement"]);

  opened() {
    this.authenticate();
  }

  dispatch(envelope) {
    if (envelope.status_code === 407) {
      return;
    }
    const { status = "ok", code = 200 } = envelope;
    const replied = this.settle(envelope, status === "ok" && within200s(code));
    if (this.handlers.has(envelope.topic)) {
      this.push(envelope.topic, replied ? { ...envelope.payload, __from_request: true } : envelope.payload);
    }
  }
}

// The conference pages: authenticate at every 407 under their service's name, and count as
// authenticated by topic only, never by the promise.
export class ActiveConferences extends Connection {
  dispatch(envelope) {
    if (envelope.status_code === 407) {
      this.request("authentication", "active.conferences").catch(() => {});
      return;
    }
    if (envelope.topic === "authenticated") {
      this.authenticated(envelope);
    }
    const { status = "ok", code = 200 } = envelope;
    if (!this.settle(envelope, status === "ok" && within200s(code))) {
      this.push(envelope.payload?.event_name ?? envelope.topic, envelope.payload);
      this.push("*", envelope.payload);
    }
  }
}

// The operator panel: authenticates at every 407, and wants both the text and the code.
export class OperatorPanel extends Connection {
  dispatch(envelope) {
    if (envelope.status_code === 407) {
      this.authenticate("active.operator.panel");
      return;
    }
    const text = String(envelope.status_string ?? "ok").toLowerCase();
    if (!this.settle(envelope, text === "ok" && within200s(envelope.status_code))) {
      this.push(envelope.topic.toLowerCase(), envelope.payload);
      this.push("*", envelope.payload);
    }
  }
}

export const variants = {
  active_calls: ActiveCalls,
  dashboard: Dashboard,
  active_conferences: ActiveConferences,
  operator_panel: OperatorPanel,
};
