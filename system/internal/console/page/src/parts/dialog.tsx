import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { question, reasonOf, tell } from "../app";
import { useCell } from "../cell";
import { Close } from "./icons";

interface DialogProps {
  title: string;
  kind: "drawer" | "box";
  onClose(): void;
  children: ComponentChildren;
}

/** Dialog is modal: the browser keeps the focus inside. In the end it goes back to where it was. */
export function Dialog({ title, kind, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      // The row that opened it may have gone meanwhile.
      const back = before instanceof HTMLElement && before.isConnected ? before : document.getElementById("main");
      back?.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog ref={ref} class={kind} aria-labelledby={id}
      onCancel={(event) => { if (event.target === ref.current) { event.preventDefault(); onClose(); } }}
      onClick={(event) => { if (event.target === ref.current) onClose(); }}>
      <div class="dialog">
        <header><h2 id={id}>{title}</h2><button type="button" class="plain" aria-label="Close" onClick={onClose}><Close /></button></header>
        {children}
      </div>
    </dialog>
  );
}

/** Confirmation shows the question that is open. */
export function Confirmation() {
  const open = useCell(question);
  return open === null ? null : <Ask key={open.title} />;
}

function Ask() {
  const open = useCell(question);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  if (open === null) return null;
  const close = (): void => question.set(null);
  const act = async (): Promise<void> => {
    setBusy(true);
    setError("");
    try {
      tell(await open.run());
      close();
    } catch (e) {
      setError(reasonOf(e));
    }
    setBusy(false);
  };
  return (
    <Dialog title={open.title} kind="box" onClose={close}>
      <p>{open.text}</p>
      {error !== "" && <p class="error" role="alert">{error}</p>}
      <div class="buttons">
        <button type="button" onClick={close} autofocus>Cancel</button>
        <button type="button" class={open.danger ? "danger" : "primary"} disabled={busy} data-confirm onClick={() => void act()}>{busy ? "Working…" : open.verb}</button>
      </div>
    </Dialog>
  );
}
