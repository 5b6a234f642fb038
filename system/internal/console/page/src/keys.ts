import { shortcuts } from "./app";
import { address, views } from "./route";

/** bind has single keys act as shortcuts, until the function that it returns is called. */
export function bind(help: () => void): () => void {
  let going = false;
  let over: ReturnType<typeof setTimeout> | undefined;
  const onKey = (event: KeyboardEvent): void => {
    if (!shortcuts.get() || event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    const target = event.target;
    if (target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], dialog") !== null) return;
    if (going) {
      going = false;
      const view = views.find((v) => v.key === event.key);
      if (view !== undefined) {
        event.preventDefault();
        location.hash = address(view.path);
      }
      return;
    }
    switch (event.key) {
      case "?":
        event.preventDefault();
        help();
        break;
      case "/": {
        const search = document.querySelector<HTMLElement>("[data-search]");
        if (search !== null) {
          event.preventDefault();
          search.focus();
        }
        break;
      }
      case "r":
        dispatchEvent(new Event("strowger-reload"));
        break;
      case "g":
        going = true;
        clearTimeout(over);
        over = setTimeout(() => (going = false), 1500);
    }
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
