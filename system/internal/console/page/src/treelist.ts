import type { TreeNode } from "./protocol";

/** Item is a line of the tree that is shown. */
export interface Item {
  node: TreeNode;
  path: string;
  parent: string | null;
  level: number;
  size: number;
  position: number;
  branch: boolean;
  open: boolean;
}

/** flatten returns the lines that are shown if those in shut are shut. */
export function flatten(root: TreeNode, shut: ReadonlySet<string>): Item[] {
  const items: Item[] = [];
  const visit = (node: TreeNode, path: string, parent: string | null, level: number, size: number, position: number): void => {
    const children = node.children ?? [];
    const open = children.length > 0 && !shut.has(path);
    items.push({ node, path, parent, level, size, position, branch: children.length > 0, open });
    if (!open) return;
    const seen = new Map<string, number>();
    children.forEach((child, i) => {
      // Instances of a remote service have one name.
      const before = seen.get(child.name) ?? 0;
      seen.set(child.name, before + 1);
      visit(child, `${path}/${child.name}${before === 0 ? "" : `#${before + 1}`}`, path, level + 1, children.length, i + 1);
    });
  };
  visit(root, root.name, null, 1, 1, 1);
  return items;
}

/** pathOf returns the place of an actor below the root, as logs and dead letters name it. */
export function pathOf(path: string): string {
  return path.replace(/^root\//, "");
}

export interface Move {
  path?: string;
  open?: boolean;
}

/** move says what a key does at an item, as trees do everywhere. Null: the key means nothing here. */
export function move(items: Item[], at: Item, key: string): Move | null {
  const i = items.indexOf(at);
  const to = (n: number): Move => ({ path: items[Math.max(0, Math.min(items.length - 1, n))]?.path });
  switch (key) {
    case "ArrowDown":
      return to(i + 1);
    case "ArrowUp":
      return to(i - 1);
    case "Home":
      return to(0);
    case "End":
      return to(items.length - 1);
    case "ArrowRight":
      if (!at.branch) return {};
      return at.open ? to(i + 1) : { open: true };
    case "ArrowLeft":
      if (at.branch && at.open) return { open: false };
      return at.parent === null ? {} : { path: at.parent };
    case "Enter":
    case " ":
      return at.branch ? { open: !at.open } : {};
    default:
      return null;
  }
}
