import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { actOnService, deedName, link } from "../app";
import { useCell } from "../cell";
import { count, moment, plural, span, words } from "../format";
import { useNow, useView } from "../hooks";
import { Chevron, State } from "../parts/icons";
import { Code, Facts, Frame } from "../parts/view";
import type { Tree, TreeNode } from "../protocol";
import { flatten, move, pathOf } from "../treelist";
import type { Item } from "../treelist";

export function TreeView() {
  const view = useView<Tree>("tree", "tree", {}, 10);
  const [shut, setShut] = useState<ReadonlySet<string>>(new Set(["root/topics", "root/remotes"]));
  const [chosen, setChosen] = useState("root");
  const tree = useRef<HTMLUListElement>(null);
  const root = view.data?.root;
  const items = useMemo(() => (root === undefined ? [] : flatten(root, shut)), [root, shut]);
  const at = items.find((i) => i.path === chosen) ?? items[0];

  const toggle = (item: Item, open: boolean): void => {
    const next = new Set(shut);
    if (open) next.delete(item.path);
    else next.add(item.path);
    setShut(next);
  };
  const choose = (path: string, event: "mouse" | "key" = "key"): void => {
    setChosen(path);
    requestAnimationFrame(() => tree.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`)?.focus({ preventScroll: event === "mouse" }));
  };
  const onKey = (event: KeyboardEvent): void => {
    if (at === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = move(items, at, event.key);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (next.open !== undefined) toggle(at, next.open);
    if (next.path !== undefined) choose(next.path);
  };
  return (
    <Frame title="Tree" view={view} note="Every supervised actor, and the topics, remote services and pools beside them. Use the arrow keys to move and to open.">
      {at !== undefined && (
        <div class="split">
          <div class="panel treebox">
            <ul class="tree" role="tree" aria-label="Actors" ref={tree} onKeyDown={onKey}>
              {items.map((item) => <Row key={item.path} item={item} chosen={item === at} seen={view.at} onChoose={() => { choose(item.path, "mouse"); showDetail(); }} onToggle={() => toggle(item, !item.open)} />)}
            </ul>
          </div>
          <Detail node={at.node} path={at.path} seen={view.at} />
        </div>
      )}
    </Frame>
  );
}

/** showDetail brings what is told about an actor into sight where it is below the tree. */
function showDetail(): void {
  if (matchMedia("(max-width: 900px)").matches) requestAnimationFrame(() => document.querySelector(".split .detail")?.scrollIntoView({ block: "start" }));
}

interface RowProps {
  item: Item;
  chosen: boolean;
  seen: number;
  onChoose(): void;
  onToggle(): void;
}

function Row({ item, chosen, seen, onChoose, onToggle }: RowProps) {
  const n = item.node;
  const branch = item.branch;
  return (
    <li role="treeitem" aria-level={item.level} aria-setsize={item.size} aria-posinset={item.position} aria-selected={chosen}
      aria-expanded={branch ? item.open : undefined} tabIndex={chosen ? 0 : -1} data-path={item.path} data-state={n.state}
      class="node" onClick={onChoose}>
      <span class="indent" style={{ width: `${(item.level - 1) * 16}px` }} />
      <span class={`twist${branch ? "" : " none"}`} onClick={(e) => { if (branch) { e.stopPropagation(); onToggle(); } }}><Chevron open={item.open} /></span>
      <span class="name">{n.name}</span>
      <span class="kind">{n.kind === n.name ? "" : n.kind}</span>
      <span class="chips">
        {n.detail !== undefined && <span class="quiet">{n.detail}</span>}
        {(n.omitted ?? 0) > 0 && <span class="quiet">{plural(n.omitted ?? 0, "other")} not shown</span>}
        {(n.mailbox_depth ?? 0) > 0 && <span class="chip">{count(n.mailbox_depth)} wait</span>}
        {(n.restarts ?? 0) > 0 && <span class="chip">{plural(n.restarts ?? 0, "restart")}</span>}
        {(n.abandoned ?? 0) > 0 && <span class="chip warn">{count(n.abandoned)} abandoned</span>}
        {n.breaker !== undefined && n.breaker !== "closed" && <span class="chip bad">breaker {n.breaker}</span>}
        {(n.backoff_remaining_ms ?? 0) > 0 && <Backoff ms={n.backoff_remaining_ms ?? 0} seen={seen} />}
      </span>
      <State state={n.state} />
    </li>
  );
}

/** Backoff counts down between two looks at the tree. */
function Backoff({ ms, seen, bare }: { ms: number; seen: number; bare?: boolean }) {
  const now = useNow(500);
  const left = Math.max(0, ms - Math.max(0, now - seen));
  const text = left < 1000 ? "under 1 s" : span(left);
  return bare ? <>in {text}</> : <span class="chip warn">next try in {text}</span>;
}

function Detail({ node, path, seen }: { node: TreeNode; path: string; seen: number }) {
  const may = useCell(link.hello)?.you.actions === true;
  const [more, setMore] = useState(false);
  useEffect(() => setMore(false), [path]);
  const last = node.last_failure;
  return (
    <section class="panel detail" aria-label={`About ${node.name}`}>
      <h2>{node.name} <State state={node.state} /></h2>
      <Facts rows={[
        ["Place", <span class="mono">{pathOf(path)}</span>],
        ["Kind", words(node.kind)],
        ...(node.detail === undefined ? [] : [["Holds", node.detail] as [string, string]]),
        ...(node.since === undefined ? [] : [["In this state since", moment(node.since)] as [string, string]]),
        ...(node.generation === undefined || node.generation === 0 ? [] : [
          ["Generation", count(node.generation)], ["Restarts", count(node.restarts ?? 0)], ["Failures", count(node.failures ?? 0)],
          ["Abandoned goroutines", count(node.abandoned ?? 0)], ["Breaker", <State state={node.breaker ?? "closed"} />],
        ] as [string, string][]),
        ...(node.mailbox_depth === undefined ? [] : [["Messages that wait", count(node.mailbox_depth)] as [string, string]]),
        ...((node.backoff_remaining_ms ?? 0) > 0 ? [["Next try", <Backoff bare ms={node.backoff_remaining_ms ?? 0} seen={seen} />] as [string, never]] : []),
      ]} />
      {may && (node.actions ?? []).length > 0 && (
        <div class="buttons left">
          {(node.actions ?? []).map((deed) => <button type="button" key={deed} class={deed === "stop" ? "danger" : undefined} data-deed={deed} onClick={() => actOnService(node.name, deed)}>{deedName(deed)}</button>)}
        </div>
      )}
      {last !== undefined && (
        <>
          <h3>Last failure</h3>
          <p class="reason">{last.reason}</p>
          <p class="quiet">{moment(last.at)}{last.task ? `, during ${last.task}` : ""}</p>
          {last.stack && <button type="button" aria-expanded={more} onClick={() => setMore(!more)}>{more ? "Hide the stack" : "Show the stack"}</button>}
          {last.stack && more && <Code label="Stack of the last failure" text={last.stack} />}
        </>
      )}
    </section>
  );
}
