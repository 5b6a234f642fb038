// Shapes, so that no state is told by its colour alone.
const shapes = {
  good: <circle cx="8" cy="8" r="5" />,
  busy: <path d="M8 3a5 5 0 1 0 5 5" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />,
  wait: <path d="M4 3h3v10H4zM9 3h3v10H9z" />,
  off: <rect x="4" y="4" width="8" height="8" rx="1" fill="none" stroke="currentColor" stroke-width="2" />,
  bad: <path d="M8 1.8 15 14H1z" />,
  warn: <path d="M8 2.2 14 8l-6 5.8L2 8z" />,
  none: <path d="M3.5 7h9v2h-9z" />,
} as const;

export type Tone = keyof typeof shapes;

const tones: Record<string, Tone> = {
  running: "good", up: "good", closed: "good", live: "good", ok: "good",
  starting: "busy", restarting: "busy", "half-open": "warn",
  waiting: "wait", down: "bad", failed: "bad", open: "bad",
  linked: "good", self: "good", joining: "busy", refused: "bad",
  stopped: "off", absent: "none",
};

export function toneOf(state: string): Tone {
  return tones[state] ?? "none";
}

export function Shape({ tone }: { tone: Tone }) {
  return <svg class={`shape ${tone}`} viewBox="0 0 16 16" width="10" height="10" fill="currentColor" aria-hidden="true">{shapes[tone]}</svg>;
}

/** State is a state with its shape. */
export function State({ state, label }: { state: string; label?: string }) {
  const tone = toneOf(state);
  return <span class={`state ${tone}`}><Shape tone={tone} />{label ?? state}</span>;
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
      <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="2.4" /><circle cx="8" cy="8" r="2" fill="currentColor" />
    </svg>
  );
}

export function Close() {
  return <svg viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" aria-hidden="true"><path d="m4 4 8 8M12 4l-8 8" /></svg>;
}

export function Chevron({ open }: { open: boolean }) {
  return <svg class={`chevron${open ? " open" : ""}`} viewBox="0 0 16 16" width="12" height="12" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="m6 4 4 4-4 4" /></svg>;
}

export function ThemeIcon({ theme }: { theme: string }) {
  const common = { viewBox: "0 0 16 16", width: 15, height: 15, "aria-hidden": true } as const;
  if (theme === "dark") return <svg {...common} fill="currentColor"><path d="M13.5 10A6 6 0 0 1 6 2.5a6 6 0 1 0 7.5 7.5z" /></svg>;
  if (theme === "light") {
    return (
      <svg {...common} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round">
        <circle cx="8" cy="8" r="2.8" /><path d="M8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M3.2 12.8l1.1-1.1M11.7 4.3l1.1-1.1" />
      </svg>
    );
  }
  return <svg {...common}><circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" stroke-width="1.6" /><path d="M8 2.4a5.6 5.6 0 0 1 0 11.2z" fill="currentColor" /></svg>;
}
