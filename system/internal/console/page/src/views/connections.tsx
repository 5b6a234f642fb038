import { useEffect, useState } from "preact/hooks";
import { link, question, reasonOf } from "../app";
import { useCell } from "../cell";
import { bytes, count, moment, plural, span } from "../format";
import { usePace, useSettled, useView } from "../hooks";
import { Dialog } from "../parts/dialog";
import { Pager, Table } from "../parts/table";
import type { Column, Order } from "../parts/table";
import { Facts, Frame, Search } from "../parts/view";
import type { Acted, Connection, ConnectionDetail, Page } from "../protocol";
import { address, route } from "../route";

const limit = 50;

export function who(c: Connection): string {
  if (c.role === "service") return c.name || c.class || "service";
  if (c.user !== "") return c.user;
  return c.role === "unauthenticated" ? "not authenticated" : c.id.slice(0, 8);
}

function roleOf(c: Connection): string {
  return c.http === true ? `${c.role}, by HTTP` : c.role;
}

export function connectionColumns(show: (c: Connection) => void): Column<Connection>[] {
  return [
    { key: "who", title: "Who", sort: "user", lead: true, cell: (c) => (
      <button type="button" class="link" onClick={() => show(c)}>{who(c)}{c.domain !== "" && <span class="quiet"> {c.domain}</span>}</button>) },
    { key: "role", title: "Role", cell: (c) => roleOf(c) },
    { key: "remote", title: "From", sort: "remote", cell: (c) => <span class="mono">{c.remote}</span> },
    { key: "age", title: "Age", sort: "since", number: true, cell: (c) => span(c.age_ms) },
    { key: "idle", title: "Idle", sort: "idle", down: true, number: true, cell: (c) => (c.idle_ms < 1000 ? <span class="quiet">active</span> : span(c.idle_ms)) },
    { key: "subscriptions", title: "Watches", sort: "subscriptions", down: true, number: true, cell: (c) => count(c.subscriptions) },
    { key: "queue", title: "Queue", sort: "queued_bytes", down: true, number: true, cell: (c) => (c.queued === 0 && c.queued_bytes === 0 ? <span class="quiet">empty</span> : `${count(c.queued)}, ${bytes(c.queued_bytes)}`) },
    { key: "in", title: "In", sort: "in_bytes", down: true, number: true, cell: (c) => bytes(c.in_bytes) },
    { key: "out", title: "Out", sort: "out_bytes", down: true, number: true, cell: (c) => bytes(c.out_bytes) },
  ];
}

export function Connections() {
  const args = useCell(route).args;
  const [search, setSearch] = useState(args.get("search") ?? "");
  const [role, setRole] = useState(args.get("role") ?? "");
  const [service, setService] = useState(args.get("service") ?? "");
  const [order, setOrder] = useState<Order>({ sort: "since", descending: false });
  const [offset, setOffset] = useState(0);
  const [shown, setShown] = useState<Connection | null>(null);
  const every = usePace();
  const settled = useSettled(search);
  const watched = useSettled(service);
  useEffect(() => setOffset(0), [settled, watched, role, order]);
  const view = useView<Page<Connection>>("connections", "pulse", {
    search: settled, role, service: watched, sort: order.sort, descending: order.descending, offset, limit,
  }, 0, shown === null ? every : Infinity); // what is behind the drawer can wait
  const page = view.data;
  return (
    <Frame title="Connections" view={view} tools={<>
      <Search label="Search user, domain, address or id" value={search} onInput={setSearch} />
      <label>Role <select value={role} onChange={(e) => setRole(e.currentTarget.value)}>
        <option value="">All</option><option value="client">Clients</option><option value="service">Services</option><option value="unauthenticated">Not authenticated</option>
      </select></label>
      <label>Service <input type="text" class="shorter" maxLength={200} value={service} placeholder="Any" spellcheck={false} onInput={(e) => setService(e.currentTarget.value)} /></label>
    </>}>
      {page !== null && (
        <div class="panel">
          <Table label="Connections" rows={page.rows} id={(c) => c.number} columns={connectionColumns(setShown)} order={order} onOrder={setOrder} empty="No connection fits." />
          <Pager offset={page.offset} limit={limit} matched={page.matched} total={page.total} what="connections" every={every} onMove={setOffset} />
        </div>
      )}
      {shown !== null && <Drawer of={shown} onClose={() => setShown(null)} />}
    </Frame>
  );
}

/** Drawer tells all about a connection. */
export function Drawer({ of, onClose }: { of: Connection; onClose(): void }) {
  const may = useCell(link.hello)?.you.actions === true;
  const view = useView<ConnectionDetail>("connection", "pulse", { number: of.number }, 0, usePace());
  const gone = view.error?.status === 404;
  const c = view.data ?? of;
  const detail = view.data;
  const disconnect = (): void => question.set({
    title: `Disconnect ${who(c)}?`, verb: "Disconnect", danger: true,
    text: `The connection from ${c.remote} is closed. A page may connect again at once if it can get a new token.`,
    run: async () => {
      await link.ask<Acted>("connection.disconnect", { number: c.number });
      onClose();
      return `${who(c)} is disconnected.`;
    },
  });
  return (
    <Dialog title={who(c)} kind="drawer" onClose={onClose}>
      {gone && <p class="error" role="status">The connection is gone. This is what was last seen of it.</p>}
      {view.error !== null && !gone && <p class="error" role="alert">{reasonOf(view.error)}</p>}
      <Facts rows={[
        ["Role", roleOf(c)],
        ...(c.domain === "" ? [] : [["Domain", c.domain] as [string, string]]),
        ...(c.name === "" ? [] : [["Service", c.name] as [string, string]]),
        ...(c.class === "" ? [] : [["Class", c.class] as [string, string]]),
        ["From", <span class="mono">{c.remote}</span>],
        ["Connected", `${moment(c.since)}, ${span(c.age_ms)} ago`],
        ["Last message", c.idle_ms < 1000 ? "just now" : `${span(c.idle_ms)} ago`],
        ["Queue", `${plural(c.queued, "message")}, ${bytes(c.queued_bytes)}`],
        ["Received from it", bytes(c.in_bytes)],
        ["Sent to it", bytes(c.out_bytes)],
        ["Token is good until", c.expires === undefined ? "the end of the connection" : moment(c.expires)],
        ["Number", String(c.number)],
        ["Id", c.id === "" ? "none before authentication" : <span class="mono break">{c.id}</span>],
        ...(c.user_uuid ? [["User id", <span class="mono break">{c.user_uuid}</span>] as [string, never]] : []),
        ...(detail === null ? [] : [
          ["Permissions", count(detail.permissions)],
          ["Extensions", detail.extensions.length === 0 ? "none" : detail.extensions.join(", ")],
        ] as [string, string][]),
      ]} />
      {detail !== null && (
        <>
          <h3>{c.role === "service" ? "Offers and watches" : "Watches"}</h3>
          {detail.services.length === 0 ? <p class="quiet">nothing</p> : (
            <ul class="plainlist">{detail.services.map((s) => (
              <li key={s}>{s}{c.role === "client" && <a href={address("explain", { subscriber: c.id, service: s })} onClick={onClose}>Explain</a>}</li>
            ))}</ul>
          )}
        </>
      )}
      {may && !gone && <div class="buttons"><button type="button" class="danger" data-disconnect onClick={disconnect}>Disconnect…</button></div>}
    </Dialog>
  );
}
