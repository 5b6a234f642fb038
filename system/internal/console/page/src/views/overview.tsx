import { useState } from "preact/hooks";
import { link } from "../app";
import { useCell } from "../cell";
import { bytes, count, plural, rate, span } from "../format";
import { useNow, useView } from "../hooks";
import { Chart } from "../parts/chart";
import { Shape, State } from "../parts/icons";
import { Table } from "../parts/table";
import { Facts } from "../parts/view";
import type { Hello, Page, Service } from "../protocol";
import { address } from "../route";

export function Overview() {
  const [seconds, setSeconds] = useState(300);
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>Overview</h1>
        <Readiness />
        <div class="segments" role="group" aria-label="Time that the charts show">
          {[[300, "5 min"], [900, "15 min"], [3600, "1 h"]].map(([s, text]) => (
            <button type="button" key={s} aria-pressed={seconds === s} onClick={() => setSeconds(s as number)}>{text}</button>
          ))}
        </div>
      </div>
      <Problems />
      <Tiles />
      <div class="charts">
        <Chart title="Messages per second" seconds={seconds} format={rate} lines={[
          { key: "requests", label: "Requests", hue: 1 }, { key: "replies", label: "Replies", hue: 2, dash: [6, 3] },
          { key: "broadcasts", label: "Broadcasts", hue: 3, dash: [2, 3] }]} />
        <Chart title="Connections" seconds={seconds} format={count} whole lines={[
          { key: "connections", label: "All", hue: 1 }, { key: "clients", label: "Clients", hue: 2, dash: [6, 3] }]} />
        <Chart title="Trouble per second" seconds={seconds} format={rate} lines={[
          { key: "dead_letters", label: "Dead letters", hue: 4 }, { key: "refused", label: "Refused", hue: 5, dash: [6, 3] },
          { key: "slow_consumers", label: "Slow", hue: 3, dash: [2, 3] }, { key: "panics", label: "Panics", hue: 2, dash: [8, 3, 2, 3] }]} />
        <Chart title="Waiting to be sent" seconds={seconds} format={bytes} binary lines={[{ key: "waiting_bytes", label: "In all queues", hue: 3 }]} />
        <Chart title="Processor" seconds={seconds} format={(n) => `${rate(n)} %`} lines={[{ key: "cpu", label: "Of one processor", hue: 1 }]} />
        <Chart title="Memory" seconds={seconds} format={bytes} binary lines={[{ key: "heap_bytes", label: "Heap", hue: 2 }]} />
      </div>
      <div class="pair">
        <ServiceStates />
        <About />
      </div>
    </>
  );
}

/** useStatus returns what hello says, as it is now. */
function useStatus(): Hello | null {
  const hello = useCell(link.hello);
  const view = useView<Hello>("status", "tree", {}, 5);
  return hello === null ? null : { ...hello, ...(view.data ?? {}), you: hello.you };
}

function Readiness() {
  const status = useStatus();
  if (status === null) return null;
  return <span class={`badge ${status.ready ? "good" : "bad"}`} data-ready={status.ready}><Shape tone={status.ready ? "good" : "bad"} />{status.ready ? "Ready" : "Not ready"}</span>;
}

function Problems() {
  const problems = useStatus()?.problems ?? [];
  if (problems.length === 0) return null;
  return (
    <section class="panel problems" aria-label="Problems">
      <h2>{plural(problems.length, "problem")}</h2>
      <ul>{problems.map((p) => <li key={p.part + p.reason}><Shape tone="bad" /><b>{p.part}</b> {p.reason}</li>)}</ul>
    </section>
  );
}

function Tiles() {
  const sample = useCell(link.pulse)?.sample;
  const tiles: [string, string, string][] = [
    ["Connections", count(sample?.connections), sample === undefined ? "–" : `${plural(sample.clients, "client")}, ${plural(sample.services, "service")}`],
    ["Requests/s", rate(sample?.requests), `${rate(sample?.replies)} replies/s`],
    ["Broadcasts/s", rate(sample?.broadcasts), `${bytes(sample?.waiting_bytes)} wait to be sent`],
    ["Dead letters/s", rate(sample?.dead_letters), `${rate(sample?.refused)} refused/s`],
    ["Restarts/s", rate(sample?.restarts), `${rate(sample?.panics)} panics/s`],
    ["Processor", sample === undefined ? "–" : `${rate(sample.cpu)} %`, `${bytes(sample?.heap_bytes)} of heap`],
  ];
  return <dl class="tiles">{tiles.map(([name, figure, under]) => <div class="panel" key={name}><dt>{name}</dt><dd><b>{figure}</b><span>{under}</span></dd></div>)}</dl>;
}

function ServiceStates() {
  const view = useView<Page<Service>>("services", "pulse", { limit: 100 });
  return (
    <section class="panel" aria-label="Services">
      <h2>Services <a href={address("services")}>All about them</a></h2>
      <Table label="States of the services" rows={view.data?.rows ?? []} id={(s) => s.name} empty={view.data === null ? "Loading…" : "There is no service."} columns={[
        { key: "name", title: "Name", lead: true, cell: (s) => s.name },
        { key: "state", title: "State", cell: (s) => <State state={s.state} /> },
        { key: "rate", title: "Requests/s", number: true, cell: (s) => rate(s.rate) },
        { key: "failures", title: "Failures/s", number: true, cell: (s) => rate(s.failure_rate) },
        { key: "restarts", title: "Restarts", number: true, cell: (s) => (s.inside ? count(s.restarts ?? 0) : "–") },
      ]} />
    </section>
  );
}

function About() {
  const status = useStatus();
  const now = useNow(1000);
  const sample = useCell(link.pulse)?.sample;
  if (status === null) return null;
  return (
    <section class="panel" aria-label="This router">
      <h2>This router</h2>
      <Facts rows={[
        ["Host", status.host], ["Address", <span class="mono">{status.address}</span>],
        ["Version", [status.version || "unknown", status.commit?.slice(0, 12)].filter(Boolean).join(", ")],
        ["Go", status.go], ["Process", String(status.pid)],
        ["Runs for", span(now - Date.parse(status.started))], ["Goroutines", count(sample?.goroutines)],
        ["You are", `${status.you.name}, ${status.you.from}`],
        ["You may", status.you.actions ? "look and act" : "look"],
        ["Payloads of dead letters", status.payloads ? "are kept" : "are not kept (admin.payloads)"],
      ]} />
    </section>
  );
}
