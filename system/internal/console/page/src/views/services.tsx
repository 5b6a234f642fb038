import { useEffect, useState } from "preact/hooks";
import { actOnService, deedName, link } from "../app";
import { useCell } from "../cell";
import { count, plural, rate, short, span } from "../format";
import { useSettled, useView } from "../hooks";
import { State } from "../parts/icons";
import { Pager, Table } from "../parts/table";
import type { Order } from "../parts/table";
import { Frame, Search } from "../parts/view";
import type { Page, Service } from "../protocol";

const limit = 50;

export function Services() {
  const may = useCell(link.hello)?.you.actions === true;
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState<Order>({ sort: "name", descending: false });
  const [offset, setOffset] = useState(0);
  const settled = useSettled(search);
  useEffect(() => setOffset(0), [settled, order]);
  const view = useView<Page<Service>>("services", "pulse", { search: settled, sort: order.sort, descending: order.descending, offset, limit });
  const page = view.data;
  return (
    <Frame title="Services" view={view} note="Services in the router can be restarted, stopped and started here. Those in processes of their own are shown as they are."
      tools={<Search label="Search services" value={search} onInput={setSearch} />}>
      {page !== null && (
        <div class="panel">
          <Table label="Services" rows={page.rows} id={(s) => s.name} order={order} onOrder={setOrder} empty="No service fits." columns={[
            { key: "name", title: "Name", sort: "name", lead: true, cell: (s) => <>{s.name}<span class="under">{where(s)}</span></> },
            { key: "state", title: "State", sort: "state", cell: (s) => <span data-service={s.name} data-state={s.state}><State state={s.state} />{trouble(s)}</span> },
            { key: "rate", title: "Requests/s", sort: "rate", down: true, number: true, cell: (s) => rate(s.rate) },
            { key: "requests", title: "Requests", sort: "requests", down: true, number: true, cell: (s) => count(s.requests) },
            { key: "failures", title: "Failures", sort: "failures", down: true, number: true, cell: (s) => `${count(s.failures)}${s.failure_rate > 0 ? ` (${rate(s.failure_rate)}/s)` : ""}` },
            { key: "latency", title: "Latency", sort: "latency", down: true, number: true, cell: latency },
            { key: "open", title: "Open", number: true, cell: (s) => `${count(s.open)}${s.queued ? ` (+${count(s.queued)})` : ""}` },
            { key: "restarts", title: "Restarts", number: true, cell: (s) => (s.inside ? count(s.restarts ?? 0) : "–") },
            ...(may ? [{ key: "actions", title: "Actions", cell: (s: Service) => (
              s.actions.length === 0 ? <span class="quiet">none</span> : (
                <span class="rowbuttons">
                  {s.actions.map((deed) => <button type="button" key={deed} data-deed={deed} aria-label={`${deedName(deed)} ${s.name}`} onClick={() => actOnService(s.name, deed)}>{deed === "reset" ? "Reset" : deedName(deed)}</button>)}
                </span>)) }] : []),
          ]} />
          <Pager offset={page.offset} limit={limit} matched={page.matched} total={page.total} what="services" onMove={setOffset} />
        </div>
      )}
    </Frame>
  );
}

function where(s: Service): string {
  return s.inside ? "in the router" : plural(s.instances.length, "remote instance");
}

function trouble(s: Service) {
  const parts: string[] = [];
  if (s.reason) parts.push(s.state === "up" ? `last failure: ${s.reason}` : s.reason);
  if (s.breaker && s.breaker !== "closed") parts.push(`breaker ${s.breaker}`);
  if (s.retry_after_ms) parts.push(`next try in ${span(s.retry_after_ms)}`);
  return parts.length === 0 ? null : <span class="under">{parts.join(", ")}</span>;
}

function latency(s: Service): string {
  const l = s.latency_ms;
  if (l === undefined) return "–";
  return l.p99 === undefined ? short(l.mean) : `${short(l.mean)} (99%: ${short(l.p99)})`;
}
