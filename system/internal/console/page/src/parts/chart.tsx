import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { drawn, history, theme } from "../app";
import { useCell } from "../cell";
import { clock } from "../format";
import type { SampleKey } from "../protocol";

export interface Line {
  key: SampleKey;
  label: string;
  /** hue is the number of a colour of the style sheet; dash tells lines apart without it. */
  hue: 1 | 2 | 3 | 4 | 5;
  dash?: number[];
}

interface ChartProps {
  title: string;
  lines: Line[];
  seconds: number;
  height?: number;
  /** whole keeps fractions from the axis, binary has it count in powers of two. */
  whole?: boolean;
  binary?: boolean;
  format(n: number): string;
}

const powers = Array.from({ length: 40 }, (_, i) => 2 ** i);
const wholes = Array.from({ length: 9 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat();

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function dark(): MediaQueryList {
  return matchMedia("(prefers-color-scheme: dark)");
}

/** useColours changes with the colours of the page. */
function useColours(): string {
  const chosen = useCell(theme);
  const [system, set] = useState(dark().matches);
  useEffect(() => {
    const query = dark();
    const look = (): void => set(query.matches);
    query.addEventListener("change", look);
    return () => query.removeEventListener("change", look);
  }, []);
  return `${chosen} ${system}`;
}

function data(lines: Line[], seconds: number): uPlot.AlignedData {
  return history.window(seconds, lines.map((l) => l.key)) as uPlot.AlignedData;
}

/** Chart draws some series of the history. What it draws is told in words by its legend. */
export function Chart({ title, lines, seconds, height = 120, whole, binary, format }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const window = useRef(seconds);
  const [cursor, setCursor] = useState<number | null>(null);
  const colours = useColours();
  useCell(drawn);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--soft"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const made = new uPlot({
      width: Math.max(100, element.clientWidth), height, padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 5 }, drag: { x: false, y: false } },
      scales: { x: { range: (u) => { const end = (u.data[0] as number[] | undefined)?.at(-1) ?? 0; return [end - window.current, end]; } }, y: { range: (_u, _min, max) => [0, Math.max(max * 1.15, binary ? 1024 : whole ? 4 : 1)] } },
      axes: [
        { ...axis, size: 28, gap: 8, space: 46, values: (_u, at) => at.map((t) => clock(t * 1000).slice(0, 5)) },
        { ...axis, size: 52, gap: 4, space: 28, values: (_u, ticks) => ticks.map((n) => format(n).replace(/\.0\b/, "")), ...(binary ? { incrs: powers } : whole ? { incrs: wholes } : {}) },
      ],
      series: [{}, ...lines.map((l, i) => ({
        stroke: colour(`--hue-${l.hue}`), width: 1.6, points: { show: false }, spanGaps: false,
        ...(l.dash === undefined ? {} : { dash: l.dash }),
        ...(i === 0 ? { fill: colour(`--fill-${l.hue}`) } : {}),
      }))],
      hooks: { setCursor: [(u) => setCursor(u.cursor.idx ?? null)] },
    }, data(lines, window.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: Math.max(100, element.clientWidth), height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [colours, height]);

  const version = drawn.get();
  useLayoutEffect(() => {
    window.current = seconds;
    plot.current?.setData(data(lines, seconds));
  }, [version, seconds]);

  const shown = data(lines, seconds);
  const at = shown[0] as number[];
  const i = cursor !== null && cursor < at.length ? cursor : at.length - 1;
  const time = at[i];
  return (
    <figure class="chart panel">
      <figcaption>
        <h2>{title}</h2>
        <ul class="legend">
          {lines.map((l, n) => {
            const value = (shown[n + 1] as (number | null)[] | undefined)?.[i];
            return (
              <li key={l.key}>
                <svg class={`swatch hue-${l.hue}`} viewBox="0 0 18 6" width="18" height="6" aria-hidden="true"><path d="M0 3h18" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray={l.dash?.join(" ")} /></svg>
                {l.label} <b>{typeof value === "number" ? format(value) : "–"}</b>
              </li>
            );
          })}
          {cursor !== null && time !== undefined && <li class="at">at {clock(time * 1000)}</li>}
        </ul>
      </figcaption>
      <div class="plot" ref={box} aria-hidden="true" />
    </figure>
  );
}
