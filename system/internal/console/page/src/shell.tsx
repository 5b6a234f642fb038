import { useEffect, useRef, useState } from "preact/hooks";
import { dismiss, link, shortcuts, theme, toasts } from "./app";
import type { Theme } from "./app";
import { useCell } from "./cell";
import { clock } from "./format";
import { useNow } from "./hooks";
import { Confirmation, Dialog } from "./parts/dialog";
import { Close, Mark, Shape, ThemeIcon } from "./parts/icons";
import type { Tone } from "./parts/icons";
import { address, route, views } from "./route";
import type { Path } from "./route";
import { bind } from "./keys";
import { Audit } from "./views/audit";
import { ClusterView } from "./views/cluster";
import { Connections } from "./views/connections";
import { DeadLettersView } from "./views/deadletters";
import { Explain } from "./views/explain";
import { LogView } from "./views/log";
import { Login, Refused } from "./views/login";
import { Overview } from "./views/overview";
import { Services } from "./views/services";
import { SlowView } from "./views/slow";
import { Topics } from "./views/topics";
import { TreeView } from "./views/tree";

const components: Record<Path, () => preact.JSX.Element> = {
  overview: Overview, tree: TreeView, connections: Connections, slow: SlowView, topics: Topics, services: Services, cluster: ClusterView,
  deadletters: DeadLettersView, log: LogView, explain: Explain, audit: Audit,
};

export function Shell() {
  const state = useCell(link.state);
  const hello = useCell(link.hello);
  const [help, setHelp] = useState(false);
  useEffect(() => bind(() => setHelp(true)), []);
  if (state.kind === "login") return <Login notice={state.notice} />;
  if (state.kind === "refused") return <Refused reason={state.reason} />;
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the content</a>
      <Top onHelp={() => setHelp(true)} />
      <div class="body">
        <Nav />
        <main id="main" tabIndex={-1} data-link={state.kind}>
          <Old />
          {hello === null ? <p class="empty" role="status">Connecting…</p> : <Current />}
        </main>
      </div>
      <Confirmation />
      {help && <Help onClose={() => setHelp(false)} />}
      <Toasts />
    </>
  );
}

function Current() {
  const at = useCell(route);
  const first = useRef(true);
  const View = components[at.path];
  useEffect(() => {
    const view = views.find((v) => v.path === at.path);
    document.title = `${view?.title ?? ""} · strowger console`;
    // Who has followed a link goes on at the title of the view.
    if (!first.current) {
      scrollTo(0, 0);
      document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
    }
    first.current = false;
  }, [at.path]);
  return <View key={`${at.path} ${at.args.toString()}`} />;
}

function Top({ onHelp }: { onHelp(): void }) {
  const hello = useCell(link.hello);
  const access = useCell(link.access);
  return (
    <header class="top">
      <a class="brand" href={address("overview")}><Mark /><b>strowger</b></a>
      {hello !== null && <span class="host">{hello.host}</span>}
      <span class="grow" />
      <LinkState />
      <ThemeSwitch />
      <button type="button" class="plain" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={onHelp}>?</button>
      {access?.way === "password" && <button type="button" onClick={() => void link.logout()}>Log out</button>}
    </header>
  );
}

/** LinkState says what the page's own connection does. */
function LinkState() {
  const state = useCell(link.state);
  const silent = useCell(link.silent);
  const now = useNow(500, state.kind === "waiting");
  let tone: Tone = "busy";
  let text = "Connecting";
  switch (state.kind) {
    case "live":
      [tone, text] = silent ? ["warn", "No news"] : ["good", "Live"];
      break;
    case "waiting":
      [tone, text] = ["bad", `Again in ${Math.max(0, Math.ceil((state.until - now) / 1000))} s`];
      break;
    case "paused":
      [tone, text] = ["wait", "Paused"];
  }
  return (
    <span class="linkstate">
      <span class={`state ${tone}`} role="status" data-linkstate={state.kind}><Shape tone={tone} />{text}</span>
      {state.kind === "waiting" && <button type="button" onClick={() => link.start()}>Try now</button>}
    </span>
  );
}

/** Old says that what is shown is not what is. */
function Old() {
  const state = useCell(link.state);
  const silent = useCell(link.silent);
  const heard = useCell(link.heard);
  if (state.kind === "live" && !silent) return null;
  if (link.hello.get() === null && state.kind !== "waiting") return null;
  const since = heard === 0 ? "" : ` What you see is from ${clock(heard)}.`;
  const why = state.kind === "waiting" ? state.reason : silent ? "The daemon sends no news." : state.kind === "paused" ? "The page is paused." : "Connecting again.";
  return <p class="old" role="status"><Shape tone="warn" /><span>{why}{since}</span></p>;
}

function ThemeSwitch() {
  const chosen = useCell(theme);
  const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
  const names: Record<Theme, string> = { system: "as the system", light: "light", dark: "dark" };
  return (
    <button type="button" class="plain" data-theme-switch aria-label={`Colours: ${names[chosen]}. Change to ${names[next[chosen]]}`} title={`Colours: ${names[chosen]}`}
      onClick={() => theme.set(next[chosen])}><ThemeIcon theme={chosen} /></button>
  );
}

function Nav() {
  const at = useCell(route).path;
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [at]);
  const title = views.find((v) => v.path === at)?.title;
  return (
    <nav class={open ? "open" : ""} aria-label="Views">
      <button type="button" class="menu" aria-expanded={open} aria-controls="views" onClick={() => setOpen(!open)}>Views <span class="quiet">{title}</span></button>
      <ul id="views">
        {views.map((v) => <li key={v.path}><a href={address(v.path)} aria-current={v.path === at ? "page" : undefined}>{v.title}<Marker path={v.path} /></a></li>)}
      </ul>
    </nav>
  );
}

/** Marker is a number beside a view that is worth a look. */
function Marker({ path }: { path: Path }) {
  const pulse = useCell(link.pulse);
  const n = path === "connections" ? pulse?.sample.connections : undefined;
  return n === undefined ? null : <span class="marker">{n.toLocaleString("en")}</span>;
}

function Help({ onClose }: { onClose(): void }) {
  const on = useCell(shortcuts);
  const rows: [string, string][] = [
    ["?", "Show this list"], ["/", "Search in this view"], ["r", "Ask again now"], ["Esc", "Close what is open"],
    ...views.map((v): [string, string] => [`g ${v.key}`, `Go to ${v.title}`]),
    ["↑ ↓ ← →", "Move in the tree, open and shut a branch"],
  ];
  return (
    <Dialog title="Keyboard shortcuts" kind="box" onClose={onClose}>
      <dl class="keys">{rows.map(([k, text]) => <div key={k}><dt>{k.split(" ").map((part) => <kbd key={part}>{part}</kbd>)}</dt><dd>{text}</dd></div>)}</dl>
      <label class="check"><input type="checkbox" checked={on} onChange={(e) => shortcuts.set(e.currentTarget.checked)} /> Use single keys as shortcuts</label>
    </Dialog>
  );
}

function Toasts() {
  const all = useCell(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {all.map((t) => <div key={t.id} class={`toast${t.bad ? " bad" : ""}`}><span>{t.text}</span><button type="button" class="plain" aria-label="Dismiss" onClick={() => dismiss(t.id)}><Close /></button></div>)}
    </div>
  );
}

