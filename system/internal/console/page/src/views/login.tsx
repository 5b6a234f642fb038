import { useEffect, useRef, useState } from "preact/hooks";
import { link } from "../app";
import { useNow } from "../hooks";
import { Mark } from "../parts/icons";

export function Login({ notice }: { notice?: string | undefined }) {
  const [password, setPassword] = useState("");
  const [error, setError] = useState("");
  const [until, setUntil] = useState(0);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const now = useNow(500, until > 0);
  const wait = Math.max(0, Math.ceil((until - now) / 1000));
  useEffect(() => {
    document.title = "Log in · strowger console";
    field.current?.focus();
  }, []);
  const submit = async (): Promise<void> => {
    setBusy(true);
    const outcome = await link.login(password);
    setBusy(false);
    if (outcome.error === undefined) return;
    setError(outcome.error);
    setPassword("");
    setUntil(outcome.wait === undefined ? 0 : Date.now() + outcome.wait * 1000);
    field.current?.focus();
  };
  return (
    <main class="alone" id="main">
      <form class="panel" onSubmit={(e) => { e.preventDefault(); void submit(); }}>
        <h1><Mark /> strowger console</h1>
        {notice !== undefined && error === "" && <p class="note">{notice}</p>}
        <label>Password <input ref={field} type="password" required autocomplete="current-password" value={password} aria-describedby={error === "" ? undefined : "login-error"} aria-invalid={error !== ""} onInput={(e) => setPassword(e.currentTarget.value)} /></label>
        {error !== "" && <p class="error" id="login-error" role="alert">{wait > 0 ? `Too many attempts. Wait ${wait} s.` : sentence(error)}</p>}
        <button type="submit" class="primary" disabled={busy || wait > 0}>{busy ? "Checking…" : "Log in"}</button>
      </form>
    </main>
  );
}

function sentence(text: string): string {
  const t = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(t) ? t : `${t}.`;
}

export function Refused({ reason }: { reason: string }) {
  return (
    <main class="alone" id="main">
      <div class="panel">
        <h1><Mark /> strowger console</h1>
        <p role="alert">{sentence(reason)}</p>
        <button type="button" onClick={() => link.start()}>Try again</button>
      </div>
    </main>
  );
}
