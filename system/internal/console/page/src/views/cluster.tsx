import { bytes, count, moment, short } from "../format";
import { useView } from "../hooks";
import { State } from "../parts/icons";
import { Table } from "../parts/table";
import { Frame } from "../parts/view";
import type { Cluster, ClusterNode } from "../protocol";

export function ClusterView() {
  const view = useView<Cluster>("cluster", "pulse");
  const cluster = view.data;
  return (
    <Frame title="Cluster" view={view} note={cluster === null ? undefined : about(cluster)}>
      {cluster?.clustered === true && (
        <div class="panel">
          <Table label="Nodes" rows={cluster.nodes} id={(n) => n.id} empty="There are no nodes." columns={[
            { key: "name", title: "Node", lead: true, cell: (n) => n.name },
            { key: "state", title: "State", cell: (n) => <><State state={n.state} />{n.reason !== undefined && <span class="quiet"> {n.reason}</span>}</> },
            { key: "version", title: "Version", cell: (n) => n.version },
            { key: "heard", title: "Heard", number: true, cell: (n) => elsewhere(n, short(n.heartbeat_ms)) },
            { key: "queued", title: "Waits", number: true, cell: (n) => elsewhere(n, bytes(n.queued_bytes)) },
            { key: "lag", title: "Lag", number: true, cell: (n) => elsewhere(n, count(n.unacknowledged)) },
            { key: "sent", title: "Sent", number: true, cell: (n) => elsewhere(n, count(n.sent)) },
            { key: "received", title: "Received", number: true, cell: (n) => elsewhere(n, count(n.received)) },
            { key: "resets", title: "Began anew", number: true, cell: (n) => elsewhere(n, count(n.resets)) },
            { key: "services", title: "Offers", cell: (n) => offers(n) },
          ]} />
        </div>
      )}
    </Frame>
  );
}

/** about says how this node stands to the others. */
function about(cluster: Cluster): string {
  const bus = cluster.bus;
  if (!cluster.clustered || bus === undefined) return "This router is alone: its settings name no cluster.";
  const state = bus.connected ? `connected since ${moment(bus.since)}` : "away, and this node goes on alone";
  return `Node ${cluster.node} of cluster ${cluster.name}. The bus is ${state}${bus.reason === undefined ? "" : `: ${bus.reason}`}.`;
}

/** elsewhere leaves out what this node does not know of itself. */
function elsewhere(node: ClusterNode, text: string): string {
  return node.state === "self" ? "" : text;
}

/** offers names services with their instances, and the singletons that the node has. */
function offers(node: ClusterNode): string {
  const has = new Set(node.singletons.filter((s) => s.state !== "stands").map((s) => s.name));
  return node.services.map((s) => `${s.name}${s.instances === 1 ? "" : ` ${s.instances}`}${has.has(s.name) ? " (singleton)" : ""}`).join(", ");
}
