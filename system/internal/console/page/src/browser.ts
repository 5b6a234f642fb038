import type { Answer, Environment, Socket } from "./link";

/** browser is the environment of the real page. */
export function browser(): Environment {
  const base = new URL(".", location.href);
  return {
    async http(path, body): Promise<Answer> {
      const response = await fetch(new URL(path, base), {
        method: body === undefined ? "GET" : "POST",
        cache: "no-store",
        credentials: "same-origin",
        ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
      });
      const raw = await response.text();
      let decoded: unknown = null;
      try {
        decoded = raw === "" ? null : JSON.parse(raw);
      } catch {
        // A proxy in between answers with HTML; the status says enough.
      }
      return { status: response.status, body: decoded };
    },
    socket(): Socket {
      const url = new URL("ws", base);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      return new WebSocket(url) as unknown as Socket;
    },
    now: () => Date.now(),
    random: () => Math.random(),
    later(f, ms) {
      const id = setTimeout(f, ms);
      return () => clearTimeout(id);
    },
  };
}
