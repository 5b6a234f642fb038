import type { ComponentChildren } from "preact";
import type { View } from "../hooks";

interface FrameProps {
  title: string;
  note?: ComponentChildren;
  tools?: ComponentChildren;
  view?: View<unknown>;
  children: ComponentChildren;
}

/** Frame is a view with its title, its tools and what went wrong with it. */
export function Frame({ title, note, tools, view, children }: FrameProps) {
  return (
    <>
      <div class="head"><h1 tabIndex={-1}>{title}</h1>{note !== undefined && <p class="note">{note}</p>}</div>
      {tools !== undefined && <div class="tools" role="search">{tools}</div>}
      {view?.error && <p class="error" role="alert">{view.error.message}</p>}
      {view !== undefined && view.data === null && view.error === null && <p class="empty" role="status">Loading…</p>}
      {children}
    </>
  );
}

interface SearchProps {
  value: string;
  label: string;
  onInput(value: string): void;
}

export function Search({ value, label, onInput }: SearchProps) {
  return <input type="search" class="search" data-search aria-label={label} placeholder={label} maxLength={200} value={value} onInput={(e) => onInput(e.currentTarget.value)} spellcheck={false} autocomplete="off" />;
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return <dl class="facts">{rows.map(([name, fact]) => <div key={name}><dt>{name}</dt><dd>{fact}</dd></div>)}</dl>;
}

/** Code is text that is laid out already. It scrolls in a box of its own. */
export function Code({ label, text }: { label: string; text: string }) {
  return <pre class="code" tabIndex={0} role="region" aria-label={label}>{text}</pre>;
}
