// The part of react-test-renderer that the tests use.
declare module "react-test-renderer" {
  import type { ReactElement } from "react";
  export function act(f: () => Promise<void> | void): Promise<void>;
  export function create(element: ReactElement): { toJSON(): unknown; update(element: ReactElement): void; unmount(): void };
}
