import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { link } from "../app";
import { clock, count, plural, value } from "../format";
import { useSettled } from "../hooks";
import { AskError } from "../link";
import { add, each, none } from "../loglines";
import type { Lines } from "../loglines";
import { Shape } from "../parts/icons";
import type { Tone } from "../parts/icons";
import { Frame, Search } from "../parts/view";
import type { Log, LogRecord } from "../protocol";

const tones: Record<string, Tone> = { ERROR: "bad", WARN: "warn", INFO: "good", DEBUG: "none" };

export function LogView() {
  const [level, setLevel] = useState("");
  const [search, setSearch] = useState("");
  const [follow, setFollow] = useState(true);
  const [error, setError] = useState("");
  const settled = useSettled(search);
  const [lines, setLines] = useState<Lines | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const followed = useRef(follow);
  followed.current = follow;

  useEffect(() => {
    let ended = false;
    let asking = false;
    let revision = -1;
    let kept: Lines = none;
    const ask = async (): Promise<void> => {
      if (asking || link.state.get().kind !== "live") return;
      asking = true;
      try {
        const log = await link.ask<Log>("log", { after: kept.last, level, search: settled, limit: each });
        if (ended) return;
        kept = add(kept, log);
        setLines(kept);
        setError("");
      } catch (e) {
        if (!ended && e instanceof AskError && e.status !== 0) setError(e.message);
      } finally {
        asking = false;
      }
    };
    const reload = (): void => void ask();
    const ends = [
      link.state.watch((s) => {
        if (s.kind === "live") void ask();
      }),
      link.pulse.watch((p) => {
        if (p === null || !followed.current || p.revision.log === revision) return;
        revision = p.revision.log;
        void ask();
      }),
    ];
    addEventListener("strowger-reload", reload);
    void ask();
    return () => {
      ended = true;
      removeEventListener("strowger-reload", reload);
      for (const end of ends) end();
    };
  }, [level, settled]);

  useLayoutEffect(() => {
    if (follow && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, follow]);

  // Who scrolls up wants to read; who comes back to the end wants to follow.
  const onScroll = (): void => {
    const b = box.current;
    if (b === null) return;
    const end = b.scrollHeight - b.scrollTop - b.clientHeight < 24;
    if (end !== follow && (end || b.scrollHeight > b.clientHeight)) setFollow(end);
  };
  return (
    <Frame title="Log" tools={<>
      <label>Level <select value={level} onChange={(e) => setLevel(e.currentTarget.value)}>
        <option value="">All</option><option value="info">Info and above</option><option value="warn">Warnings and errors</option><option value="error">Errors</option>
      </select></label>
      <Search label="Search the log" value={search} onInput={setSearch} />
      <label class="check"><input type="checkbox" checked={follow} onChange={(e) => setFollow(e.currentTarget.checked)} /> Follow</label>
    </>}>
      {error !== "" && <p class="error" role="alert">{error}</p>}
      <div class="panel">
        <div class="loglines" ref={box} role="log" aria-label="Lines of the log" aria-live="off" tabIndex={0} onScroll={onScroll}>
          {lines?.missed && <p class="quiet">Lines may be missing: they came faster than they are shown.</p>}
          {lines === null ? <p class="empty">Loading…</p> : lines.rows.length === 0 ? <p class="empty">No line fits.</p> : lines.rows.map((r) => <Line key={r.number} of={r} />)}
        </div>
        <div class="pager"><span>{lines === null ? "" : plural(lines.rows.length, "line")}{follow ? ", new ones appear at the end" : ". New ones wait until you follow again."}</span></div>
      </div>
    </Frame>
  );
}

function Line({ of }: { of: LogRecord }) {
  return (
    <div class={`line of-${of.level.toLowerCase()}`}>
      <time dateTime={of.at}>{clock(of.at)}</time>
      <span class="level"><Shape tone={tones[of.level] ?? "none"} />{of.level}</span>
      <span class="message">{of.message}</span>
      <span class="attributes">{Object.entries(of.attributes ?? {}).map(([k, v]) => <Attribute key={k} name={k} text={value(v)} />)}</span>
    </div>
  );
}

/** Attribute is one attribute of a line. A long one, such as a stack, opens at a click. */
function Attribute({ name, text }: { name: string; text: string }) {
  if (text.length <= 240 && !text.includes("\n")) return <span><i>{name}</i>={text} </span>;
  return <details><summary><i>{name}</i> ({count(text.length)} characters)</summary><pre>{text}</pre></details>;
}
