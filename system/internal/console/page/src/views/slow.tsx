import { useState } from "preact/hooks";
import { bytes, count, plural, span } from "../format";
import { usePace, useView } from "../hooks";
import { Table } from "../parts/table";
import { Frame } from "../parts/view";
import type { Connection, Slow } from "../protocol";
import { Drawer, who } from "./connections";

export function SlowView() {
  const [shown, setShown] = useState<Connection | null>(null);
  const every = usePace();
  const view = useView<Slow>("slow", "pulse", { limit: 50 }, 0, shown === null ? every : Infinity);
  const rows = view.data?.rows ?? [];
  const most = rows[0]?.queued_bytes ?? 0;
  return (
    <Frame title="Slow subscribers" view={view} note={view.data === null ? undefined
      : `${bytes(view.data.waiting_bytes)} wait to be sent to ${plural(view.data.total, "connection")}. Whose queue is longest is first.`}>
      {view.data !== null && (
        <div class="panel">
          <Table label="Slow subscribers" rows={rows} id={(c) => c.number} empty="Nobody is slow: nothing waits to be sent." columns={[
            { key: "who", title: "Who", lead: true, cell: (c) => <button type="button" class="link" onClick={() => setShown(c)}>{who(c)}{c.domain !== "" && <span class="quiet"> {c.domain}</span>}</button> },
            { key: "bar", title: "Waits", cell: (c) => <span class="bar"><span class="fill" style={{ width: `${Math.max(2, (100 * c.queued_bytes) / most)}%` }} /><span class="text">{bytes(c.queued_bytes)}</span></span> },
            { key: "queued", title: "Messages", number: true, cell: (c) => count(c.queued) },
            { key: "idle", title: "Idle", number: true, cell: (c) => span(c.idle_ms) },
            { key: "out", title: "Sent", number: true, cell: (c) => bytes(c.out_bytes) },
            { key: "remote", title: "From", cell: (c) => <span class="mono">{c.remote}</span> },
          ]} />
        </div>
      )}
      {shown !== null && <Drawer of={shown} onClose={() => setShown(null)} />}
    </Frame>
  );
}
