import { useEffect, useState } from "preact/hooks";
import { link, question } from "../app";
import { useCell } from "../cell";
import { bytes, count, moment, pretty, words } from "../format";
import { useSettled, useView } from "../hooks";
import { Dialog } from "../parts/dialog";
import { Pager, Table } from "../parts/table";
import { Code, Facts, Frame } from "../parts/view";
import type { DeadLetter, DeadLetterDetail, DeadLetters, Replayed } from "../protocol";

const limit = 50;

export function DeadLettersView() {
  const [reason, setReason] = useState("");
  const [service, setService] = useState("");
  const [offset, setOffset] = useState(0);
  const [shown, setShown] = useState<DeadLetter | null>(null);
  const settled = useSettled(service);
  useEffect(() => setOffset(0), [reason, settled]);
  const view = useView<DeadLetters>("deadletters", "dead_letters", { reason, service: settled, offset, limit });
  const page = view.data;
  return (
    <Frame title="Dead letters" view={view} note={page === null ? "Messages that nobody took."
      : `Messages that nobody took: ${count(page.total)} since the start, ${count(page.kept)} of them kept.`}
      tools={<>
        <label>Reason <select value={reason} onChange={(e) => setReason(e.currentTarget.value)}>
          <option value="">All</option>
          {Object.entries(page?.counts ?? {}).sort().map(([r, n]) => <option key={r} value={r}>{words(r)} ({count(n)})</option>)}
        </select></label>
        <label>Service <input type="text" data-search class="shorter" maxLength={200} placeholder="Any" value={service} spellcheck={false} onInput={(e) => setService(e.currentTarget.value)} /></label>
      </>}>
      {page !== null && (
        <div class="panel">
          <Table label="Dead letters" rows={page.rows} id={(d) => d.number} empty="No dead letter is kept that fits." columns={[
            { key: "number", title: "Number", lead: true, cell: (d) => <button type="button" class="link" data-letter={d.number} onClick={() => setShown(d)}>#{d.number} <span class="quiet">{d.kind || "message"}</span></button> },
            { key: "at", title: "When", cell: (d) => moment(d.at) },
            { key: "reason", title: "Reason", cell: (d) => words(d.reason) },
            { key: "service", title: "Service", cell: (d) => d.service || d.actor || "–" },
            { key: "topic", title: "Topic", cell: (d) => d.topic || "–" },
            { key: "from", title: "From", cell: (d) => d.from?.user || d.from?.name || d.from?.remote || "–" },
            { key: "bytes", title: "Payload", number: true, cell: (d) => bytes(d.payload_bytes ?? 0) },
            { key: "replay", title: "Replay", cell: (d) => (d.replayed ? `done ${moment(d.replayed)}` : d.replayable ? "possible" : <span class="quiet">no</span>) },
          ]} />
          <Pager offset={page.offset} limit={limit} matched={page.matched ?? page.kept} total={page.kept} what="dead letters" onMove={setOffset} />
        </div>
      )}
      {shown !== null && <Letter of={shown} onClose={() => setShown(null)} />}
    </Frame>
  );
}

function Letter({ of, onClose }: { of: DeadLetter; onClose(): void }) {
  const may = useCell(link.hello)?.you.actions === true;
  const view = useView<DeadLetterDetail>("deadletter", "dead_letters", { number: of.number });
  const [answer, setAnswer] = useState<Replayed | null>(null);
  const gone = view.error?.status === 404;
  const d: DeadLetterDetail = view.data ?? of;
  const replay = (): void => question.set({
    title: `Replay dead letter #${d.number}?`, verb: "Replay", danger: true,
    text: `${d.service ?? "The service"} is asked once more, with the permissions of who asked. It may do a second time what it has done. Nobody but you gets the answer.`,
    run: async () => {
      const replayed = await link.ask<Replayed>("deadletter.replay", { number: d.number, confirm: d.number });
      setAnswer(replayed);
      view.reload();
      return `Dead letter #${d.number} was replayed: status ${replayed.status}.`;
    },
  });
  const from = d.from;
  return (
    <Dialog title={`Dead letter #${d.number}`} kind="drawer" onClose={onClose}>
      {gone && <p class="error" role="status">It is not kept any more. This is what was last seen of it.</p>}
      {view.error !== null && !gone && <p class="error" role="alert">{view.error.message}</p>}
      <Facts rows={[
        ["Reason", words(d.reason)], ["When", moment(d.at)], ["Kind", d.kind || "–"],
        ["Service", d.service || "–"], ["Topic", d.topic || "–"],
        ...(d.actor ? [["Actor", <span class="mono break">{d.actor}</span>] as [string, never]] : []),
        ...(d.type ? [["Work", <span class="mono break">{d.type}</span>] as [string, never]] : []),
        ...(d.request_id ? [["Request", <span class="mono break">{d.request_id}</span>] as [string, never]] : []),
        ...(from ? [["From", [from.user || from.name, from.domain, from.remote].filter(Boolean).join(", ")] as [string, string]] : []),
        ["Payload", bytes(d.payload_bytes ?? 0)],
        ["Replay", d.replayed ? `done at ${moment(d.replayed)}` : d.replayable ? "possible" : (d.why ?? "not possible")],
      ]} />
      {d.payload !== undefined && <><h3>Payload{d.truncated ? ", the beginning" : ""}</h3><Code label="Payload" text={pretty(d.payload)} /></>}
      {answer !== null && (
        <section aria-label="Answer to the replay" data-answer={answer.status}>
          <h3>Answer to the replay</h3>
          <Facts rows={[["Status", String(answer.status)], ["Topic", answer.topic || "–"], ["Payload", bytes(answer.payload_bytes)]]} />
          {answer.payload !== undefined && answer.payload !== "" && <Code label="Payload of the answer" text={pretty(answer.payload)} />}
        </section>
      )}
      {d.stack && <><h3>Stack</h3><Code label="Stack" text={d.stack} /></>}
      {may && d.replayable && !gone && <div class="buttons"><button type="button" class="danger" data-replay onClick={replay}>Replay…</button></div>}
    </Dialog>
  );
}
