import { browser } from "./browser";
import { Cell } from "./cell";
import { History } from "./history";
import { AskError, Link } from "./link";
import type { Acted, Samples } from "./protocol";

/** What all views share. There is one page, so there is one of each. */
export const link = new Link(browser());
export const history = new History();
/** drawn counts the changes of history. */
export const drawn = new Cell(0);

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

export const toasts = new Cell<Toast[]>([]);
let lastToast = 0;

/** tell shows a short text for some seconds. */
export function tell(text: string, bad = false): void {
  const toast = { id: ++lastToast, text, bad };
  toasts.set([...toasts.get(), toast].slice(-4));
  setTimeout(() => dismiss(toast.id), bad ? 12_000 : 6_000);
}

export function dismiss(id: number): void {
  toasts.set(toasts.get().filter((t) => t.id !== id));
}

/** Question asks for a confirmation. Its run acts, and returns what to tell afterwards. */
export interface Question {
  title: string;
  text: string;
  verb: string;
  danger: boolean;
  run(): Promise<string>;
}

export const question = new Cell<Question | null>(null);

const deeds: Record<string, { verb: string; done: string; text: string; danger: boolean }> = {
  restart: { verb: "Restart", done: "restarts", danger: true,
    text: "Requests that it works on are answered with an error. Its subscribers stay connected." },
  stop: { verb: "Stop", done: "is stopped", danger: true,
    text: "It stays stopped until somebody starts it or the daemon restarts. Requests to it are answered with an error." },
  start: { verb: "Start", done: "starts", danger: false, text: "It begins anew." },
  reset: { verb: "Reset the breaker", done: "starts now", danger: false,
    text: "Its breaker is closed, its failures are forgotten and it starts at once. If the cause is still there, it fails again." },
};

export function deedName(deed: string): string {
  return deeds[deed]?.verb ?? deed;
}

/** actOnService asks for a confirmation and then has the daemon act on a service. */
export function actOnService(name: string, deed: string): void {
  const d = deeds[deed];
  if (d === undefined) return;
  question.set({
    title: `${d.verb}: ${name}?`, text: d.text, verb: d.verb, danger: d.danger,
    run: async () => {
      await link.ask<Acted>(`service.${deed}`, { name });
      return `${name} ${d.done}.`;
    },
  });
}

export function reasonOf(error: unknown): string {
  if (error instanceof AskError || error instanceof Error) return error.message;
  return String(error);
}

/** keepHistory loads what the daemon has kept after each connect, and goes on with the pulses. */
export function keepHistory(): void {
  link.state.watch((state) => {
    if (state.kind !== "live") return;
    link.ask<Samples>("samples", { since_ms: 0 }).then(
      (samples) => {
        history.load(samples);
        drawn.set(drawn.get() + 1);
      },
      () => undefined, // the pulses are a history too
    );
  });
  link.pulse.watch((pulse) => {
    if (pulse === null) return;
    history.add(pulse);
    drawn.set(drawn.get() + 1);
  });
}

/** connectWhileSeen connects, and gives the connection up while nobody can see the page. */
export function connectWhileSeen(): void {
  let leaving: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    const state = link.state.get().kind;
    if (document.visibilityState === "hidden") {
      if (state !== "login" && state !== "refused") leaving = setTimeout(() => link.stop(), 3_000);
    } else if (state === "paused" || state === "waiting") {
      link.start();
    }
  });
  addEventListener("online", () => {
    if (link.state.get().kind === "waiting") link.start();
  });
  if (document.visibilityState === "hidden") link.stop(); // a tab that was opened in the background
  else link.start();
}

// What the user has chosen, in this browser.
function stored(key: string): string | null {
  try {
    return localStorage.getItem(`strowger.${key}`);
  } catch {
    return null;
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem(`strowger.${key}`, value);
  } catch {
    // The browser keeps nothing for this page; the choice holds until it is closed.
  }
}

export type Theme = "system" | "light" | "dark";
const chosen = stored("theme");
export const theme = new Cell<Theme>(chosen === "light" || chosen === "dark" ? chosen : "system");
theme.watch((t) => {
  store("theme", t);
  if (t === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = t;
});

export const shortcuts = new Cell(stored("shortcuts") !== "off");
shortcuts.watch((on) => store("shortcuts", on ? "on" : "off"));
