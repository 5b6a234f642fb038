import { moment } from "../format";
import { useView } from "../hooks";
import { State } from "../parts/icons";
import { Table } from "../parts/table";
import { Frame } from "../parts/view";
import type { AuditEntry } from "../protocol";

export function Audit() {
  const view = useView<{ revision: number; rows: AuditEntry[] }>("audit", "audit", { limit: 200 });
  return (
    <Frame title="Audit" view={view} note="Who did what through the admin port, the latest first. Actions that failed are here too.">
      {view.data !== null && (
        <div class="panel">
          <Table label="Actions" rows={view.data.rows} id={(e) => e.number} empty="Nobody has done anything." columns={[
            { key: "action", title: "Action", lead: true, cell: (e) => <span data-audit={e.action}>{e.action}</span> },
            { key: "object", title: "Object", cell: (e) => <span class="break">{e.object}</span> },
            { key: "result", title: "Result", cell: (e) => (e.result === "ok" ? <State state="ok" /> : <State state="failed" label={e.result} />) },
            { key: "at", title: "When", cell: (e) => moment(e.at) },
            { key: "who", title: "Who", cell: (e) => e.who },
            { key: "from", title: "From", cell: (e) => <span class="mono">{e.from}</span> },
          ]} />
        </div>
      )}
    </Frame>
  );
}
