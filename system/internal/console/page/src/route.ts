import { Cell } from "./cell";

export const views = [
  { path: "overview", title: "Overview", key: "o" },
  { path: "tree", title: "Tree", key: "t" },
  { path: "connections", title: "Connections", key: "c" },
  { path: "slow", title: "Slow subscribers", key: "w" },
  { path: "topics", title: "Topics", key: "p" },
  { path: "services", title: "Services", key: "s" },
  { path: "cluster", title: "Cluster", key: "n" },
  { path: "deadletters", title: "Dead letters", key: "d" },
  { path: "log", title: "Log", key: "l" },
  { path: "explain", title: "Explain", key: "e" },
  { path: "audit", title: "Audit", key: "a" },
] as const;

export type Path = (typeof views)[number]["path"];

export interface Route {
  path: Path;
  args: URLSearchParams;
}

/** parse reads the hash of an address: "#/connections?role=client". What is unknown is the overview. */
export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const view = views.find((v) => v.path === path);
  return { path: view?.path ?? "overview", args: new URLSearchParams(query) };
}

export function address(path: Path, args: Record<string, string> = {}): string {
  const query = new URLSearchParams(Object.entries(args).filter(([, v]) => v !== "")).toString();
  return `#/${path}${query === "" ? "" : `?${query}`}`;
}

export const route = new Cell<Route>({ path: "overview", args: new URLSearchParams() });

/** follow keeps route at what the address says. */
export function follow(): void {
  const read = (): void => route.set(parse(location.hash));
  addEventListener("hashchange", read);
  read();
}
